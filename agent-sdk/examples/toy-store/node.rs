//! One node: what it knows, and the few ways in which that changes.
//!
//! All knowledge is in one [`State`] behind one lock, which is never held while another node is asked; who asks looks again
//! afterwards whether the answer still applies (`generation`, epoch, length). Every change goes to disk before it is visible.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::election;
use crate::log::{Body, Entry, Log};
use crate::membership::{Config, Member, Meta};
use crate::protocol::{Fault, Role, Status};
use crate::replicate::{CatchUp, Delay};

/// The store's own version, as any store has one of its own.
pub(crate) const VERSION: &str = "1.4.2";
/// The least time without a word from the primary before a secondary stands for election; up to twice that, by chance.
const PATIENCE: Duration = Duration::from_millis(700);
/// How long a primary leads without hearing from a majority.
pub(crate) const LEASE: Duration = Duration::from_millis(1500);

pub(crate) struct State {
    dir: PathBuf,
    pub(crate) meta: Meta,
    pub(crate) log: Log,
    pub(crate) committed: u64,
    pub(crate) part: Part,
    /// One more whenever the node enters or leaves a cluster: an answer to a question from before is void.
    pub(crate) generation: u64,
}

/// What a node does in its cluster. Outside of one it follows nobody.
pub(crate) enum Part {
    Lead(Lead),
    Follow(Follow),
}

pub(crate) struct Lead {
    /// The offset after the entry that opened this epoch.
    from: u64,
    /// When each member was last heard, and how much of this log it holds.
    pub(crate) heard: BTreeMap<String, (Instant, u64)>,
    /// Nodes let in to copy, and made members once they have caught up.
    pub(crate) joining: BTreeMap<String, Member>,
    /// Set while a successor takes over: no new writes, or it would never have them all.
    pub(crate) handing_over: bool,
}

pub(crate) struct Follow {
    pub(crate) primary: Option<Member>,
    /// The length of the primary's log by its last answer.
    pub(crate) length: Option<u64>,
    pub(crate) catch_up: CatchUp,
    pub(crate) delay: Delay,
    /// Where to look for agreement with a log that differs from ours.
    pub(crate) probe: Option<u64>,
    since: Instant,
    patience: Duration,
}

impl Follow {
    pub(crate) fn new(copy_delay: Duration, now: Instant) -> Self {
        let delay = Delay::new(copy_delay);
        let patience = PATIENCE + jitter(PATIENCE);
        Self {
            primary: None,
            length: None,
            catch_up: CatchUp::default(),
            delay,
            probe: None,
            since: now,
            patience,
        }
    }

    /// Starts the wait for the primary anew: it was heard, or a vote was given, or an election was lost.
    pub(crate) fn be_patient(&mut self, now: Instant) {
        self.since = now;
        self.patience = PATIENCE + jitter(PATIENCE);
    }

    pub(crate) fn is_patient(&self, now: Instant) -> bool {
        now.duration_since(self.since) < self.patience
    }
}

/// Keys of a hasher are random: all the chance that is needed to keep two candidates apart.
fn jitter(up_to: Duration) -> Duration {
    up_to.mul_f64(f64::from(u8::try_from(RandomState::new().hash_one(0) % 256).unwrap_or(0)) / 256.0)
}

impl State {
    /// Who is in the cluster as far as this node knows; empty outside, and while joining until the log says.
    pub(crate) fn config(&self) -> Config {
        self.log.config().map(|(_, config)| config.clone()).unwrap_or_default()
    }

    pub(crate) fn is_member(&self) -> bool {
        self.log.config().is_some_and(|(_, config)| config.has(&self.meta.name))
    }

    pub(crate) fn last(&self) -> (u64, u64) {
        (self.log.epoch_before(self.log.length()), self.log.length())
    }

    pub(crate) fn lead(&mut self) -> Option<&mut Lead> {
        if let Part::Lead(lead) = &mut self.part {
            Some(lead)
        } else {
            None
        }
    }

    pub(crate) fn follow(&mut self) -> Option<&mut Follow> {
        if let Part::Follow(follow) = &mut self.part {
            Some(follow)
        } else {
            None
        }
    }

    /// Leading, and heard by a majority within the lease: a primary that was stopped for a while is none when it resumes.
    pub(crate) fn leads(&self, now: Instant) -> bool {
        self.heard_majority_of(&self.config(), |at| now.duration_since(at) < LEASE)
    }

    /// Whether a majority of `config` was heard from lately enough.
    pub(crate) fn heard_majority_of(&self, config: &Config, lately: impl Fn(Instant) -> bool) -> bool {
        let Part::Lead(lead) = &self.part else { return false };
        let answers = |name: &str| lead.heard.get(name).is_some_and(|(at, _)| lately(*at));
        let heard = config
            .members
            .iter()
            .filter(|member| member.name == self.meta.name || answers(&member.name));
        heard.count() >= config.majority()
    }

    /// Nothing that changes the membership is under way, and this epoch has a committed entry: the next change may start.
    pub(crate) fn is_settled(&self) -> bool {
        let Part::Lead(lead) = &self.part else { return false };
        self.committed >= lead.from && self.log.config().is_some_and(|(offset, _)| offset < self.committed)
    }

    pub(crate) fn me(&self) -> Member {
        Member {
            name: self.meta.name.clone(),
            address: self.meta.address.clone(),
        }
    }

    pub(crate) fn primary(&self, now: Instant) -> Option<Member> {
        match &self.part {
            Part::Lead(_) => self.leads(now).then(|| self.me()),
            Part::Follow(follow) => follow.primary.clone().filter(|_| follow.is_patient(now)),
        }
    }

    pub(crate) fn status(&self, now: Instant) -> Status {
        let (role, lag) = match &self.part {
            _ if self.meta.cluster_id.is_none() => (Role::None, None),
            Part::Lead(_) if self.leads(now) => (Role::Primary, Some(0)),
            Part::Lead(_) => (Role::Recovering, None),
            Part::Follow(follow) => {
                let up = follow.catch_up.is_done() && self.is_member();
                let lag = follow.length.map(|length| length.saturating_sub(self.log.length()));
                (if up { Role::Secondary } else { Role::Recovering }, lag)
            }
        };
        let Config { version, members } = self.config();
        Status {
            name: self.meta.name.clone(),
            address: self.meta.address.clone(),
            version: VERSION.to_owned(),
            cluster_id: self.meta.cluster_id.clone(),
            role,
            epoch: self.meta.epoch,
            commit_offset: self.log.length(),
            committed: self.committed,
            lag,
            primary: self.primary(now),
            members,
            config_version: version,
        }
    }

    /// Makes `meta` durable, then takes it up.
    pub(crate) fn keep(&mut self, meta: Meta) -> io::Result<()> {
        meta.save(&self.dir)?;
        self.meta = meta;
        Ok(())
    }

    pub(crate) fn append(&mut self, body: Body) -> io::Result<u64> {
        self.log.append(vec![Entry {
            epoch: self.meta.epoch,
            body,
        }])?;
        self.count();
        Ok(self.log.length())
    }

    /// Takes up a later epoch, following nobody yet.
    pub(crate) fn enter_epoch(&mut self, epoch: u64, vote: Option<&str>, copy_delay: Duration) -> io::Result<()> {
        self.keep(self.meta.at(epoch, vote))?;
        self.step_down(copy_delay);
        Ok(())
    }

    pub(crate) fn step_down(&mut self, copy_delay: Duration) {
        let now = Instant::now();
        match &mut self.part {
            Part::Lead(_) => self.part = Part::Follow(Follow::new(copy_delay, now)),
            Part::Follow(follow) => {
                follow.primary = None;
                follow.probe = None; // it was about the last primary's log
                follow.be_patient(now);
            }
        }
    }

    /// Opens this epoch as its primary. Members count as heard: they have just elected it.
    pub(crate) fn start_leading(&mut self, now: Instant) -> io::Result<()> {
        let heard = self
            .config()
            .members
            .into_iter()
            .map(|member| (member.name, (now, 0)))
            .collect();
        let from = self.log.length() + 1;
        self.part = Part::Lead(Lead {
            from,
            heard,
            joining: BTreeMap::new(),
            handing_over: false,
        });
        self.append(Body::Lead(self.meta.name.clone()))?;
        Ok(())
    }

    /// Moves `committed` to what a majority holds by now. Only a primary can tell.
    pub(crate) fn count(&mut self) {
        let Part::Lead(lead) = &self.part else { return };
        let config = self.config();
        let others = config.members.iter().filter(|member| member.name != self.meta.name);
        let mut held: Vec<u64> = others
            .map(|member| lead.heard.get(&member.name).map_or(0, |(_, held)| *held))
            .collect();
        held.push(self.log.length());
        let held = election::held_by_majority(held, config.majority());
        self.committed = election::committed(self.committed, held, lead.from);
    }

    /// Enters a cluster with an empty log. The log goes first: what a crash leaves of it outside a cluster is dropped at start.
    pub(crate) fn enter(&mut self, id: &str, epoch: u64, seeds: Vec<Member>, log: Vec<Entry>) -> io::Result<()> {
        self.log.truncate(0)?;
        self.log.append(log)?;
        self.keep(self.meta.entering(id, epoch, seeds))?;
        self.generation += 1;
        Ok(())
    }

    pub(crate) fn leave(&mut self, copy_delay: Duration) -> io::Result<()> {
        self.keep(self.meta.leaving())?;
        self.log.truncate(0)?;
        self.committed = 0;
        self.generation += 1;
        self.part = Part::Follow(Follow::new(copy_delay, Instant::now()));
        Ok(())
    }
}

pub(crate) struct Node {
    pub(crate) copy_delay: Duration,
    state: Mutex<State>,
    pub(crate) changed: Condvar,
    pub(crate) stopping: AtomicBool,
    /// Told once when the node cannot go on.
    pub(crate) failed: tokio::sync::Notify,
}

impl Node {
    pub(crate) fn new(dir: PathBuf, mut meta: Meta, log: Log, copy_delay: Duration) -> io::Result<Self> {
        meta.save(&dir)?;
        let part = Part::Follow(Follow::new(copy_delay, Instant::now()));
        let mut state = State {
            dir,
            meta: std::mem::take(&mut meta),
            log,
            committed: 0,
            part,
            generation: 0,
        };
        if state.meta.cluster_id.is_none() {
            state.log.truncate(0)?;
        }
        let (changed, failed) = (Condvar::new(), tokio::sync::Notify::new());
        Ok(Self {
            copy_delay,
            state: Mutex::new(state),
            changed,
            stopping: AtomicBool::new(false),
            failed,
        })
    }

    /// A thread that panicked with the lock left nothing half-changed that is not also so on disk: go on with it.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done` gives something, the node stops, or `until` has come.
    pub(crate) fn wait<T>(&self, until: Instant, mut done: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let mut state = self.lock();
        loop {
            // First, as `done` may append: a node that was stopped must leave its directory alone.
            if self.is_stopping() {
                return None;
            }
            if let Some(result) = done(&mut state) {
                return Some(result);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// A disk that failed once is not asked again: what it holds is no longer known.
    pub(crate) fn fail(&self, fault: &Fault) {
        eprintln!("stopping: {fault}");
        self.stopping.store(true, Ordering::SeqCst);
        self.changed.notify_all();
        self.failed.notify_one();
    }
}

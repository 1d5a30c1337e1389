//! Looks at the mongod: asks, and hands what it says to [`crate::node`].
//!
//! **Guarantees**
//!
//! - One look is two small commands, and ends within `timeouts.answer_ms`, whatever the mongod does.
//! - Who asks while a look is under way is given that one.
//! - Three connections to the mongod: two for commands, and one by which the driver knows that it is there. While it does not
//!   let the agent's user in there are two others, by which it is asked as nobody what it is.
//! - Two connections to the primary, where that is another one, while an action changes the set.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent_sdk::config::Address;
use agent_sdk::spec::StoreVersion;
use tokio::sync::Mutex as Turn;
use tokio::time::Instant;

use crate::ask::set::millis;
use crate::ask::{Hello, SetStatus, build, hello, status};
use crate::client::{Fault, Link};
use crate::config::Validated;
use crate::node::Facts;

/// For how long a node may be about to come into a set after the action has said so.
const RECENT: Duration = Duration::from_secs(10);

/// For how long a mongod that was a member may say, after it was started again, that it was never initialised.
const STARTING: Duration = Duration::from_secs(60);

/// For how long the way for changes is kept after its last use.
const UNUSED: Duration = Duration::from_secs(30);

/// The ways to the mongod, and what was seen of it last.
pub struct Sight {
    server: Validated,
    /// As the user that is configured, or nobody.
    known: Arc<Link>,
    /// As nobody, where the user is not let in: the mongod may not know it yet.
    anonymous: Link,
    /// To the primary, for actions: what they wait for does not hold others.
    primary: Mutex<Option<(Instant, Arc<Link>)>>,
    looking: Turn<Option<Look>>,
    last: Mutex<Last>,
}

/// A look that has ended.
struct Look {
    ended: Instant,
    facts: Arc<Facts>,
}

/// What was seen last.
#[derive(Default)]
struct Last {
    summary: Option<(Instant, String)>,
    /// The version, and of which process.
    version: Option<(String, StoreVersion)>,
    joining: Option<Instant>,
    /// The agent's user was let in.
    let_in: bool,
    /// Which process was a member.
    member: Option<String>,
    /// Which process came after it, and was first seen when.
    successor: Option<(Option<String>, Instant)>,
}

impl Sight {
    /// Nothing is asked yet.
    pub fn new(server: Validated) -> Self {
        let link = |way| Link::new(server.address.clone(), way, server.timeouts.answer());
        Self {
            known: Arc::new(link(server.way.clone()).at_once(2)),
            anonymous: link(server.way.anonymous()),
            primary: Mutex::default(),
            looking: Turn::new(None),
            last: Mutex::default(),
            server,
        }
    }

    /// The configuration.
    pub const fn server(&self) -> &Validated {
        &self.server
    }

    /// The way to the mongod as nobody: for what is allowed only as long as it has no user.
    pub(crate) const fn anonymous(&self) -> &Link {
        &self.anonymous
    }

    /// The way to the mongod as the user that is configured.
    pub(crate) fn known(&self) -> &Link {
        &self.known
    }

    /// A way to another server, as nobody. It lasts as long as it is kept.
    pub(crate) fn stranger(&self, address: Address) -> Link {
        Link::new(address, self.server.way.anonymous(), self.server.timeouts.answer())
    }

    /// The way for changes to this member of the set. Kept for the next step. To the mongod beside the agent it is the one by
    /// which looks go, too: a change that takes long leaves them a connection.
    pub(crate) fn primary(&self, address: &Address) -> Arc<Link> {
        if *address == self.server.address {
            return self.known.clone();
        }
        let mut primary = self.primary.lock().unwrap_or_else(PoisonError::into_inner);
        let link = match primary.take() {
            Some((_, link)) if link.address() == address => link,
            _ => Arc::new(Link::new(
                address.clone(),
                self.server.way.clone(),
                self.server.timeouts.answer(),
            )),
        };
        *primary = Some((Instant::now(), link.clone()));
        link
    }

    /// Gives up the way for changes that no action uses any more.
    fn tidy(&self) {
        let mut primary = self.primary.lock().unwrap_or_else(PoisonError::into_inner);
        primary.take_if(|(used, _)| used.elapsed() > UNUSED);
    }

    /// Says that this agent is about to take the mongod into a set. It holds for a little longer than one step may take: an
    /// action that ends in another way than it thought leaves nothing behind.
    pub fn set_joining(&self, joining: bool) {
        let long = self.server.timeouts.change() + RECENT;
        self.last().joining = joining.then(|| Instant::now() + long);
    }

    /// What the mongod is now. Who comes while a look is under way is given that one.
    pub async fn facts(&self) -> Arc<Facts> {
        let asked = Instant::now();
        let mut looking = self.looking.lock().await;
        if let Some(look) = &*looking
            && look.ended >= asked
        {
            return look.facts.clone();
        }
        self.look_into(&mut looking).await
    }

    /// What the mongod is, seen from now on: for who has just changed it.
    pub async fn look_anew(&self) -> Arc<Facts> {
        let mut looking = self.looking.lock().await;
        self.look_into(&mut looking).await
    }

    async fn look_into(&self, looking: &mut Option<Look>) -> Arc<Facts> {
        let facts = Arc::new(self.look().await);
        *looking = Some(Look {
            ended: Instant::now(),
            facts: facts.clone(),
        });
        facts
    }

    /// How it was seen last, where it was ever seen.
    pub fn last_summary(&self) -> Option<String> {
        let last = self.last();
        let (when, summary) = last.summary.as_ref()?;
        Some(format!("{} s ago as {summary}", when.elapsed().as_secs()))
    }

    /// The version of the process that was seen: asked once for each process.
    pub async fn version(&self, facts: &Facts) -> Option<StoreVersion> {
        let process = facts.hello.as_ref().ok()?.process.clone()?;
        if let Some((known, version)) = &self.last().version
            && *known == process
        {
            return Some(version.clone());
        }
        let version = match self.build().await {
            Ok(version) => version?,
            Err(error) => {
                tracing::debug!(%error, "the mongod does not tell its version");
                return None;
            }
        };
        self.last().version = Some((process, version.clone()));
        Some(version)
    }

    async fn build(&self) -> Result<Option<StoreVersion>, Fault> {
        match build::ask(&self.known).await {
            Err(fault) if fault.is_refusal() => build::ask(&self.anonymous).await,
            answer => answer,
        }
    }

    async fn look(&self) -> Facts {
        self.tidy();
        let end = Instant::now() + self.server.timeouts.answer();
        let (hello, set) = if self.last().let_in {
            tokio::join!(hello::ask_by(&self.known, end), self.set(&self.known, end))
        } else {
            // Each connection logs in for itself: as long as it is not known that this helps, one tries.
            let hello = hello::ask_by(&self.known, end).await;
            let set = match &hello {
                Ok(_) => self.set(&self.known, end).await,
                Err(fault) => Err(fault.clone()),
            };
            (hello, set)
        };
        let (hello, set) = match hello {
            // A blank one knows no user, and answers nothing to one that it does not know.
            Err(fault) if fault.is_refusal() => {
                self.last().let_in = false;
                self.as_nobody(fault, end).await
            }
            hello => {
                self.last().let_in |= hello.is_ok();
                self.anonymous.close();
                (hello, set)
            }
        };
        let restarted = self.is_restarted(&hello);
        let set = hello.is_ok().then_some(set);
        let facts = Facts {
            hello,
            set,
            restarted,
            replica_set: self.server.replica_set.clone(),
            joining: self.last().joining.is_some_and(|until| Instant::now() < until),
        };
        self.remember(&facts);
        facts
    }

    /// Whether this is the first minute of a process that followed one which was a member.
    fn is_restarted(&self, hello: &Result<Hello, Fault>) -> bool {
        let Ok(hello) = hello else { return false };
        let mut last = self.last();
        if hello.member().is_some() {
            last.member.clone_from(&hello.process);
            last.successor = None;
            return false;
        }
        if last.member.is_none() || last.member == hello.process {
            return false;
        }
        match &last.successor {
            Some((process, since)) if *process == hello.process => {
                let starts = since.elapsed() < STARTING;
                if !starts {
                    // It is a blank one now.
                    last.member = None;
                }
                starts
            }
            _ => {
                last.successor = Some((hello.process.clone(), Instant::now()));
                true
            }
        }
    }

    /// What the mongod tells anybody. One that has no users, as an arbiter or a member that makes its first copy, tells of its
    /// state, too, who is beside it.
    async fn as_nobody(&self, refused: Fault, end: Instant) -> (Result<Hello, Fault>, Result<SetStatus, Fault>) {
        let hello = hello::ask_by(&self.anonymous, end).await;
        let set = match &hello {
            Ok(hello) if hello.member().is_some() => self.set(&self.anonymous, end).await.map_err(|_| refused),
            Ok(_) | Err(_) => Err(refused),
        };
        (hello, set)
    }

    async fn set(&self, link: &Link, end: Instant) -> Result<SetStatus, Fault> {
        status::ask_by(link, millis(self.server.timeouts.answer()), end).await
    }

    fn remember(&self, facts: &Facts) {
        // What it was about to do is done.
        if facts.status_of_set().is_some_and(|set| set.state.is_settled()) {
            self.set_joining(false);
        }
        if let Some(summary) = facts.summary() {
            self.last().summary = Some((Instant::now(), summary));
        }
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

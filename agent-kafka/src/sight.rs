//! Looks at the process: asks its listeners, and hands what they say to [`crate::node`].
//!
//! **Guarantees**
//!
//! - One look asks all at once and ends within `timeouts.answer_ms`, whatever the process does.
//! - Who asks while a look is under way is given that one: a look costs the process a handful of small requests, also
//!   where it holds ten thousand partitions.
//! - At most five connections to the process: one for each listener, one for the quorum, whose answer a broker may owe for a
//!   minute, one for what grows with the partitions, and one for what actions ask of that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use agent_sdk::config::Address;
use agent_sdk::spec::StoreVersion;
use tokio::sync::Mutex as Turn;
use tokio::time::Instant;

use crate::ask::cluster::{self, Side};
use crate::ask::placement::{self, Placement};
use crate::ask::{AskError, Quorum, configuration, directories, left, quorum};
use crate::client::{Code, Link};
use crate::config::{Validated, Way};
use crate::node::{Before, Broker, Controller, Facts, Own, Service, is_cut};
use crate::storage::Disk;

/// For how long what was seen of a process still says what it is doing now.
const RECENT: Duration = Duration::from_secs(10);

/// For how long a broker may take clients and see itself fenced still: its port opens when it is unfenced, and it hears of
/// that up to 0.4 s later. One that was unfenced before, on a connection that is gone, is told from it so.
const OPENING: Duration = Duration::from_secs(3);

/// The ways to the process, and what was seen of it last.
pub struct Sight {
    process: Validated,
    broker: Option<Turn<Link>>,
    controller: Option<Turn<Link>>,
    /// For the quorum: by way of the broker where there is one.
    quorum: Turn<Link>,
    /// For what grows with the partitions.
    partitions: Option<Turn<Link>>,
    /// For what actions ask of that: what they wait for does not hold others.
    changes: Option<Turn<Link>>,
    disk: Disk,
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
    id: Option<i32>,
    /// When the broker was last in sync, and over which connections that was seen.
    served: Option<(Instant, Opened)>,
    /// When it was first seen in sync for nothing after that, and over which connections.
    handed_over: Option<(Instant, Opened)>,
    /// Over which connections the broker was seen unfenced.
    unfenced: Option<Opened>,
    /// Since when it answers and is seen fenced.
    fenced: Option<Instant>,
    voted: bool,
    /// A partition that the broker was in sync for: one that is asked for in place of all.
    witness: Option<(String, i32)>,
    /// When the broker was last seen without any partition.
    empty: Option<Instant>,
    /// The version, as far as it can be read, and of which process.
    version: Option<(Opened, Option<StoreVersion>)>,
    /// Of the last look.
    opened: Opened,
    joining: Option<Instant>,
}

/// How many connections were made to each listener: the same numbers mean the same process.
type Opened = (u64, u64);

impl Sight {
    /// Nothing is asked yet.
    pub fn new(process: Validated) -> Self {
        let link = |way: &Way| Link::new(way.own().clone());
        let way = |way: &Option<Way>| way.as_ref().map(|way| Turn::new(link(way)));
        // A section without any listener is none.
        let nobody = || Link::new(crate::client::Endpoint::plain(Address::new("localhost", 0)));
        let quorum = process.broker.as_ref().or(process.controller.as_ref());
        Self {
            broker: way(&process.broker),
            controller: way(&process.controller),
            quorum: Turn::new(quorum.map_or_else(nobody, link)),
            partitions: way(&process.broker),
            changes: way(&process.broker),
            disk: Disk::default(),
            looking: Turn::new(None),
            last: Mutex::default(),
            process,
        }
    }

    /// The configuration.
    pub const fn process(&self) -> &Validated {
        &self.process
    }

    /// The link for what grows with the partitions, where there is a broker.
    pub(crate) const fn partitions(&self) -> Option<&Turn<Link>> {
        self.partitions.as_ref()
    }

    /// The link by which actions ask for what grows with the partitions, where there is a broker.
    pub(crate) const fn changes(&self) -> Option<&Turn<Link>> {
        self.changes.as_ref()
    }

    /// Says that this agent is about to take the process into a cluster. It holds for a little longer than one step may
    /// take: an action that ends in another way than it thought leaves nothing behind.
    pub fn set_joining(&self, joining: bool) {
        let long = self.process.timeouts.change() + RECENT;
        self.last().joining = joining.then(|| Instant::now() + long);
    }

    /// What the process is now. Who comes while a look is under way is given that one.
    pub async fn facts(&self) -> Arc<Facts> {
        let asked = Instant::now();
        let mut looking = self.looking.lock().await;
        if let Some(look) = &*looking
            && look.ended >= asked
        {
            return look.facts.clone();
        }
        let facts = Arc::new(self.look().await);
        *looking = Some(Look {
            ended: Instant::now(),
            facts: facts.clone(),
        });
        facts
    }

    /// What the process is, seen from now on: for who has just changed it.
    pub async fn look_anew(&self) -> Arc<Facts> {
        let mut looking = self.looking.lock().await;
        let facts = Arc::new(self.look().await);
        *looking = Some(Look {
            ended: Instant::now(),
            facts: facts.clone(),
        });
        facts
    }

    /// Its id, as it was known last.
    pub(crate) fn last_id(&self) -> Option<i32> {
        self.last().id
    }

    /// How it was seen last, where it was ever seen.
    pub fn last_summary(&self) -> Option<String> {
        let last = self.last();
        let (when, summary) = last.summary.as_ref()?;
        Some(format!("{} s ago as {summary}", when.elapsed().as_secs()))
    }

    async fn look(&self) -> Facts {
        let end = Instant::now() + self.process.timeouts.answer();
        let storage = self.disk.read(&self.process.log_directories).await;
        let known_id = storage
            .format()
            .and_then(|format| format.node_id)
            .or(self.process.node_id);
        let (broker, controller, quorum) = tokio::join!(
            self.broker(known_id, end),
            self.controller(known_id, end),
            self.quorum(end)
        );
        let ((broker, of_broker), (controller, of_controller)) = (broker, controller);
        let opened = (of_broker, of_controller);
        let facts = Facts {
            storage,
            known_id,
            broker,
            controller,
            quorum,
            before: self.before(opened),
            joining: self.last().joining.is_some_and(|until| Instant::now() < until),
        };
        self.remember(&facts, opened);
        facts
    }

    /// What listens for clients, and how many connections it took.
    async fn broker(&self, known_id: Option<i32>, end: Instant) -> (Option<Result<Broker, AskError>>, u64) {
        let Some(link) = &self.broker else { return (None, 0) };
        let mut link = link.lock().await;
        let asked = self.ask_broker(&mut link, known_id, end).await;
        (Some(asked), link.opened())
    }

    async fn ask_broker(&self, link: &mut Link, known_id: Option<i32>, end: Instant) -> Result<Broker, AskError> {
        let versions = link.versions(left(end)).await?;
        let cluster = cluster::ask(link, Side::Brokers, end).await?;
        let own = own(link, known_id, &cluster, end).await?;
        let directories = unless_cut(directories::ask(link, end).await)?;
        let id = match &own {
            Own::Itself(configuration) => Some(configuration.node_id),
            Own::Another => None,
            Own::Untold(_) => known_id,
        };
        let in_sync = match id.filter(|id| cluster.is_unfenced(*id)) {
            Some(id) => self.in_sync(link, id, end).await?,
            None => None,
        };
        Ok(Broker {
            versions,
            cluster,
            own,
            directories,
            in_sync,
        })
    }

    async fn controller(&self, known_id: Option<i32>, end: Instant) -> (Option<Result<Controller, AskError>>, u64) {
        let Some(link) = &self.controller else { return (None, 0) };
        let mut link = link.lock().await;
        let asked = ask_controller(&mut link, known_id, end).await;
        (Some(asked), link.opened())
    }

    /// The quorum: by way of the broker, who asks its leader; else of the controller, and where that does not lead, of the
    /// one that does. That is another node: a controller that follows knows of the others only who leads.
    async fn quorum(&self, end: Instant) -> Result<Quorum, AskError> {
        let by_broker = match &self.process.broker {
            None => None,
            Some(_) => Some(quorum::ask(&mut *self.quorum.lock().await, end).await),
        };
        let (Some(way), true) = (
            &self.process.controller,
            by_broker.as_ref().is_none_or(|told| told.as_ref().is_err_and(is_cut)),
        ) else {
            return by_broker.unwrap_or_else(|| unreachable_quorum(&self.process));
        };
        if self.process.broker.is_none() {
            return ask_or_pass_on(&mut *self.quorum.lock().await, way, end).await;
        }
        ask_or_pass_on(&mut Link::new(way.own().clone()), way, end).await
    }

    /// Whether the broker is in sync for any of its partitions. Asks for one that it was in sync for, and only where it is
    /// not any more for all.
    async fn in_sync(&self, link: &mut Link, broker: i32, end: Instant) -> Result<Option<bool>, AskError> {
        let witness = self.last().witness.clone();
        if let Some((topic, index)) = witness {
            let Some(told) = unless_cut(placement::ask_of(link, &[&topic], end).await)? else {
                return Ok(None);
            };
            let mut partitions = told.partitions().filter(|partition| partition.index() == index);
            if partitions.any(|partition| partition.is_served_by(broker)) {
                return Ok(Some(true));
            }
        } else if self.last().empty.is_some_and(|when| when.elapsed() < RECENT) {
            return Ok(None);
        }
        let Some(told) = unless_cut(placement::ask(link, end).await)? else {
            return Ok(None);
        };
        let mut last = self.last();
        let mut held = told.of(broker).peekable();
        last.empty = held.peek().is_none().then(Instant::now);
        last.witness = None;
        if held.peek().is_none() {
            return Ok(None);
        }
        // One that Kafka keeps its own state in is seldom deleted.
        let in_sync = || told.of(broker).filter(|partition| partition.is_served_by(broker));
        let witness = in_sync()
            .find(placement::Partition::is_internal)
            .or_else(|| in_sync().next());
        last.witness = witness.map(|partition| (partition.topic().to_owned(), partition.index()));
        Ok(Some(last.witness.is_some()))
    }

    /// Says what was seen of partitions besides: a broker that holds some now is asked about them from the next look on.
    pub(crate) fn notice(&self, broker: i32, placement: &Placement) {
        if placement.of(broker).next().is_some() {
            self.last().empty = None;
        }
    }

    fn before(&self, opened: Opened) -> Before {
        let last = self.last();
        let recent = |seen: Option<(Instant, Opened)>| {
            seen.is_some_and(|(when, over)| when.elapsed() < RECENT && same_process(over, opened))
        };
        let service = match (recent(last.handed_over), recent(last.served)) {
            (true, _) => Service::HandedOver,
            (false, true) => Service::InSync,
            (false, false) => Service::None,
        };
        Before {
            service,
            unfenced: last.unfenced.is_some_and(|over| same_process(over, opened))
                || last.fenced.is_some_and(|since| since.elapsed() > OPENING),
            voted: last.voted,
        }
    }

    fn remember(&self, facts: &Facts, opened: Opened) {
        let mut last = self.last();
        last.opened = opened;
        last.id = facts.id().or(last.id);
        if let Some(summary) = facts.summary() {
            last.summary = Some((Instant::now(), summary));
        }
        match facts.live_broker().and_then(|broker| broker.in_sync) {
            Some(true) => (last.served, last.handed_over) = (Some((Instant::now(), opened)), None),
            Some(false) if facts.before.service == Service::InSync => {
                last.handed_over = Some((Instant::now(), opened));
            }
            Some(false) | None => {}
        }
        match facts.live_broker().zip(facts.id()) {
            Some((broker, id)) if broker.cluster.is_unfenced(id) => {
                (last.unfenced, last.fenced) = (Some(opened), None);
            }
            Some(_) => last.fenced = last.fenced.or_else(|| Some(Instant::now())),
            None => last.fenced = None,
        }
        if let Some(vote) = facts.vote() {
            last.voted |= vote.counts();
        }
        if facts.live_broker().is_none() && facts.live_controller().is_none() {
            last.voted = false;
        }
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version of the process that was seen last, read anew only where it is another process.
    pub(crate) fn version(&self, read: impl FnOnce() -> Option<StoreVersion>) -> Option<StoreVersion> {
        let opened = self.last().opened;
        if let Some((over, version)) = &self.last().version
            && *over == opened
        {
            return version.clone();
        }
        let version = read();
        self.last().version = Some((opened, version.clone()));
        version
    }
}

/// A broker that has stopped takes no connection: its controller's counts.
const fn same_process(then: Opened, now: Opened) -> bool {
    then.1 == now.1 && (then.0 == now.0 || then.1 > 0)
}

/// What the broker told, and nothing where it would not: one that has stopped in the middle of a look was not well by the end
/// of it.
fn unless_cut<T>(told: Result<T, AskError>) -> Result<Option<T>, AskError> {
    match told {
        Ok(told) => Ok(Some(told)),
        Err(error) if is_cut(&error) => Err(error),
        Err(error) => {
            tracing::debug!(%error, "the broker does not tell all that it is asked");
            Ok(None)
        }
    }
}

fn unreachable_quorum(process: &Validated) -> Result<Quorum, AskError> {
    let address = process
        .broker
        .as_ref()
        .map_or_else(|| Address::new("localhost", 0), |way| way.own().address.clone());
    let fault = crate::client::Fault::Connect(std::io::ErrorKind::NotConnected.into());
    Err(crate::client::ClientError { address, fault }.into())
}

async fn ask_controller(link: &mut Link, known_id: Option<i32>, end: Instant) -> Result<Controller, AskError> {
    let versions = link.versions(left(end)).await?;
    let cluster = cluster::ask(link, Side::Controllers, end).await?;
    let own = own(link, known_id, &cluster, end).await?;
    Ok(Controller { versions, cluster, own })
}

/// Whether who answers is the node beside the agent. A node that does not let the agent ask stays as it says it is.
async fn own(
    link: &mut Link,
    known_id: Option<i32>,
    cluster: &cluster::Cluster,
    end: Instant,
) -> Result<Own, AskError> {
    let listed: Vec<_> = cluster.members.iter().map(|member| member.id).collect();
    let ids = known_id.map_or(listed, |id| vec![id]);
    if ids.is_empty() {
        let reason = "the node's id is not known: set store.node_id or store.log_directories";
        return Ok(Own::Untold(reason.to_owned()));
    }
    match configuration::ask(link, &ids, end).await {
        Ok(Some(configuration)) => Ok(Own::Itself(configuration)),
        Ok(None) if known_id.is_some() => Ok(Own::Another),
        Ok(None) => Ok(Own::Untold("none of the cluster's ids is that of this node".to_owned())),
        Err(error @ AskError::Answered { .. }) => Ok(Own::Untold(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Asks a controller for the quorum, and where it does not lead, the one of which it says that it does.
pub(crate) async fn ask_or_pass_on(link: &mut Link, way: &Way, end: Instant) -> Result<Quorum, AskError> {
    let error = match quorum::ask(link, end).await {
        Err(error) if error.code() == Some(Code::NOT_LEADER_OR_FOLLOWER) => error,
        told => return told,
    };
    let cluster = cluster::ask(link, Side::Controllers, end).await?;
    let leader = cluster.leader.and_then(|leader| cluster.member(leader));
    match leader {
        Some(leader) => quorum::ask(&mut Link::new(way.to(leader.address.clone())), end).await,
        None => Err(error),
    }
}

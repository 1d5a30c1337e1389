//! `cluster.remove`: run on a member, takes another node out: its vote, its registration as a broker, or both.
//!
//! Kafka forgets a broker whether it lives or not, and one that lives goes on without knowing: its replicas are offline, and
//! its shutdown hangs. So this refuses while the broker is alive, before anything is changed.

mod life;
mod whom;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use agent_sdk::action::{ActionError, Converge, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::life::Life;
use super::join::is_static;
use super::outcome::{of_change, static_voters, unanswered};
use super::reach;
use crate::ask::cluster::Cluster;
use crate::ask::{Quorum, changes, placement};
use crate::client::Code;
use crate::node::Facts;
use crate::sight::Sight;
use crate::storage::{read_id, write_id};

/// Takes a node out of this node's cluster.
pub struct Remove {
    sight: Arc<Sight>,
    /// What the cluster has said to the request to forget a broker.
    said: Mutex<Option<(i32, Said, Instant)>>,
}

/// The node to take out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveArgs {
    /// Its node.id, or its member address as its agent shows it.
    pub node: String,
    /// What to take from it. When not given: its vote and its registration as a broker, whichever it has.
    #[serde(default)]
    pub roles: Option<BTreeSet<Role>>,
    /// Whether to refuse while the broker still holds replicas, which stay under-replicated without it.
    #[serde(default)]
    pub strict: bool,
}

/// What a node can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A broker.
    Broker,
    /// A voter.
    Controller,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// node.id of the node.
    pub node_id: i32,
    /// Ids of the voters that are left.
    pub voters: Vec<i32>,
    /// How many partitions list a replica on it still. They stay under-replicated until they are reassigned.
    pub replicas_left: usize,
    /// Some of them, as TOPIC/PARTITION.
    pub partitions: Vec<String>,
    /// Whether this action has changed anything.
    pub changed: bool,
}

/// For how long what was said may take to be heard of everywhere. Later the broker may be another one, or the same again.
const HEARD: Duration = Duration::from_secs(10);

/// What the cluster has said to the request to forget a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Forgotten,
    /// There was no such broker.
    Unknown,
}

/// How many partitions are named.
const NAMED: usize = 100;

/// What was read.
#[derive(Debug)]
pub struct View {
    facts: Arc<Facts>,
    quorum: Quorum,
    /// The brokers, where anybody tells.
    brokers: Option<Cluster>,
    /// Whom the argument means.
    id: i32,
    /// What there is of it.
    life: Life,
    /// How many partitions list a replica there, and some of them.
    held: (usize, Vec<String>),
    /// What the cluster has said to the request to forget it, if that was sent.
    said: Option<Said>,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Take its vote.
    RemoveVoter {
        /// Whose.
        id: i32,
        /// With which directory.
        directory_id: String,
        /// Whether the node says that it is no broker: without its vote nobody knows where to ask it.
        only_controller: bool,
    },
    /// Forget the broker.
    Unregister {
        /// Which.
        id: i32,
        /// Whether this action has taken its vote before.
        vote_taken: bool,
    },
}

impl Step {
    const fn id(&self) -> i32 {
        match self {
            Self::RemoveVoter { id, .. } | Self::Unregister { id, .. } => *id,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RemoveVoter { id, directory_id, .. } => write!(f, "remove voter {id} with directory {directory_id}"),
            Self::Unregister { id, .. } => write!(f, "unregister broker {id}"),
        }
    }
}

impl RemoveArgs {
    fn takes(&self, role: Role) -> bool {
        self.roles.as_ref().is_none_or(|roles| roles.contains(&role))
    }
}

impl Remove {
    pub(crate) const fn new(sight: Arc<Sight>) -> Self {
        Self {
            sight,
            said: Mutex::new(None),
        }
    }

    fn said(&self) -> MutexGuard<'_, Option<(i32, Said, Instant)>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many partitions list a replica on this broker, and some of them.
    async fn held(&self, id: i32) -> Result<(usize, Vec<String>), ActionError> {
        let Some(link) = self.sight.changes() else {
            return Ok((0, Vec::new()));
        };
        let end = tokio::time::Instant::now() + self.sight.process().timeouts.change();
        let told = placement::ask(&mut *link.lock().await, end)
            .await
            .map_err(|error| unanswered(&error))?;
        let named = told
            .of(id)
            .take(NAMED)
            .map(|partition| format!("{}/{}", partition.topic(), partition.index()));
        Ok((told.of(id).count(), named.collect()))
    }
}

impl Kind for Remove {
    const KIND: &'static str = "agent.replicante.io/cluster.remove";
    const SUMMARY: &'static str = "Takes a node out of this node's cluster: its vote, and its registration as a broker, which has to be stopped first.";
    const DEADLINE: Duration = Duration::from_secs(300);
    type Args = RemoveArgs;
    type Output = Removed;
}

impl Converge for Remove {
    type View = View;
    type Step = Step;

    /// A broker that has just died is fenced after 9 s.
    const POLL: Duration = Duration::from_secs(1);

    async fn observe(&self, args: &RemoveArgs, last: Option<&Step>) -> Result<View, ActionError> {
        let facts = self.sight.look_anew().await;
        let (quorum, _) = reach::member(&facts)?;
        if let (true, Some(Err(error))) = (args.takes(Role::Broker), &facts.broker) {
            return Err(unanswered(error));
        }
        let brokers = facts.live_broker().map(|broker| broker.cluster.clone());
        let controllers = facts.live_controller().map(|controller| &controller.cluster);
        let id = whom::is_meant(&args.node, last, &quorum, brokers.as_ref(), controllers)?;

        let life = life::of(id, self.sight.process(), &facts, &quorum, brokers.as_ref()).await;
        let held = if args.takes(Role::Broker) {
            self.held(id).await?
        } else {
            (0, Vec::new())
        };
        let said = self
            .said()
            .filter(|(whom, _, when)| *whom == id && when.elapsed() < HEARD);
        let said = said.map(|(_, said, _)| said);
        Ok(View {
            facts,
            quorum,
            brokers,
            id,
            life,
            held,
            said,
        })
    }

    fn decide(args: &RemoveArgs, view: &View, last: Option<&Step>) -> Result<Next<Step, Removed>, ActionError> {
        if args.roles.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err(ActionError::last(
                "no_roles",
                "roles has nothing in it: leave it out, or name broker or controller",
            ));
        }
        let id = view.id;
        let (replicas_left, partitions) = view.held.clone();
        let vote_taken = match last {
            None => false,
            Some(Step::RemoveVoter { .. }) => true,
            Some(Step::Unregister { vote_taken, .. }) => *vote_taken,
        };
        let forgot = matches!(last, Some(Step::Unregister { .. })) && view.said != Some(Said::Unknown);
        let done = || {
            Next::Done(Removed {
                node_id: id,
                voters: view.quorum.voter_ids(),
                replicas_left,
                partitions: partitions.clone(),
                changed: vote_taken || forgot,
            })
        };
        let votes = args
            .takes(Role::Controller)
            .then(|| view.quorum.voter(id, None))
            .flatten();
        let broker = registered(args, view, id, last)?;
        if votes.is_none() && broker.is_none() {
            return Ok(done());
        }
        if let Some(wait) = may_go(args, view, id, broker)? {
            return Ok(Next::Wait(wait));
        }
        if broker.is_some() && votes.is_none() && view.said.is_some() {
            return Ok(Next::Wait(format!(
                "broker {id} is forgotten, and the brokers hear of it"
            )));
        }
        let unregister = |vote_taken| broker.map(|_| Step::Unregister { id, vote_taken });
        let Some(voter) = votes else {
            return Ok(unregister(vote_taken).map_or_else(done, |now| Next::Do { now, then: Vec::new() }));
        };
        if args.roles.is_none() && view.life == Life::Recent {
            // Whether it would vote again at its next start is not known: it is asked for, or seen to be gone.
            return Ok(Next::Wait(format!(
                "node {id} was heard of a moment ago, and does not answer"
            )));
        }
        may_lose_its_vote(view, id)?;
        let directory = voter.directory.ok_or_else(static_voters)?;
        Ok(Next::Do {
            now: Step::RemoveVoter {
                id,
                directory_id: write_id(directory),
                only_controller: is_no_broker(view, last),
            },
            then: unregister(true).into_iter().collect(),
        })
    }

    async fn apply(&self, _: &RemoveArgs, step: &Step, _: &Invocation) -> Result<(), ActionError> {
        let facts = self.sight.facts().await;
        let process = self.sight.process();
        let mut link = reach::for_change(process, &facts).await?;
        let end = tokio::time::Instant::now() + process.timeouts.change();
        let sent = match step {
            Step::RemoveVoter { id, directory_id, .. } => {
                let directory = read_id(directory_id);
                let directory =
                    directory.map_err(|error| ActionError::last("checkpoint_unreadable", error.to_string()))?;
                let cluster_id = facts.told_cluster_id().unwrap_or_default();
                changes::remove_voter(&mut link, cluster_id, *id, directory, end).await
            }
            Step::Unregister { id, .. } => changes::unregister(&mut link, *id, end).await,
        };
        let said = match sent {
            Ok(()) => Said::Forgotten,
            Err(error) if error.code() == Some(Code::BROKER_ID_NOT_REGISTERED) => Said::Unknown,
            Err(error) => return Err(of_change(&error)),
        };
        if let Step::Unregister { id, .. } = step {
            *self.said() = Some((*id, said, Instant::now()));
        }
        Ok(())
    }

    fn unchecked(args: &RemoveArgs, view: &View) -> Vec<String> {
        let (count, _) = &view.held;
        let left = (*count > 0 && args.takes(Role::Broker))
            .then(|| format!("{count} partitions list a replica there, and stay under-replicated without it"));
        left.into_iter().collect()
    }
}

/// A broker that is to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Registered {
    unfenced: bool,
}

/// Whether the node has said that it is no broker.
fn is_no_broker(view: &View, last: Option<&Step>) -> bool {
    let says_so = matches!(
        view.life,
        Life::Process {
            is_broker: Some(false),
            ..
        }
    );
    let said_so = matches!(
        last,
        Some(Step::RemoveVoter {
            only_controller: true,
            ..
        })
    );
    says_so || said_so
}

/// The broker's registration, where it has one and it is to go.
fn registered(args: &RemoveArgs, view: &View, id: i32, last: Option<&Step>) -> Result<Option<Registered>, ActionError> {
    if !args.takes(Role::Broker) || (args.roles.is_none() && is_no_broker(view, last)) {
        return Ok(None);
    }
    let Some(brokers) = &view.brokers else {
        let message =
            "only a broker can tell whether another is registered: run this beside one, or with roles [controller]";
        return Err(ActionError::last("not_a_broker", message));
    };
    Ok(match brokers.member(id) {
        Some(member) => Some(Registered {
            unfenced: !member.fenced,
        }),
        // 3.9 does not list brokers that are fenced. To forget one that is not there changes nothing, so it is asked for, and
        // done only when the cluster has answered.
        None if !brokers.lists_fenced && view.said.is_none() => Some(Registered { unfenced: false }),
        None => None,
    })
}

/// Whether a broker may go now; what to wait for, else. The vote is not taken before either.
fn may_go(args: &RemoveArgs, view: &View, id: i32, broker: Option<Registered>) -> Result<Option<String>, ActionError> {
    let Some(Registered { unfenced }) = broker else {
        return Ok(None);
    };
    let advice = "stop it first; with roles [controller] only its vote is taken";
    match (&view.life, unfenced) {
        (Life::Process { .. }, _) => {
            return Err(ActionError::last(
                "broker_alive",
                format!("broker {id} is alive: {advice}"),
            ));
        }
        (Life::Hung, _) => {
            return Ok(Some(format!(
                "broker {id} takes connections and does not answer: {advice}"
            )));
        }
        (Life::Recent, _) => {
            return Ok(Some(format!(
                "broker {id} was heard of a moment ago, and does not answer"
            )));
        }
        (Life::None, true) => return Ok(Some(format!("broker {id} does not answer, and is not fenced yet"))),
        (Life::None, false) => {}
    }
    let (count, named) = &view.held;
    if args.strict && *count > 0 {
        let named = named.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        return Err(ActionError::last(
            "holds_replicas",
            format!(
                "{count} partitions list a replica on broker {id} ({named}, …): reassign them first, or leave strict out"
            ),
        ));
    }
    Ok(None)
}

/// Whether the quorum can do without this vote.
fn may_lose_its_vote(view: &View, id: i32) -> Result<(), ActionError> {
    if is_static(&view.facts, &view.quorum) {
        return Err(static_voters());
    }
    if view.quorum.voter_ids() == [id] {
        return Err(ActionError::last(
            "last_voter",
            format!("{id} is the only voter: a quorum cannot do without"),
        ));
    }
    if view.life.rejoins() {
        return Err(ActionError::last(
            "joins_by_itself",
            format!(
                "the controller of {id} runs, and would be a voter again within a second \
                 (controller.quorum.auto.join.enable): stop it first"
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! `cluster.remove`: run on a member, takes another node out: its vote, its registration as a broker, or both.
//!
//! Kafka forgets a broker whether it lives or not, and one that lives goes on without knowing: its replicas are offline, and
//! its shutdown hangs. So this refuses while the broker is alive, before anything is changed.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Fault, Invocation, Kind, Next};
use agent_sdk::config::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::join::is_static;
use super::outcome::{of_change, static_voters, unanswered};
use super::reach;
use crate::ask::cluster::Cluster;
use crate::ask::{Quorum, changes, configuration, placement};
use crate::client::{Code, Link};
use crate::node::Facts;
use crate::sight::Sight;
use crate::storage::{read_id, write_id};

/// Takes a node out of this node's cluster.
pub struct Remove {
    sight: Arc<Sight>,
    /// A broker of which the cluster has said that it is not registered.
    absent: Mutex<Option<i32>>,
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
    /// node.id of the node; none where the cluster knows nobody at that address.
    pub node_id: Option<i32>,
    /// Ids of the voters that are left.
    pub voters: Vec<i32>,
    /// How many partitions list a replica on it still. They stay under-replicated until they are reassigned.
    pub replicas_left: usize,
    /// Some of them, as TOPIC/PARTITION.
    pub partitions: Vec<String>,
    /// Whether this action has changed anything.
    pub changed: bool,
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
    /// Whom the argument means; none where the cluster knows nobody at that address.
    id: Option<i32>,
    /// Whether the process answers, and whether it would make itself a voter again.
    alive: Option<Alive>,
    /// How many partitions list a replica there, and some of them.
    held: (usize, Vec<String>),
    /// Whether the cluster has said that no such broker is registered.
    absent: bool,
}

/// A process that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Alive {
    /// Whether it is a broker; none where it does not tell.
    is_broker: Option<bool>,
    joins_by_itself: bool,
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
            Self::RemoveVoter { id, directory_id } => write!(f, "remove voter {id} with directory {directory_id}"),
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
            absent: Mutex::new(None),
        }
    }

    fn absent(&self) -> MutexGuard<'_, Option<i32>> {
        self.absent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process of this node answers, at any of the addresses that the cluster has for it.
    async fn alive(&self, id: i32, facts: &Facts, quorum: &Quorum, brokers: Option<&Cluster>) -> Option<Alive> {
        let process = self.sight.process();
        let controller = process
            .controller
            .as_ref()
            .zip(quorum.address(id, reach::controller_listener(process, facts)));
        let broker = process
            .broker
            .as_ref()
            .zip(brokers.and_then(|it| it.member(id)).map(|member| &member.address));
        for (way, address) in controller.into_iter().chain(broker) {
            let mut link = Link::new(way.to(address.clone()));
            let end = Instant::now() + process.timeouts.answer();
            match configuration::ask(&mut link, &[id], end).await {
                Ok(Some(own)) => {
                    return Some(Alive {
                        is_broker: Some(own.is_broker),
                        joins_by_itself: own.is_controller && own.joins_by_itself,
                    });
                }
                // Another node has its address now.
                Ok(None) => {}
                // It answers, and does not tell the agent.
                Err(error) if error.code().is_some() => {
                    return Some(Alive {
                        is_broker: None,
                        joins_by_itself: false,
                    });
                }
                Err(error) => tracing::debug!(id, %error, "the node to be removed does not answer"),
            }
        }
        None
    }

    /// How many partitions list a replica on this broker, and some of them.
    async fn held(&self, id: i32) -> Result<(usize, Vec<String>), ActionError> {
        let Some(link) = self.sight.partitions() else {
            return Ok((0, Vec::new()));
        };
        let end = Instant::now() + self.sight.process().timeouts.change();
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

/// Whom an argument means, as far as the cluster knows: by its id, else by an address that a voter or a broker has told the
/// cluster.
fn resolve(
    node: &str,
    last: Option<&Step>,
    quorum: &Quorum,
    brokers: Option<&Cluster>,
    controllers: Option<&Cluster>,
) -> Result<Option<i32>, ActionError> {
    // An address that was resolved is that node's also when the cluster has forgotten it.
    if let Some(step) = last {
        return Ok(Some(step.id()));
    }
    if let Ok(id) = node.trim().parse::<i32>()
        && id >= 0
    {
        return Ok(Some(id));
    }
    let address: Address = reach::address(node)?;
    let voter = quorum
        .nodes
        .iter()
        .find(|node| node.listeners.iter().any(|(_, known)| *known == address));
    let listed = |cluster: Option<&Cluster>| {
        cluster?
            .members
            .iter()
            .find(|member| member.address == address)
            .map(|member| member.id)
    };
    let found = voter
        .map(|node| node.id)
        .or_else(|| listed(brokers))
        .or_else(|| listed(controllers));
    match (found, brokers) {
        (None, Some(brokers)) if !brokers.lists_fenced => Err(ActionError::Final(Fault::node_unresolved(format!(
            "no voter and no living broker is at {address}, and this release does not list those that are dead: name the \
             node by its node.id"
        )))),
        (found, _) => Ok(found),
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

    async fn observe(&self, args: &RemoveArgs, last: Option<&Step>) -> Result<View, ActionError> {
        let facts = self.sight.look_anew().await;
        let (quorum, _) = reach::member(&facts)?;
        let brokers = facts.live_broker().map(|broker| broker.cluster.clone());
        let controllers = facts.live_controller().map(|controller| &controller.cluster);
        let id = resolve(&args.node, last, &quorum, brokers.as_ref(), controllers)?;
        let (alive, held) = match id {
            Some(id) => (
                self.alive(id, &facts, &quorum, brokers.as_ref()).await,
                self.held(id).await?,
            ),
            None => (None, (0, Vec::new())),
        };
        let absent = id.is_some() && *self.absent() == id;
        Ok(View {
            facts,
            quorum,
            brokers,
            id,
            alive,
            held,
            absent,
        })
    }

    fn decide(args: &RemoveArgs, view: &View, last: Option<&Step>) -> Result<Next<Step, Removed>, ActionError> {
        let (replicas_left, partitions) = view.held.clone();
        let done = || {
            Next::Done(Removed {
                node_id: view.id,
                voters: view.quorum.voter_ids(),
                replicas_left,
                partitions: partitions.clone(),
                changed: match last {
                    None => false,
                    Some(Step::RemoveVoter { .. }) => true,
                    Some(Step::Unregister { vote_taken, .. }) => *vote_taken || !view.absent,
                },
            })
        };
        let Some(id) = view.id else { return Ok(done()) };
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
        let vote_taken = votes.is_some() || matches!(last, Some(Step::RemoveVoter { .. }));
        let unregister = broker.map(|_| Step::Unregister { id, vote_taken });
        let Some(voter) = votes else {
            return Ok(unregister.map_or_else(done, |now| Next::Do { now, then: Vec::new() }));
        };
        may_lose_its_vote(view, id)?;
        let directory = voter.directory.ok_or_else(static_voters)?;
        Ok(Next::Do {
            now: Step::RemoveVoter {
                id,
                directory_id: write_id(directory),
            },
            then: unregister.into_iter().collect(),
        })
    }

    async fn apply(&self, _: &RemoveArgs, step: &Step, _: &Invocation) -> Result<(), ActionError> {
        let facts = self.sight.facts().await;
        let process = self.sight.process();
        let mut link = reach::for_change(process, &facts).await?;
        let end = Instant::now() + process.timeouts.change();
        let sent = match step {
            Step::RemoveVoter { id, directory_id } => {
                let directory = read_id(directory_id);
                let directory =
                    directory.map_err(|error| ActionError::last("checkpoint_unreadable", error.to_string()))?;
                let cluster_id = facts.told_cluster_id().unwrap_or_default();
                changes::remove_voter(&mut link, cluster_id, *id, directory, end).await
            }
            Step::Unregister { id, .. } => changes::unregister(&mut link, *id, end).await,
        };
        match sent {
            // The next reading, or this where a release does not list dead brokers, says that it is gone.
            Err(error) if error.code() == Some(Code::BROKER_ID_NOT_REGISTERED) => {
                *self.absent() = Some(step.id());
                Ok(())
            }
            Err(error) => Err(of_change(&error)),
            Ok(()) => {
                *self.absent() = None;
                Ok(())
            }
        }
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

/// The broker's registration, where it has one and it is to go.
fn registered(args: &RemoveArgs, view: &View, id: i32, last: Option<&Step>) -> Result<Option<Registered>, ActionError> {
    if !args.takes(Role::Broker) {
        return Ok(None);
    }
    let Some(brokers) = &view.brokers else {
        let only_controller = view.alive.and_then(|alive| alive.is_broker) == Some(false);
        if args.roles.is_none() && only_controller {
            return Ok(None);
        }
        let message =
            "only a broker can tell whether another is registered: run this beside one, or with roles [controller]";
        return Err(ActionError::last("not_a_broker", message));
    };
    Ok(match brokers.member(id) {
        Some(member) => Some(Registered {
            unfenced: !member.fenced,
        }),
        // 3.9 does not list brokers that are fenced. To forget one that is not there changes nothing, so it is tried once.
        None if !brokers.lists_fenced && !matches!(last, Some(Step::Unregister { .. })) => {
            Some(Registered { unfenced: false })
        }
        None => None,
    })
}

/// Whether a broker may go now; what to wait for, else. The vote is not taken before either.
fn may_go(args: &RemoveArgs, view: &View, id: i32, broker: Option<Registered>) -> Result<Option<String>, ActionError> {
    let Some(Registered { unfenced }) = broker else {
        return Ok(None);
    };
    let advice = "stop it first; with roles [controller] only its vote is taken";
    match (unfenced, view.alive) {
        (_, Some(_)) => {
            return Err(ActionError::last(
                "broker_alive",
                format!("broker {id} is alive: {advice}"),
            ));
        }
        (true, None) => return Ok(Some(format!("broker {id} does not answer, and is not fenced yet"))),
        (false, None) => {}
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
    match view.alive {
        Some(Alive {
            joins_by_itself: true, ..
        }) => Err(ActionError::last(
            "joins_by_itself",
            format!(
                "the controller of {id} runs, and would be a voter again within a second \
                 (controller.quorum.auto.join.enable): stop it first"
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;

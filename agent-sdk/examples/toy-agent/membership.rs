//! What a change of the toy store's membership takes: what has to be seen first, and what each goal still calls for.
//!
//! Deciding is pure, so that it can be tested without a server and told as a plan. Two rules hold for every goal: who is
//! a member is read from the primary, as only its list is complete; and a node that is named but cannot be told is
//! never taken for absent.

use std::net::SocketAddr;
use std::time::Duration;

use agent_sdk::action::{ActionError, Fault, Kind, Next, NoArgs, NodeArgs};
use agent_sdk::spec::WellKnown;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{Change, Error, Member, Status, Store};

/// A goal for the cluster's membership.
pub(crate) trait Goal: Send + Sync + 'static {
    /// Which of the specification's actions reaches it.
    const WHICH: WellKnown;
    const SUMMARY: &'static str;
    type Args: DeserializeOwned + JsonSchema + Send + Sync;

    /// The node that has to be asked about itself, unless it is known to be a member.
    fn node(args: &Self::Args) -> Option<&str>;

    /// What the goal still calls for. `sent` says whether a change was asked for already.
    fn next(args: &Self::Args, view: &View, sent: bool) -> Result<Next<Change, Reached>, ActionError>;
}

/// The action that reaches a goal.
pub(crate) struct Reach<G>(pub(crate) Store, pub(crate) G);

impl<G: Goal> Kind for Reach<G> {
    const KIND: &'static str = G::WHICH.kind();
    const SUMMARY: &'static str = G::SUMMARY;
    const DEADLINE: Duration = Duration::from_secs(60);
    type Args = G::Args;
    type Output = Reached;
}

/// What all four give back: the membership as it was read at last.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Reached {
    /// Whether this action asked for a change; false when the goal held already.
    changed: bool,
    /// Version of the cluster's configuration: one more with each change of its members.
    config_version: u64,
    /// Who is in the cluster.
    members: Vec<Member>,
}

/// What is read before each decision.
#[derive(Debug)]
pub(crate) struct View {
    /// The node beside the agent.
    pub(crate) here: Status,
    /// The primary of its cluster, when it knows of one.
    pub(crate) primary: Option<Status>,
    /// The node that the arguments name, when it had to be asked.
    pub(crate) other: Option<Status>,
}

impl View {
    pub(crate) async fn of(store: &Store, other: Option<&str>) -> Result<Self, Error> {
        let here = store.read().await?;
        let primary = match &here.primary {
            Some(primary) if primary.name == here.name => Some(here.clone()),
            Some(primary) => Some(store.read_at(&primary.address).await?),
            None => None,
        };
        let found = primary.as_ref().and_then(|primary| primary.find(other?));
        let inside = primary
            .as_ref()
            .is_some_and(|primary| primary.find(&here.name).is_some());
        let address = match found {
            Some(_) if inside => None, // both are members: nothing is left to ask
            Some(member) => Some(member.address.as_str()),
            None => other.filter(|node| is_address(node)),
        };
        let other = match address {
            Some(address) => Some(store.read_at(address).await?),
            None => None,
        };
        Ok(Self { here, primary, other })
    }

    /// Whether the node is a member, by the complete list.
    fn has(&self, node: &str) -> bool {
        self.primary
            .as_ref()
            .is_some_and(|primary| primary.find(node).is_some())
    }

    fn reached(&self, changed: bool) -> Next<Change, Reached> {
        let Status {
            config_version,
            members,
            ..
        } = self.primary.as_ref().unwrap_or(&self.here);
        Next::Done(Reached {
            changed,
            config_version: *config_version,
            members: members.clone(),
        })
    }
}

/// Makes a cluster.
pub(crate) struct Init;

impl Goal for Init {
    const WHICH: WellKnown = WellKnown::ClusterInit;
    const SUMMARY: &'static str = "Makes this node the primary of a new cluster of one, unless it is in a cluster.";
    type Args = NoArgs;

    fn node(_: &NoArgs) -> Option<&str> {
        None
    }

    fn next(_: &NoArgs, view: &View, sent: bool) -> Result<Next<Change, Reached>, ActionError> {
        Ok(match (&view.here.cluster_id, &view.primary) {
            (None, _) => only(Change::Init),
            (Some(_), Some(primary)) if primary.find(&view.here.name).is_some() => view.reached(sent),
            (Some(_), _) => wait("the node to be a member of a cluster with a primary"),
        })
    }
}

/// Takes this node into the cluster of another.
pub(crate) struct Join;

impl Goal for Join {
    const WHICH: WellKnown = WellKnown::ClusterJoin;
    const SUMMARY: &'static str = "Takes this node into the cluster of the member that is named.";
    type Args = NodeArgs;

    fn node(args: &NodeArgs) -> Option<&str> {
        Some(&args.node)
    }

    fn next(args: &NodeArgs, view: &View, sent: bool) -> Result<Next<Change, Reached>, ActionError> {
        let View { here, primary, other } = view;
        if here.cluster_id.is_some() && primary.is_none() {
            return Ok(wait("the cluster to have a primary"));
        }
        let inside = view.has(&here.name);
        if inside && view.has(&args.node) {
            return Ok(view.reached(sent));
        }
        let there = other.as_ref().ok_or_else(|| unresolved(&args.node))?;
        match (&here.cluster_id, &there.cluster_id) {
            (_, None) => Err(ActionError::last(
                "not_in_cluster",
                format!("{} is in no cluster", args.node),
            )),
            (Some(own), Some(id)) if own != id => Err(ActionError::last(
                "other_cluster",
                format!("this node is in cluster {own}, and {} is in {id}", args.node),
            )),
            _ if inside => Ok(view.reached(sent)),
            _ => Ok(only(Change::Join {
                node: there.address.clone(),
                if_version: there.config_version,
            })),
        }
    }
}

/// Takes another node into this node's cluster.
pub(crate) struct Add;

impl Goal for Add {
    const WHICH: WellKnown = WellKnown::ClusterAdd;
    const SUMMARY: &'static str = "Takes the node at an address into this node's cluster.";
    type Args = NodeArgs;

    fn node(args: &NodeArgs) -> Option<&str> {
        Some(&args.node)
    }

    fn next(args: &NodeArgs, view: &View, sent: bool) -> Result<Next<Change, Reached>, ActionError> {
        let View { here, primary, other } = view;
        let Some(primary) = primary else {
            return without_primary(here);
        };
        if view.has(&args.node) {
            return Ok(view.reached(sent));
        }
        let there = other.as_ref().ok_or_else(|| unresolved(&args.node))?;
        match &there.cluster_id {
            id if id.is_some() && *id != primary.cluster_id => Err(ActionError::last(
                "other_cluster",
                format!("{} is in another cluster", args.node),
            )),
            Some(_) if view.has(&there.name) => Ok(view.reached(sent)),
            _ => Ok(only(Change::Add {
                node: there.address.clone(),
                if_version: primary.config_version,
            })),
        }
    }
}

/// Takes a member out of this node's cluster.
pub(crate) struct Remove;

impl Goal for Remove {
    const WHICH: WellKnown = WellKnown::ClusterRemove;
    const SUMMARY: &'static str = "Takes the member of a name or address out of this node's cluster; dead or alive.";
    type Args = NodeArgs;

    fn node(_: &NodeArgs) -> Option<&str> {
        None
    }

    fn next(args: &NodeArgs, view: &View, sent: bool) -> Result<Next<Change, Reached>, ActionError> {
        let View {
            here,
            primary,
            other: _,
        } = view;
        if here.cluster_id.is_none() && [&here.name, &here.address].contains(&&args.node) {
            return Ok(view.reached(sent));
        }
        let Some(primary) = primary else {
            return without_primary(here);
        };
        match primary.find(&args.node) {
            Some(_) if primary.members.len() == 1 => {
                Err(ActionError::last("last_member", "the only member cannot be removed"))
            }
            Some(member) => Ok(only(Change::Remove {
                node: member.name.clone(),
                if_version: primary.config_version,
            })),
            // A host's name may stand for an address in the list.
            None if args.node.contains(':') && !is_address(&args.node) => Err(unresolved(&args.node)),
            None => Ok(view.reached(sent)),
        }
    }
}

/// Whether a text is an address as the store writes it.
fn is_address(node: &str) -> bool {
    node.parse::<SocketAddr>().is_ok()
}

fn unresolved(node: &str) -> ActionError {
    let message = format!("no member is named {node}, and it is no address such as 127.0.0.1:7001");
    ActionError::Final(Fault::node_unresolved(message))
}

fn without_primary(here: &Status) -> Result<Next<Change, Reached>, ActionError> {
    match here.cluster_id {
        Some(_) => Ok(wait("the cluster to have a primary")),
        None => Err(ActionError::last("not_in_cluster", "this node is in no cluster")),
    }
}

fn only(now: Change) -> Next<Change, Reached> {
    Next::Do { now, then: Vec::new() }
}

fn wait(what: &str) -> Next<Change, Reached> {
    Next::Wait(what.to_owned())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

//! What an agent's answers mean, whichever dialect they came in.
//!
//! Nothing here judges. What could not be read stays what it was ([`Field::Wrong`]), and whoever reads it says so once, as
//! a [`Misfit`] that names the check whose rule it breaks.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// A value of an answer, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// It is there.
    Value(T),
    /// It is null.
    Null,
    /// Its key is not there.
    #[default]
    Missing,
    /// Something else stands there.
    Wrong,
}

impl<T> Field<T> {
    /// The value, where it is there.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Null | Self::Missing | Self::Wrong => None,
        }
    }
}

/// A node's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeState {
    /// The agent cannot connect.
    Unavailable,
    /// The node is in no cluster.
    NotInCluster,
    /// It is joining one.
    JoiningCluster,
    /// It is leaving one.
    LeavingCluster,
    /// Something is wrong with it.
    Unhealthy,
    /// Nothing is.
    Healthy,
    /// The agent cannot tell.
    Unknown,
}

/// Every state by the name that answers have for it.
pub const NODE_STATES: [(&str, NodeState); 7] = [
    ("UNAVAILABLE", NodeState::Unavailable),
    ("NOT_IN_CLUSTER", NodeState::NotInCluster),
    ("JOINING_CLUSTER", NodeState::JoiningCluster),
    ("LEAVING_CLUSTER", NodeState::LeavingCluster),
    ("UNHEALTHY", NodeState::Unhealthy),
    ("HEALTHY", NodeState::Healthy),
    ("UNKNOWN", NodeState::Unknown),
];

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NODE_STATES.iter().find(|(_, state)| state == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

/// What a node is to a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It takes the shard's updates.
    Primary,
    /// It holds a copy.
    Secondary,
    /// It re-syncs its copy.
    Recovering,
    /// Anything else.
    Other,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Recovering => "recovering",
            Self::Other => "other",
        })
    }
}

/// How far an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It waits.
    New,
    /// It runs.
    Running,
    /// It has succeeded.
    Done,
    /// It has not.
    Failed,
}

/// Every state by its name.
pub const STATES: [(&str, State); 4] = [
    ("NEW", State::New),
    ("RUNNING", State::Running),
    ("DONE", State::Done),
    ("FAILED", State::Failed),
];

impl State {
    /// Whether nothing follows it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = STATES.iter().find(|(_, state)| state == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

/// `info/node`.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// The node's id.
    pub id: Field<String>,
    /// How it is.
    pub state: Field<NodeState>,
    /// Why, where a reason is given.
    pub reason: Option<String>,
    /// What kind of store it is.
    pub store_id: Field<String>,
    /// The agent's version.
    pub agent_version: Field<String>,
    /// The store's version.
    pub store_version: Field<String>,
    /// By what name other nodes reach it.
    pub member_address: Field<String>,
    /// What is known without the store's process.
    pub attributes: Field<BTreeMap<String, Value>>,
}

/// `info/store`.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// The cluster's id.
    pub cluster_id: Field<String>,
    /// What only the store's process knows.
    pub attributes: Field<BTreeMap<String, Value>>,
}

/// A number and what it counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Amount {
    /// How much.
    pub value: Field<i64>,
    /// Of what.
    pub unit: Field<String>,
}

/// One of `info/shards`.
#[derive(Debug, Clone, Default)]
pub struct Shard {
    /// The shard's id.
    pub id: Field<String>,
    /// What the node is to it.
    pub role: Field<Role>,
    /// How far the node is with it.
    pub offset: Field<Amount>,
    /// How far it is behind the primary.
    pub lag: Field<Amount>,
}

/// An action in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brief {
    /// Its id.
    pub id: Field<String>,
    /// Which action.
    pub kind: Field<String>,
    /// How far it is.
    pub state: Field<State>,
}

/// An invocation record.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// What it was given.
    pub args: Field<Value>,
    /// What was attached to it.
    pub headers: Field<BTreeMap<String, String>>,
    /// Its id.
    pub id: Field<String>,
    /// Which action.
    pub kind: Field<String>,
    /// Who asked. The dialect `unstable` does not tell.
    pub requester: Field<String>,
    /// When it was made.
    pub created: Field<String>,
    /// When the agent recorded it.
    pub scheduled: Field<String>,
    /// When it first ran. The dialect `unstable` does not tell.
    pub started: Field<String>,
    /// When it ended.
    pub finished: Field<String>,
    /// How far it is.
    pub state: Field<State>,
    /// What it has stored of its progress; its output in the dialect `unstable`, once it is done.
    pub payload: Field<Value>,
    /// What came of it. The dialect `unstable` tells it as progress.
    pub output: Field<Value>,
    /// Why it failed, where it did.
    pub error: Field<Value>,
}

/// Something in an answer that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The id of the check whose rule it breaks.
    pub check: &'static str,
    /// Where, as a JSON pointer.
    pub at: String,
    /// What had to stand there.
    pub expected: String,
    /// What stands there.
    pub got: String,
}

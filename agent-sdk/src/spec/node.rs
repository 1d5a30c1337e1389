//! A node: how it is, who it is and where it is reached.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StoreVersion;

/// The seven states of a node (Attributes → Node Status).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NodeState {
    /// The agent cannot connect to the node.
    Unavailable,
    /// The node runs and is in no cluster.
    NotInCluster,
    /// The node is on its way into a cluster.
    JoiningCluster,
    /// The node is on its way out of its cluster.
    LeavingCluster,
    /// The node has an issue that the agent has confirmed.
    Unhealthy,
    /// The node answers and nothing wrong was noticed.
    Healthy,
    /// The agent cannot tell; a reason always comes with it.
    Unknown,
}

impl NodeState {
    /// Every state, in the specification's order.
    pub const ALL: [Self; 7] = [
        Self::Unavailable,
        Self::NotInCluster,
        Self::JoiningCluster,
        Self::LeavingCluster,
        Self::Unhealthy,
        Self::Healthy,
        Self::Unknown,
    ];

    /// The state's name on the wire, upper snake case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "UNAVAILABLE",
            Self::NotInCluster => "NOT_IN_CLUSTER",
            Self::JoiningCluster => "JOINING_CLUSTER",
            Self::LeavingCluster => "LEAVING_CLUSTER",
            Self::Unhealthy => "UNHEALTHY",
            Self::Healthy => "HEALTHY",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// A node's state and, where there is more to say, why it is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    state: NodeState,
    reason: Option<String>,
}

impl NodeStatus {
    /// The agent cannot connect to the node, for this reason.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::because(NodeState::Unavailable, reason)
    }

    /// The node runs outside of any cluster.
    pub fn not_in_cluster() -> Self {
        Self::plain(NodeState::NotInCluster)
    }

    /// The node is joining a cluster.
    pub fn joining() -> Self {
        Self::plain(NodeState::JoiningCluster)
    }

    /// The node is leaving its cluster.
    pub fn leaving() -> Self {
        Self::plain(NodeState::LeavingCluster)
    }

    /// The node has a confirmed issue: this one.
    pub fn unhealthy(reason: impl Into<String>) -> Self {
        Self::because(NodeState::Unhealthy, reason)
    }

    /// The node is well as far as the agent can see.
    pub fn healthy() -> Self {
        Self::plain(NodeState::Healthy)
    }

    /// The agent cannot tell, for this reason.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::because(NodeState::Unknown, reason)
    }

    /// The same state with a reason to show to the operator.
    #[must_use]
    pub fn with_reason(self, reason: impl Into<String>) -> Self {
        Self::because(self.state, reason)
    }

    /// Which of the seven states it is.
    pub const fn state(&self) -> NodeState {
        self.state
    }

    /// Why the state is what it is; never missing for [`NodeState::Unknown`].
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    const fn plain(state: NodeState) -> Self {
        Self { state, reason: None }
    }

    fn because(state: NodeState, reason: impl Into<String>) -> Self {
        Self {
            state,
            reason: Some(reason.into()),
        }
    }
}

/// Where a node is reached. Each address is text in the store's own form; another agent of the same store reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Where clients of the store connect.
    pub client: Option<String>,
    /// What another node or agent needs to name this node as a member of a cluster.
    pub member: Option<String>,
    /// Any further addresses by name.
    pub others: BTreeMap<String, String>,
}

/// Who a node is (Attributes → Node ID, Data Store Node Version). Whatever the store cannot tell just now is missing;
/// the agent then falls back to its configuration and to what it last saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Unique within the node's cluster.
    pub node_id: Option<String>,
    /// Version of the store's process.
    pub version: Option<StoreVersion>,
    /// Where the node is reached.
    pub addresses: Addresses,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_written_by_its_name() {
        for state in NodeState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
    }
}

//! What one look at a node shows of how it is.

use crate::gather::Sample;
use crate::model::NodeState;

impl Sample {
    /// The node's state, where it could be read.
    pub(super) fn state(&self) -> Option<NodeState> {
        self.node.value().and_then(|node| node.state.value()).copied()
    }

    /// Whether all is well with it.
    pub(super) fn is_healthy(&self) -> bool {
        self.state() == Some(NodeState::Healthy)
    }

    /// Whether it is in no cluster.
    pub(super) fn is_outside(&self) -> bool {
        self.state() == Some(NodeState::NotInCluster)
    }
}

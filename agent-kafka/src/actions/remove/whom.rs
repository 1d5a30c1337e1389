//! Whom an argument of `cluster.remove` means.

use agent_sdk::action::{ActionError, Fault};
use agent_sdk::config::Address;

use super::Step;
use crate::actions::reach;
use crate::ask::Quorum;
use crate::ask::cluster::Cluster;

/// The node that is meant: by its id, which may be nobody's; else by an address that a voter, a broker or a registered
/// controller has told the cluster. An address that nobody has told is not that of somebody who is gone: it may be mistyped, or
/// that of a listener which is not shown here.
pub(super) fn is_meant(
    node: &str,
    last: Option<&Step>,
    quorum: &Quorum,
    brokers: Option<&Cluster>,
    controllers: Option<&Cluster>,
) -> Result<i32, ActionError> {
    // An address that was resolved is that node's also when the cluster has forgotten it.
    if let Some(step) = last {
        return Ok(step.id());
    }
    if let Ok(id) = node.trim().parse::<i32>()
        && id >= 0
    {
        return Ok(id);
    }
    let address: Address = reach::address(node)?;
    let mut voters = quorum.nodes.iter();
    let voter = voters.find(|node| node.listeners.iter().any(|(_, known)| *known == address));
    let listed = |cluster: Option<&Cluster>| {
        let found = cluster?.members.iter().find(|member| member.address == address);
        found.map(|member| member.id)
    };
    let found = voter
        .map(|node| node.id)
        .or_else(|| listed(brokers))
        .or_else(|| listed(controllers));
    found.ok_or_else(|| {
        ActionError::Final(Fault::node_unresolved(format!(
            "this node's cluster knows nobody at {address}: name the node by its node.id, also one that is gone"
        )))
    })
}

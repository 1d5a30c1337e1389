//! Ways for questions and changes, apart from those by which the node is looked at.

use agent_sdk::action::{ActionError, Fault};
use agent_sdk::config::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::outcome::unanswered;
use crate::ask::cluster::{self, Cluster, Side};
use crate::ask::{AskError, Quorum, quorum};
use crate::client::versions::{KRAFT_VERSION, Versions};
use crate::client::{Code, Link};
use crate::config::{Validated, Way};
use crate::node::Facts;

/// A link to who takes changes: a broker passes them on to the controller that leads; a controller takes them only when it
/// leads.
pub(super) async fn for_change(process: &Validated, facts: &Facts) -> Result<Link, ActionError> {
    if let (Some(way), Some(_)) = (&process.broker, facts.live_broker()) {
        let mut link = Link::new(way.own().clone());
        let end = Instant::now() + process.timeouts.answer();
        // A broker that has not asked for the quorum since the leader changed sends a change to the one that led before.
        quorum::ask(&mut link, end).await.map_err(|error| unanswered(&error))?;
        return Ok(link);
    }
    let (Some(way), Some(controller)) = (&process.controller, facts.live_controller()) else {
        return Err(ActionError::retry(
            "unreachable",
            "the node beside the agent does not answer",
        ));
    };
    let leader = controller
        .cluster
        .leader
        .and_then(|leader| controller.cluster.member(leader));
    let leader = leader.ok_or_else(|| ActionError::retry("no_leader", "the controllers have no leader"))?;
    Ok(Link::new(way.to(leader.address.clone())))
}

/// The quorum and the cluster's id, where the node beside the agent is a member of a cluster that works.
pub(super) fn member(facts: &Facts) -> Result<(Quorum, String), ActionError> {
    if let Some(reason) = facts.disagreement() {
        return Err(ActionError::last("other_cluster", reason));
    }
    let Some(cluster_id) = facts.told_cluster_id() else {
        let status = facts.status(None);
        let reason = status.reason().unwrap_or("it is in no cluster");
        return Err(ActionError::retry(
            "unreachable",
            format!("the node beside the agent is no member now: {reason}"),
        ));
    };
    match &facts.quorum {
        Ok(quorum) if quorum.works() => Ok((quorum.clone(), cluster_id.to_owned())),
        Ok(_) => Err(ActionError::retry("no_quorum", "the quorum has no majority")),
        Err(error) => match unanswered(error) {
            ActionError::Retry(fault) => Err(ActionError::retry("no_quorum", fault.to_string())),
            other => Err(other),
        },
    }
}

/// What a node that somebody else named says of its cluster.
pub(super) struct Told {
    /// The cluster as it sees it.
    pub cluster: Cluster,
    /// The link over which it was asked.
    pub link: Link,
}

/// Another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberArgs {
    /// Member address of the other node, host:port, as its agent shows it.
    pub node: String,
}

/// The name of the listener by which the agent asks controllers.
pub(super) fn controller_listener<'a>(process: &Validated, facts: &'a Facts) -> Option<&'a str> {
    facts.controller_listener(process.controller.as_ref()?.own().address.port())
}

/// The address that an argument is.
pub(super) fn address(node: &str) -> Result<Address, ActionError> {
    node.trim().parse().map_err(|error| {
        let fault = Fault::node_unresolved("a node is named by its member address, as its agent shows it");
        ActionError::Final(fault.caused_by(anyhow::Error::new(error)))
    })
}

/// Asks a node that somebody else named. Its address does not tell which kind of listener it is: a controller's where it has
/// one. So it is asked as such, and as a broker where it turns out to be none; by either way, since an agent beside a
/// broker is told of no controller's listener, and mostly both kinds ask for the same of those who connect.
pub(super) async fn stranger(process: &Validated, address: &Address) -> Result<Told, ActionError> {
    let (controller, broker) = (process.controller.as_ref(), process.broker.as_ref());
    let ways = [
        (controller, Side::Controllers),
        (broker, Side::Brokers),
        (broker.filter(|_| controller.is_none()), Side::Controllers),
        (controller.filter(|_| broker.is_none()), Side::Brokers),
    ];
    let ways = ways.into_iter().filter_map(|(way, side)| Some((way?, side)));
    let mut first: Option<AskError> = None;
    for (way, side) in ways {
        match ask_stranger(process, way, side, address).await? {
            Ok(told) => return Ok(told),
            Err(error) => {
                tracing::debug!(%address, ?side, %error, "a node that was named does not answer so");
                // The first error is that of the likelier kind, unless that was only the wrong question.
                first = match first {
                    Some(first) if first.code() != Some(Code::MISMATCHED_ENDPOINT_TYPE) => Some(first),
                    _ => Some(error),
                };
            }
        }
    }
    Err(first.map_or_else(
        || ActionError::last("not_configured", "the agent is told of no listener"),
        |error| match unanswered(&error) {
            ActionError::Retry(fault) if fault.code() == "unreachable" => {
                ActionError::retry("member_unreachable", fault.to_string())
            }
            other => other,
        },
    ))
}

/// Whether a cluster can change its voters, as a node of it tells.
pub(super) fn has_dynamic_voters(versions: &Versions) -> bool {
    let level = versions.feature(KRAFT_VERSION).and_then(|feature| feature.finalized);
    level.is_some_and(|level| level > 0)
}

async fn ask_stranger(
    process: &Validated,
    way: &Way,
    side: Side,
    address: &Address,
) -> Result<Result<Told, AskError>, ActionError> {
    let endpoint = way.to_stranger(address.clone());
    let endpoint = endpoint.map_err(|error| ActionError::last("not_trusted", error.to_string()))?;
    let mut link = Link::new(endpoint);
    let end = Instant::now() + process.timeouts.answer();
    let asked = cluster::ask(&mut link, side, end).await;
    Ok(asked.map(|cluster| Told { cluster, link }))
}

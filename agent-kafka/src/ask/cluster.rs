//! The cluster as one node sees it: its id, its brokers, or its controllers.

use agent_sdk::config::Address;
use kafka_protocol::messages::{DescribeClusterRequest, DescribeClusterResponse};
use tokio::time::Instant;

use super::{AskError, accept, left};
use crate::client::{Code, Link};

/// Which nodes are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Brokers: asked of a broker's listener.
    Brokers,
    /// Controllers: asked of a controller's listener.
    Controllers,
}

/// The cluster as one node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its id; none as long as a controller has loaded nothing of its log.
    pub id: Option<String>,
    /// Asked of a controller: the one that leads, where there is one. Asked of a broker it is any broker, and none here.
    pub leader: Option<i32>,
    /// The nodes of one side: all that are registered, controllers that do not vote included.
    pub members: Vec<Member>,
    /// Whether fenced brokers are listed too. 3.9 leaves them out.
    pub lists_fenced: bool,
}

/// A node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// node.id.
    pub id: i32,
    /// The listener of the same name as the one that was asked.
    pub address: Address,
    /// broker.rack.
    pub rack: Option<String>,
    /// Whether it is fenced: registered, and not heard of.
    pub fenced: bool,
}

impl Cluster {
    /// The node of this id.
    pub fn member(&self, id: i32) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// Whether this broker is registered, and the controllers hear from it.
    pub fn is_unfenced(&self, id: i32) -> bool {
        self.member(id).is_some_and(|member| !member.fenced)
    }
}

/// Asks for the cluster, fenced brokers included where the node can tell them.
pub async fn ask(link: &mut Link, side: Side, end: Instant) -> Result<Cluster, AskError> {
    let versions = link.versions(left(end)).await?;
    let lists_fenced = side == Side::Brokers && versions.choose::<DescribeClusterRequest>().is_ok_and(|v| v >= 2);
    let request = DescribeClusterRequest::default()
        .with_endpoint_type(if side == Side::Brokers { 1 } else { 2 })
        .with_include_fenced_brokers(lists_fenced);
    let told = link.call(&request, left(end)).await?;
    // So a controller answers that has loaded nothing of its log: it knows of no node yet, and of no cluster.
    let blank = side == Side::Controllers && Code(told.error_code) == Code::UNSUPPORTED_VERSION;
    if !blank {
        accept::<DescribeClusterRequest>(link, told.error_code, told.error_message.as_deref())?;
    }
    Ok(read(&told, side, lists_fenced))
}

fn read(told: &DescribeClusterResponse, side: Side, lists_fenced: bool) -> Cluster {
    let members = told.brokers.iter().filter_map(|broker| {
        Some(Member {
            id: *broker.broker_id,
            address: Address::new(&broker.host, u16::try_from(broker.port).ok()?),
            rack: broker.rack.as_ref().map(ToString::to_string),
            fenced: broker.is_fenced,
        })
    });
    Cluster {
        id: Some(told.cluster_id.to_string()).filter(|id| !id.is_empty()),
        leader: Some(*told.controller_id).filter(|id| side == Side::Controllers && *id >= 0),
        members: members.collect(),
        lists_fenced,
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::ApiKey;

    use super::*;
    use crate::client::recorded::{self, RELEASES};

    #[test]
    fn recorded_answers_of_both_releases_are_read() {
        for (release, _) in RELEASES {
            let told = |listener| {
                let exchange = recorded::first(release, listener, ApiKey::DescribeCluster as i16);
                recorded::read::<DescribeClusterRequest>(&exchange)
            };
            let brokers = read(&told("broker"), Side::Brokers, release != "3.9.2");
            let id = brokers.id.as_ref().unwrap();
            assert_eq!((id.len(), brokers.leader), (22, None));
            assert!(brokers.is_unfenced(1) && !brokers.is_unfenced(2));
            let controllers = read(&told("controller"), Side::Controllers, false);
            assert_eq!((&controllers.id, controllers.leader), (&brokers.id, Some(1)));
            assert_ne!(controllers.members[0].address, brokers.members[0].address);
        }
    }

    #[test]
    fn a_controller_that_has_loaded_nothing_knows_no_cluster() {
        let told = DescribeClusterResponse::default()
            .with_error_code(35)
            .with_controller_id((-1).into());
        let cluster = read(&told, Side::Controllers, false);
        assert_eq!((cluster.id, cluster.leader, cluster.members), (None, None, Vec::new()));
    }
}

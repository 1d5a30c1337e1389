//! `testbed up kafka`.

use std::path::Path;
use std::time::Duration;

use super::{Error, Node, Running, up};
use crate::kafka::{self, Builder, Cluster, Quorum, Roles};
use crate::progress::Progress;

/// Starts the formatted nodes of a cluster and leaves them running. Also returns the id that they were formatted with.
///
/// # Guarantees
/// When this returns a cluster, all its formatted nodes are ready, and [`down`](super::down) finds them, and those that
/// were started since. On an error, or when this process is killed, nothing runs.
pub fn up_kafka(run: &Path, builder: Builder, within: Duration) -> Result<(Running, String), Error> {
    let begin = |run: &Path| {
        let cluster = builder.below(run).prepare()?;
        let progress = Progress::start("formatting the nodes");
        cluster.format()?;
        drop(progress);
        let quorum = if cluster.nodes().iter().any(kafka::Node::is_formatted) {
            let _progress = Progress::start("waiting for the nodes to be ready");
            cluster.start()?;
            cluster.wait_ready(within)?;
            let led = |quorum: &Quorum| quorum.leader.is_some();
            Some(cluster.tools().wait_quorum(within, led)?)
        } else {
            None
        };
        let running = Running {
            store: "Kafka".to_owned(),
            version: cluster.release().to_string(),
            directory: cluster.directory().to_owned(),
            nodes: cluster.nodes().iter().map(|it| node(it, quorum.as_ref())).collect(),
        };
        let id = cluster.id().to_owned();
        Ok((cluster, running, id))
    };
    let leave = |cluster: Cluster| Ok(cluster.leave_running()?);
    up(run, begin, leave)
}

fn node(node: &kafka::Node, quorum: Option<&Quorum>) -> Node {
    let number = node.number();
    let mode = match quorum {
        _ if !node.is_formatted() => "unformatted",
        _ if node.roles() == Roles::Broker => "broker",
        Some(quorum) if quorum.leader == Some(number) => "leader",
        Some(quorum) if quorum.voter_ids().contains(&number) => "voter",
        _ => "observer",
    };
    Node {
        name: node.name().to_owned(),
        process: node.process(),
        client: node.broker_address(),
        member: node.member_address().to_string(),
        mode: mode.to_owned(),
        config: node.config_file(),
        log: node.log_path(),
    }
}

//! `testbed up kafka`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Error, Node, Running, up};
use crate::kafka::{self, Builder, Cluster, Quorum, Roles};
use crate::progress::Progress;

/// What a Kafka cluster has besides what a cluster of every store has.
#[derive(Debug)]
pub struct Besides {
    /// What its formatted nodes were formatted with.
    pub id: String,
    /// What the others have to be formatted with, too: options for `sh`.
    pub format: Vec<String>,
    /// What listens: a title, and an address for each node.
    pub listeners: Vec<(&'static str, Vec<SocketAddr>)>,
    /// Files for those who connect: a title, and the path.
    pub files: Vec<(&'static str, PathBuf)>,
}

/// Starts the formatted nodes of a cluster and leaves them running.
///
/// # Guarantees
/// When this returns a cluster, all its formatted nodes are ready, and [`down`](super::down) finds them, and those that
/// were started since. On an error, or when this process is killed, nothing runs.
pub fn up_kafka(run: &Path, builder: Builder, within: Duration) -> Result<(Running, Besides), Error> {
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
        let besides = besides(&cluster);
        Ok((cluster, running, besides))
    };
    let leave = |cluster: Cluster| Ok(cluster.leave_running()?);
    up(run, begin, leave)
}

fn besides(cluster: &Cluster) -> Besides {
    let all = |address: fn(&kafka::Node) -> SocketAddr| cluster.nodes().iter().map(address).collect();
    let mut besides = Besides {
        id: cluster.id().to_owned(),
        format: cluster.format_options(),
        listeners: Vec::new(),
        files: Vec::new(),
    };
    if cluster.is_secured() {
        besides.listeners = vec![
            ("secure broker", all(kafka::Node::secure_broker_address)),
            ("secure controller", all(kafka::Node::secure_controller_address)),
            ("TLS broker", all(kafka::Node::tls_broker_address)),
        ];
        besides.files = vec![
            ("authority", cluster.authority_file()),
            ("credentials", cluster.credentials_file()),
        ];
    }
    if cluster.has_metrics() {
        besides.listeners.push(("metrics", all(kafka::Node::metrics_address)));
    }
    besides
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

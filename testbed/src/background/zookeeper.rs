//! `testbed up zookeeper`.

use std::path::Path;
use std::time::Duration;

use super::{Error, Node, Running, up};
use crate::progress::Progress;
use crate::zookeeper::{self, Builder, Cluster, Server};

/// Starts an ensemble and leaves it running.
///
/// # Guarantees
/// When this returns a cluster, all its servers serve, and [`down`](super::down) finds them. On an error, or when this
/// process is killed, nothing runs.
pub fn up_zookeeper(run: &Path, builder: Builder, within: Duration) -> Result<Running, Error> {
    let begin = |run: &Path| {
        let cluster = builder.below(run).prepare()?;
        let progress = Progress::start("waiting for the servers to serve");
        cluster.start()?;
        cluster.wait_serving(within)?;
        drop(progress);
        let running = Running {
            store: "ZooKeeper".to_owned(),
            version: cluster.release().to_string(),
            directory: cluster.directory().to_owned(),
            nodes: cluster.servers().iter().map(node).collect::<Result<_, _>>()?,
        };
        Ok((cluster, running, ()))
    };
    let leave = |cluster: Cluster| Ok(cluster.leave_running()?);
    up(run, begin, leave).map(|(running, ())| running)
}

fn node(server: &Server) -> Result<Node, Error> {
    let name = server.name().to_owned();
    let mode = server.wait_serving(Duration::from_secs(5))?.mode().to_owned();
    let process = server.process();
    Ok(Node {
        process: Some(process.ok_or(zookeeper::Error::NotRunning { name: name.clone() })?),
        name,
        client: server.client_address(),
        member: server.server_line(),
        mode,
        config: server.config_file(),
        log: server.log_path(),
    })
}

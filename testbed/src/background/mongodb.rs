//! `testbed up mongodb`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Error, Node, Running, up};
use crate::mongodb::bson::Document;
use crate::mongodb::{self, Builder, Cluster};
use crate::progress::Progress;

/// How the nodes of a MongoDB cluster are come to.
#[derive(Debug)]
pub struct Access {
    /// `--replSet` of the nodes.
    pub set_name: String,
    /// Whether they form the set already.
    pub initiated: bool,
    /// User and password, at a secured cluster. Without a set there is no such user yet.
    pub login: Option<(&'static str, &'static str)>,
    /// Files for those who connect: a title, and the path.
    pub files: Vec<(&'static str, PathBuf)>,
}

/// Starts the nodes of a cluster, makes a set of them if they are to be one, and leaves them running.
///
/// # Guarantees
/// When this returns a cluster, all its nodes answer, those of a set as primary or secondary, and [`down`](super::down)
/// finds them, and those that were started since. On an error, or when this process is killed, nothing runs.
pub fn up_mongodb(run: &Path, builder: Builder, within: Duration) -> Result<(Running, Access), Error> {
    let begin = |run: &Path| {
        let initiated = builder.is_initiated();
        let cluster = builder.below(run).prepare()?;
        let end = Instant::now() + within;
        let progress = Progress::start("waiting for the nodes to answer");
        cluster.start()?;
        cluster.wait_ready(within)?;
        drop(progress);
        if initiated {
            let _progress = Progress::start("making them a set");
            cluster.initiate(end.saturating_duration_since(Instant::now()))?;
        }
        let running = Running {
            store: "MongoDB".to_owned(),
            version: cluster.release().to_string(),
            directory: cluster.directory().to_owned(),
            nodes: cluster.nodes().iter().map(node).collect::<Result<_, _>>()?,
        };
        let access = access(&cluster, initiated);
        Ok((cluster, running, access))
    };
    let leave = |cluster: Cluster| Ok(cluster.leave_running()?);
    up(run, begin, leave)
}

fn access(cluster: &Cluster, initiated: bool) -> Access {
    let secured = cluster.is_secured();
    let files = || {
        vec![
            ("authority", cluster.authority_file()),
            ("certificate", cluster.client_certificate_file()),
            ("key", cluster.key_file()),
            ("credentials", cluster.credentials_file()),
        ]
    };
    Access {
        set_name: cluster.set_name().to_owned(),
        initiated,
        login: secured.then(|| (cluster.root_user(), cluster.root_password())),
        files: secured.then(files).unwrap_or_default(),
    }
}

fn node(node: &mongodb::Node) -> Result<Node, Error> {
    let hello = node.hello(Duration::from_secs(5))?;
    Ok(Node {
        name: node.name().to_owned(),
        process: node.process(),
        client: node.address(),
        member: node.member_address(),
        mode: mode(&hello).to_owned(),
        config: node.start_script(),
        log: node.log_path(),
    })
}

fn mode(hello: &Document) -> &'static str {
    let says = |what| hello.get_bool(what).unwrap_or(false);
    if says("isreplicaset") {
        "blank"
    } else if !hello.contains_key("setName") {
        "alone"
    } else if says("isWritablePrimary") {
        "primary"
    } else {
        "secondary"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mongodb::bson::doc;

    #[test]
    fn a_node_is_what_it_says_of_itself() {
        assert_eq!(
            mode(&doc! { "isreplicaset": true, "isWritablePrimary": false }),
            "blank"
        );
        assert_eq!(mode(&doc! { "isWritablePrimary": true }), "alone");
        assert_eq!(mode(&doc! { "setName": "rs0", "isWritablePrimary": true }), "primary");
        assert_eq!(mode(&doc! { "setName": "rs0", "secondary": true }), "secondary");
    }
}

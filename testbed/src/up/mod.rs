//! `testbed up STORE`: what can be asked for, and what is shown when it is there.

mod kafka;
mod mongodb;
mod zookeeper;

pub(crate) use kafka::Kafka;
pub(crate) use mongodb::MongoDb;
pub(crate) use zookeeper::ZooKeeper;

use testbed::background::Running;

/// The line above the table of nodes.
fn headline(running: &Running) -> String {
    let Running {
        store,
        version,
        directory,
        nodes,
    } = running;
    let count = nodes.len();
    format!(
        "{store} {version}, {count} node{}, in {}",
        plural(count),
        directory.display()
    )
}

pub(crate) fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

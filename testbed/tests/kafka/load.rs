//! Clients that work while a test does something else.

use std::collections::BTreeSet;
use std::io;

use testbed::identity::Identity;
use testbed::kafka::{Cluster, Release};
use testbed::poll;
use testbed::supervision::record;

use super::UP;

fn wait(wanted: impl Fn() -> bool) {
    let seen = poll::until(UP, |_| Ok::<_, io::Error>(wanted().then_some(())));
    assert_eq!(seen.unwrap(), Some(()));
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn what_was_acknowledged_is_read_and_nothing_outlives_the_cluster() {
    for release in Release::ALL {
        let cluster = Cluster::builder(1).release(release).start(UP).unwrap();
        let tools = cluster.tools();
        tools.create_topic("t", &[&[1], &[1], &[1]]).unwrap();
        let producer = tools.producing("t", 200).unwrap();
        wait(|| producer.acknowledged() >= 100);
        let acknowledged = producer.stop().unwrap();
        let consumer = tools.consuming("t").unwrap();
        let ends = tools.end_offsets("t").unwrap();
        assert!(ends.len() == 3 && ends.values().all(|end| *end > 0));
        let all = usize::try_from(ends.values().sum::<u64>()).unwrap();
        wait(|| consumer.consumed() == all);
        let consumed: BTreeSet<_> = consumer.stop().unwrap().into_iter().collect();
        assert!(acknowledged.iter().all(|value| consumed.contains(value)));

        let _left = tools.producing("t", 1).unwrap();
        let running = || {
            let mut processes = record::processes(cluster.directory()).unwrap();
            processes.retain(Identity::is_alive);
            processes
        };
        wait(|| running().len() == 2);
        let processes = running();
        drop(cluster);
        assert!(!processes.iter().any(Identity::is_alive));
    }
}

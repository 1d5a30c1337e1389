//! The testbed's Kafka against real brokers: what the agent's live tests rely on.

#![allow(clippy::unwrap_used, reason = "a test's helpers are tests, too")]

mod load;
mod metrics;
mod secured;

use std::ffi::OsString;
use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use testbed::background;
use testbed::identity::Identity;
use testbed::kafka::{Cluster, Listening, Node, Quorum, Release, Roles, Topic, Voters};
use testbed::poll;
use testbed::supervision::record;

/// Three nodes are ready after 5 s on an idle machine; a restarted one may wait 9 s for its own old session to expire.
const UP: Duration = Duration::from_secs(120);

/// What `up` leaves running ends with the test, should it fail before it says `down`.
struct Place(tempfile::TempDir);

impl Drop for Place {
    fn drop(&mut self) {
        // Usually nothing is up any more.
        let _ = background::down(self.0.path());
    }
}

/// As an agent runs a command that it was configured with.
fn run(command: &[OsString], more: &[&str]) {
    let output = Command::new(&command[0])
        .args(&command[1..])
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn three_nodes_vote_and_lose_one() {
    for release in Release::ALL {
        let cluster = Cluster::builder(3).release(release).start(UP).unwrap();
        let tools = cluster.tools();
        let quorum = tools.wait_quorum(UP, |quorum| quorum.leader.is_some()).unwrap();
        assert_eq!((quorum.voter_ids(), quorum.observer_ids()), (vec![1, 2, 3], vec![]));
        assert_eq!(quorum.cluster_id, cluster.id());
        tools.create_topic("t", &[&[1, 2, 3], &[2, 3, 1]]).unwrap();
        tools.produce("t", 500).unwrap();
        assert_eq!(tools.end_offsets("t").unwrap().values().sum::<u64>(), 500);

        let leader = cluster.node(quorum.leader.unwrap()).unwrap();
        let before = leader.process().unwrap();
        leader.kill().unwrap();
        assert!(!leader.is_running() && !before.is_alive());
        let elected = |quorum: &Quorum| quorum.leader.is_some_and(|next| next != leader.number());
        let next = tools.wait_quorum(UP, elected).unwrap();
        assert!(next.epoch > quorum.epoch);
        assert_eq!(next.voter_ids(), [1, 2, 3], "a dead voter is still one");
        let fenced = |topic: &Topic| topic.partitions.iter().all(|it| !it.isr.contains(&leader.number()));
        let topic = tools.wait_topic("t", UP, fenced).unwrap();
        assert!(
            topic
                .partitions
                .iter()
                .all(|it| it.leader.is_some() && it.replicas.len() == 3)
        );

        leader.start().unwrap();
        leader.wait_ready(UP).unwrap();
        let whole = |topic: &Topic| topic.partitions.iter().all(|it| it.isr.len() == 3);
        tools.wait_topic("t", UP, whole).unwrap();
        assert_eq!(tools.consume("t", 500).unwrap().len(), 500);
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn an_unformatted_node_joins_by_the_commands_it_offers() {
    for release in Release::ALL {
        let cluster = Cluster::builder(2).release(release).unformatted([2]).start(UP).unwrap();
        let (first, second) = (cluster.node(1).unwrap(), cluster.node(2).unwrap());
        assert!(first.is_running() && !second.is_formatted() && !second.is_running());
        run(
            &second.format_command(),
            &["--cluster-id", cluster.id(), "--no-initial-controllers"],
        );
        assert!(second.is_formatted());
        run(&second.start_command(), &[]);
        let process = second.process().unwrap();
        second.wait_ready(UP).unwrap();
        let again = second.start().unwrap_err().to_string();
        assert_eq!(again, "kafka-2 runs already");
        let observes = cluster.tools().quorum().unwrap();
        assert_eq!((observes.voter_ids(), observes.observer_ids()), (vec![1], vec![2]));
        cluster.tools().add_controller(second).unwrap();
        assert_eq!(cluster.tools().quorum().unwrap().voter_ids(), [1, 2]);
        // Ends what it has not started itself.
        drop(cluster);
        assert!(!process.is_alive());
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn the_first_node_of_all_is_formatted_by_the_command_it_offers() {
    let cluster = Cluster::builder(2).unformatted([1, 2]).start(UP).unwrap();
    let first = cluster.node(1).unwrap();
    first.start().unwrap();
    first.wait_exit(UP).unwrap();
    let log = first.log_tail(40);
    assert!(log.contains("No readable meta.properties files found"), "{log}");
    run(&first.format_command(), &["--cluster-id", cluster.id(), "--standalone"]);
    run(&first.start_command(), &[]);
    first.wait_ready(UP).unwrap();
    assert_eq!(cluster.tools().quorum().unwrap().voter_ids(), [1]);
    first.stop().unwrap();
    first.wipe().unwrap();
    assert!(!first.is_formatted());
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn a_paused_node_is_silent_then_fenced_and_a_resumed_one_is_ready() {
    let cluster = Cluster::builder(2).voters(Voters::First).start(UP).unwrap();
    let (first, second) = (cluster.node(1).unwrap(), cluster.node(2).unwrap());
    second.pause().unwrap();
    assert!(second.is_running());
    let asked = Listening(second.broker_address()).answers(Duration::from_millis(300));
    assert_eq!(asked.unwrap_err().kind(), io::ErrorKind::TimedOut);
    let fenced = |left| {
        Listening(first.broker_address())
            .brokers(left)
            .map(|ids| (ids == [1]).then_some(()))
    };
    assert_eq!(poll::until(UP, fenced).unwrap(), Some(()));
    // The tools leave it alone.
    assert_eq!(cluster.tools().quorum().unwrap().leader, Some(1));
    second.resume().unwrap();
    second.wait_ready(UP).unwrap();
    assert_eq!(Listening(first.broker_address()).brokers(UP).unwrap().len(), 2);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn brokers_and_controllers_may_be_processes_of_their_own() {
    for release in Release::ALL {
        let cluster = Cluster::builder(2)
            .release(release)
            .roles(1, Roles::Controller)
            .roles(2, Roles::Broker)
            .rack(2, "far")
            .start(UP)
            .unwrap();
        let quorum = cluster.tools().quorum().unwrap();
        assert_eq!((quorum.voter_ids(), quorum.observer_ids()), (vec![1], vec![2]));
        cluster.tools().create_topic("t", &[&[2]]).unwrap();
        assert_eq!(cluster.tools().topic("t").unwrap().partitions[0].leader, Some(2));
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn a_node_that_cannot_start_says_why() {
    let error = Cluster::builder(1)
        .node_config(1, "broker.session.timeout.ms=soon")
        .start(UP)
        .unwrap_err()
        .to_string();
    assert!(error.contains("kafka-1") && error.contains("soon"), "{error}");
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn a_dropped_cluster_leaves_neither_processes_nor_files() {
    let cluster = Cluster::builder(2).start(UP).unwrap();
    let processes: Vec<_> = cluster.nodes().iter().filter_map(Node::process).collect();
    let directory = cluster.directory().to_owned();
    cluster.node(2).unwrap().pause().unwrap();
    drop(cluster);
    assert_eq!(processes.len(), 2);
    assert!(!processes.iter().any(Identity::is_alive) && !directory.exists());
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn a_panic_keeps_the_logs_and_ends_the_nodes() {
    let cluster = Cluster::builder(1).start(UP).unwrap();
    let (node, directory) = (cluster.node(1).unwrap(), cluster.directory().to_owned());
    let (process, log) = (node.process().unwrap(), node.log_path());
    let failing = std::thread::spawn(move || {
        let _cluster = cluster;
        panic!("on purpose: what follows are the logs that a failing test shows");
    });
    failing.join().unwrap_err();
    assert!(!process.is_alive() && log.exists());
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn up_leaves_nodes_that_down_ends_with_those_started_since() {
    let place = Place(tempfile::tempdir().unwrap());
    let run = place.0.path();
    let testbed = env!("CARGO_BIN_EXE_testbed");
    let up = Command::new(testbed)
        .args(["up", "kafka", "--nodes", "2", "--unformatted", "2", "--dir"])
        .arg(run)
        .output()
        .unwrap();
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    let printed = String::from_utf8(up.stdout).unwrap();
    let row = printed.lines().find(|line| line.starts_with("kafka-1")).unwrap();
    let broker = Listening(row.split_ascii_whitespace().nth(1).unwrap().parse().unwrap());
    assert_eq!(broker.brokers(UP).unwrap(), [1]);
    // What it prints for the second node, as a person would type it: the second part until it has caught up.
    let mut lines = printed.lines();
    let mut commands_after = |line: &str| {
        lines.find(|printed| printed.starts_with(line)).unwrap();
        let commands = lines.by_ref().take_while(|line| line.starts_with("  "));
        commands.collect::<Vec<_>>().join("\n")
    };
    let place = commands_after("To try:").lines().take(2).collect::<Vec<_>>().join("\n");
    let join = commands_after("kafka-2 is not formatted");
    let vote = commands_after("Once it has caught up");
    let shell = |commands: &str| {
        Command::new("sh")
            .args(["-ec", &format!("{place}\n{commands}")])
            .output()
    };
    let joined = shell(&join).unwrap();
    assert!(joined.status.success(), "{join}: {joined:?}");
    let added = |_| shell(&vote).map(|said| said.status.success().then_some(said.stdout));
    let said = poll::until(UP, added).unwrap().unwrap();
    assert!(
        String::from_utf8_lossy(&said).contains("Added controller 2"),
        "{said:?}"
    );
    assert_eq!(background::down(run).unwrap(), 2);
    assert!(broker.brokers(UP).is_err());
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn up_that_is_killed_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let mut up = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(["up", "kafka", "--nodes", "2", "--dir"])
        .arg(place.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Two nodes are on record, so they run; the command still waits for them.
    let started = || {
        let entries = std::fs::read_dir(place.path()).ok()?.flatten();
        let cluster = entries.map(|entry| entry.path()).find(|path| path.is_dir())?;
        let processes = record::processes(&cluster).ok()?;
        (processes.len() == 2).then_some((cluster, processes))
    };
    let (cluster, processes) = poll::until(UP, |_| Ok::<_, io::Error>(started())).unwrap().unwrap();
    up.kill().unwrap();
    up.wait().unwrap();
    let removed = poll::until(UP, |_| Ok::<_, io::Error>((!cluster.exists()).then_some(())));
    assert_eq!(removed.unwrap(), Some(()));
    assert!(!processes.iter().any(Identity::is_alive));
    assert!(matches!(
        background::down(place.path()),
        Err(background::Error::NotUp { .. })
    ));
}

#[test]
fn what_is_asked_for_wrongly_is_refused_with_what_there_is() {
    let said = |arguments: &[&str]| {
        let place = tempfile::tempdir().unwrap();
        let mut up = Command::new(env!("CARGO_BIN_EXE_testbed"));
        up.args(["up", "kafka"]).args(arguments).arg("--dir").arg(place.path());
        let output = up.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let version = said(&["--version", "4.3.1"]);
    assert!(version.contains("known are 3.9.2 and 4.3.0"), "{version}");
    let number = said(&["--unformatted", "2,7"]);
    assert_eq!(number, "testbed: there is no node 7: there are 1, 2, 3\n");
}

//! The testbed against real servers: what the agents' live tests rely on.

use std::io;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use testbed::background;
use testbed::identity::Identity;
use testbed::poll;
use testbed::zookeeper::{Cluster, Error, Layout, Release, Server, four_letter};

const UP: Duration = Duration::from_secs(60);

fn gone(process: &Identity) -> bool {
    poll::until(Duration::from_secs(20), |_| {
        Ok::<_, io::Error>((!process.is_alive()).then_some(()))
    })
    .is_ok_and(|gone| gone.is_some())
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn an_ensemble_survives_the_loss_of_its_leader() {
    for release in Release::ALL {
        let cluster = Cluster::builder(3).release(release).start(UP).unwrap();
        let leader = cluster.wait_leader(UP).unwrap();
        let before = leader.process().unwrap();
        leader.kill().unwrap();
        assert!(!leader.is_running() && gone(&before));
        let next = cluster.wait_leader(UP).unwrap();
        assert_ne!(next.name(), leader.name());
        leader.restart().unwrap();
        let srvr = leader.wait_mode("follower", UP).unwrap();
        assert!(srvr.text().contains(release.version()), "{}", srvr.text());
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn a_paused_server_is_silent_and_a_resumed_one_serves() {
    let cluster = Cluster::builder(1).layout(Layout::Standalone).start(UP).unwrap();
    let server = cluster.server("zk-1").unwrap();
    server.pause().unwrap();
    let error = four_letter(server.client_address(), "srvr", Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(server.is_running());
    server.resume().unwrap();
    assert_eq!(server.wait_serving(UP).unwrap().mode(), "standalone");
    server.stop().unwrap();
    assert!(server.exit_status().is_some());
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn outside_the_ensemble_a_server_serves_and_does_not_come_back_by_itself() {
    let cluster = Cluster::builder(2).layout(Layout::Blank).start(UP).unwrap();
    let (first, outside) = (cluster.server("zk-1").unwrap(), cluster.server("zk-2").unwrap());
    assert_eq!(first.wait_serving(UP).unwrap().mode(), "leader");
    outside.restart().unwrap();
    let ended = outside.wait_serving(UP);
    assert!(
        matches!(&ended, Err(Error::Ended { log, .. }) if log.contains("not in the peer list")),
        "{ended:?}"
    );
    outside.configure_joiner(&[first.server_line()]).unwrap();
    outside.start().unwrap();
    outside.wait_serving(UP).unwrap();
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn a_dropped_cluster_leaves_neither_processes_nor_files() {
    let cluster = Cluster::builder(2).start(UP).unwrap();
    let processes: Vec<_> = cluster.servers().iter().filter_map(Server::process).collect();
    let directory = cluster.directory().to_owned();
    cluster.server("zk-2").unwrap().pause().unwrap();
    drop(cluster);
    assert_eq!(processes.len(), 2);
    assert!(processes.iter().all(|process| !process.is_alive()));
    assert!(!directory.exists());
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn a_panic_keeps_the_logs_and_ends_the_servers() {
    let cluster = Cluster::builder(1).start(UP).unwrap();
    let (server, directory) = (cluster.server("zk-1").unwrap(), cluster.directory().to_owned());
    let (process, log) = (server.process().unwrap(), server.log_path());
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
fn a_server_that_cannot_start_says_why() {
    let error = Cluster::builder(1)
        .server_config("zk-1", "tickTime=soon")
        .start(UP)
        .unwrap_err()
        .to_string();
    assert!(error.contains("zk-1 has ended") && error.contains("soon"), "{error}");
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn up_leaves_servers_that_down_ends() {
    let run = tempfile::tempdir().unwrap();
    let testbed = env!("CARGO_BIN_EXE_testbed");
    let up = Command::new(testbed)
        .args(["up", "zookeeper", "--nodes", "2", "--dir"])
        .arg(run.path())
        .output()
        .unwrap();
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    let printed = String::from_utf8(up.stdout).unwrap();
    let row = printed.lines().find(|line| line.starts_with("zk-2")).unwrap();
    let client: SocketAddr = row.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(four_letter(client, "srvr", UP).unwrap().contains("Mode: "));
    assert_eq!(background::down(run.path()).unwrap(), 2);
    assert!(four_letter(client, "srvr", UP).is_err());
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test"]
fn up_that_is_killed_leaves_nothing() {
    let run = tempfile::tempdir().unwrap();
    let mut up = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .args(["up", "zookeeper", "--nodes", "2", "--dir"])
        .arg(run.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Two servers have written to their logs, so they run; the command still waits for them.
    let logs = || {
        let found = std::fs::read_dir(run.path())
            .ok()?
            .flatten()
            .find(|entry| entry.path().is_dir())?;
        ["zk-1", "zk-2"]
            .iter()
            .all(|name| found.path().join(name).join("server.log").exists())
            .then_some(found.path())
    };
    let cluster = poll::until(UP, |_| Ok::<_, io::Error>(logs())).unwrap().unwrap();
    up.kill().unwrap();
    up.wait().unwrap();
    let removed = poll::until(UP, |_| Ok::<_, io::Error>((!cluster.exists()).then_some(())));
    assert_eq!(removed.unwrap(), Some(()));
    // The lock of the run directory is free again, and nothing is recorded.
    assert!(matches!(
        background::down(run.path()),
        Err(background::Error::NotUp { .. })
    ));
}

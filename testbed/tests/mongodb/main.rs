//! The testbed's MongoDB against real servers: what the agent's live tests rely on.

#![allow(clippy::unwrap_used, reason = "a test's helpers are tests, too")]

mod up;

use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use testbed::identity::Identity;
use testbed::mongodb::bson::doc;
use testbed::mongodb::{Cluster, Error, Node, Release};
use testbed::poll;

/// A set of three is initiated in 3 s on an idle machine; after a loss it elects in ten.
const UP: Duration = Duration::from_secs(60);

#[test]
#[ignore = "needs Python, pip and the package registry: cargo live-test"]
fn blank_nodes_of_every_release_answer_and_wait() {
    for release in Release::ALL {
        let cluster = Cluster::builder(2).release(release).standalone(2).start(UP).unwrap();
        let (blank, alone) = (cluster.node(1).unwrap(), cluster.node(2).unwrap());
        let hello = blank.hello(UP).unwrap();
        assert!(hello.get_bool("isreplicaset").unwrap(), "{hello}");
        assert_eq!(blank.status().unwrap_err().code(), Some(94));
        assert_eq!(alone.status().unwrap_err().code(), Some(76));
        let version = alone.command("admin", doc! { "buildInfo": 1 }).unwrap();
        assert_eq!(version.get_str("version").unwrap(), release.version());
        let printed = Command::new(cluster.mongod()).arg("--version").output().unwrap();
        assert!(String::from_utf8_lossy(&printed.stdout).contains(release.version()));
        // As an agent would.
        let config = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": blank.member_address() }] };
        blank.command("admin", doc! { "replSetInitiate": config }).unwrap();
        assert_eq!(cluster.primary(UP).unwrap().name(), "mongo-1");
    }
}

#[test]
#[ignore = "needs Python, pip and the package registry: cargo live-test"]
fn a_set_replicates_grows_and_loses_its_primary() {
    let begun = Instant::now();
    let cluster = Cluster::builder(4).outside([4]).initiated().start(UP).unwrap();
    eprintln!("initiated after {:?}", begun.elapsed());
    let (first, fourth) = (cluster.primary(UP).unwrap(), cluster.node(4).unwrap());
    assert_eq!(first.name(), "mongo-1");
    assert_eq!(first.config().unwrap().get_array("members").unwrap().len(), 3);
    cluster.write(100, true).unwrap();
    cluster.add(fourth, UP).unwrap();
    assert_eq!(fourth.state().unwrap(), 2);
    eprintln!("added after {:?}", begun.elapsed());
    let count = |node: &Node| node.command("testbed", doc! { "count": "writes" }).unwrap();
    assert_eq!(count(fourth).get_i32("n").unwrap(), 100);
    first.kill().unwrap();
    assert!(!first.is_running());
    let next = cluster.primary(UP).unwrap();
    assert_ne!(next.name(), first.name());
    eprintln!("elected after {:?}", begun.elapsed());
    cluster.write(10, true).unwrap();
    first.wipe().unwrap();
    first.start().unwrap();
    first.wait_member(UP).unwrap();
    assert_eq!(count(first).get_i32("n").unwrap(), 110);
    eprintln!("back after {:?}", begun.elapsed());
}

#[test]
#[ignore = "needs Python, pip and the package registry: cargo live-test"]
fn a_paused_node_gives_an_error_in_time_and_a_resumed_one_answers() {
    let cluster = Cluster::builder(1).initiated().start(UP).unwrap();
    let node = cluster.node(1).unwrap();
    node.pause().unwrap();
    let asked = Instant::now();
    let silent = node.status().unwrap_err();
    assert!(asked.elapsed() < Duration::from_secs(10), "{silent}");
    assert!(silent.code().is_none() && node.is_running());
    node.resume().unwrap();
    node.wait_member(UP).unwrap();
    node.restart().unwrap();
    node.wait_member(UP).unwrap();
    assert_eq!(cluster.primary(UP).unwrap().name(), "mongo-1");
}

#[test]
#[ignore = "needs Python, pip and the package registry: cargo live-test"]
fn a_secured_set_lets_in_who_logs_in() {
    for release in Release::ALL {
        let cluster = Cluster::builder(2)
            .release(release)
            .secured()
            .initiated()
            .start(UP)
            .unwrap();
        let primary = cluster.primary(UP).unwrap();
        let stranger = primary.anonymous_command("admin", doc! { "replSetGetStatus": 1 });
        assert_eq!(stranger.unwrap_err().code(), Some(13));
        assert_eq!(primary.state().unwrap(), 1);
        cluster.write(10, true).unwrap();
        let user = doc! {
            "createUser": cluster.client_subject(),
            "roles": [{ "role": "clusterMonitor", "db": "admin" }],
        };
        primary.command("$external", user).unwrap();
        let tls = format!(
            "mongodb://{}/?directConnection=true&tls=true&tlsCAFile={}&tlsCertificateKeyFile={}&authMechanism=MONGODB-X509",
            primary.address(),
            cluster.authority_file().display(),
            cluster.client_certificate_file().display()
        );
        let status = testbed::mongodb::run(async move {
            let client = mongodb::Client::with_uri_str(tls).await?;
            client
                .database("admin")
                .run_command(doc! { "replSetGetStatus": 1 })
                .await
        });
        assert_eq!(status.unwrap().unwrap().get_i32("myState").unwrap(), 1);
    }
}

#[test]
#[ignore = "needs Python, pip and the package registry: cargo live-test"]
fn a_secured_node_has_no_user_until_somebody_makes_one() {
    let cluster = Cluster::builder(1).secured().start(UP).unwrap();
    let node = cluster.node(1).unwrap();
    // By the localhost exception, as an agent would.
    let config = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": node.member_address() }] };
    node.anonymous_command("admin", doc! { "replSetInitiate": config })
        .unwrap();
    cluster.primary(UP).unwrap();
    assert!(cluster.write(1, true).is_err());
    cluster.create_root().unwrap();
    cluster.create_root().unwrap();
    cluster.write(1, true).unwrap();
}

#[test]
#[ignore = "needs Python, pip and the package registry: cargo live-test"]
fn a_node_that_cannot_start_says_why() {
    let error = Cluster::builder(1)
        .node_arguments(1, &["--oplogSize=soon"])
        .start(UP)
        .unwrap_err();
    let said = error.to_string();
    assert!(
        matches!(error, Error::Ended { .. }) && said.contains("oplogSize"),
        "{said}"
    );
}

#[test]
#[ignore = "needs Python, pip and the package registry: cargo live-test"]
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
#[ignore = "needs Python, pip and the package registry: cargo live-test"]
fn a_node_is_started_by_the_command_it_offers_and_only_once() {
    let cluster = Cluster::builder(1).prepare().unwrap();
    let node = cluster.node(1).unwrap();
    let started = Command::new(node.start_script()).status().unwrap();
    assert!(started.success());
    node.wait_ready(UP).unwrap();
    let process = node.process().unwrap();
    assert_eq!(node.start().unwrap_err().to_string(), "mongo-1 runs already");
    drop(cluster);
    let gone = |_| Ok::<_, io::Error>((!process.is_alive()).then_some(()));
    assert_eq!(poll::until(UP, gone).unwrap(), Some(()));
}

//! Line 6: what goes wrong, and what is said of it: refused for good, or tried again until the action's deadline.

use std::io::Write;
use std::net::TcpListener;
use std::process::Command;

use agent_kafka::config::Process;
use agent_sdk::client::{Schedule, wait};
use agent_sdk::spec::NodeState;
use serde_json::{Value, json};
use testbed::kafka::{Cluster, Roles, Voters};

use crate::rig::{
    ADD, INIT, JOIN, REMOVE, Rig, UP, await_state, by_member_address, done, failed, run, run_within, settings, start,
    until,
};

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_6_another_cluster_is_not_joined_and_nothing_is_formatted_over() {
    let rig = Rig::start(Cluster::builder(1));
    let other = Rig::start(Cluster::builder(2).unformatted([2]));
    await_state(rig.agent(1), NodeState::Healthy);
    let theirs = by_member_address(other.agent(1));
    // A node of one cluster is told to join another, is added to another, is initialised anew.
    let (code, message) = failed(&run(rig.agent(1).client(), JOIN, &theirs));
    assert_eq!(code, "other_cluster", "{message}");
    assert!(
        message.contains(rig.cluster.id()) && message.contains(other.cluster.id()),
        "{message}"
    );
    let (code, message) = failed(&run(rig.agent(1).client(), ADD, &theirs));
    assert_eq!(code, "other_cluster", "{message}");
    let (code, _) = failed(&run(
        rig.agent(1).client(),
        INIT,
        &json!({"cluster_id": other.cluster.id()}),
    ));
    assert_eq!(code, "other_cluster");
    let (code, message) = failed(&run(rig.agent(1).client(), INIT, &json!({"cluster_id": "my-cluster"})));
    assert_eq!(code, "bad_cluster_id", "{message}");
    // A member that nobody can reach, and one that never answers: tried again until the deadline.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for address in ["127.0.0.1:1".to_owned(), silent.local_addr().unwrap().to_string()] {
        let record = run_within(other.agent(2).client(), JOIN, &json!({"node": address}), 3);
        let (code, message) = failed(&record);
        assert!(
            message.contains("member_unreachable") || code == "member_unreachable",
            "{code}: {message}"
        );
        assert!(message.contains(&address), "{message}");
        assert!(record.attempt > 1, "it was tried again: {record:?}");
    }
    assert!(!other.node(2).is_formatted(), "nothing was begun");
    let (code, _) = failed(&run(other.agent(2).client(), JOIN, &json!({"node": "kafka-1"})));
    assert_eq!(code, "node_unresolved");
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_6_voters_are_not_changed_where_that_would_hurt() {
    let rig = Rig::start(Cluster::builder(3).voters(Voters::First).roles(3, Roles::Broker));
    await_state(rig.agent(1), NodeState::Healthy);
    await_state(rig.agent(3), NodeState::Healthy);
    let client = rig.agent(1).client();
    // The only voter stays; a living broker stays; so does a combined node as a whole, its vote included.
    let (code, message) = failed(&run(client, REMOVE, &json!({"node": "1", "roles": ["controller"]})));
    assert_eq!(code, "last_voter", "{message}");
    let added = done(&run(client, ADD, &by_member_address(rig.agent(2))));
    assert_eq!((&added["voter"], &added["changed"]), (&json!(true), &json!(true)));
    await_state(rig.agent(2), NodeState::Healthy);
    for node in ["2", "3"] {
        let (code, message) = failed(&run(client, REMOVE, &json!({"node": node})));
        assert_eq!(code, "broker_alive", "{message}");
    }
    assert_eq!(rig.cluster.tools().quorum().unwrap().voter_ids(), [1, 2]);
    // Its vote alone can be taken, also from a node that lives, and given back.
    let removed = done(&run(client, REMOVE, &json!({"node": "2", "roles": ["controller"]})));
    assert_eq!(removed["voters"], json!([1]));
    await_state(rig.agent(2), NodeState::LeavingCluster);
    done(&run(rig.agent(2).client(), JOIN, &by_member_address(rig.agent(1))));
    await_state(rig.agent(2), NodeState::Healthy);
    // A broker that needs no adding, and one that holds replicas.
    let broker = done(&run(client, ADD, &by_member_address(rig.agent(3))));
    assert_eq!((&broker["voter"], &broker["changed"]), (&json!(false), &json!(false)));
    rig.cluster.tools().create_topic("orders", &[&[3, 1]]).unwrap();
    rig.node(3).kill().unwrap();
    let (code, message) = failed(&run(client, REMOVE, &json!({"node": "3", "strict": true})));
    assert!(code == "holds_replicas" && message.contains("orders/0"), "{message}");
    let removed = done(&run(client, REMOVE, &json!({"node": "3"})));
    assert_eq!(
        (&removed["replicas_left"], &removed["changed"]),
        (&json!(1), &json!(true))
    );
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_6_a_disk_that_was_replaced_is_told_from_the_voter_that_it_was() {
    let rig = Rig::three();
    for agent in &rig.agents {
        await_state(agent, NodeState::Healthy);
    }
    let member = by_member_address(rig.agent(1));
    rig.node(3).stop().unwrap();
    rig.node(3).wipe().unwrap();
    await_state(rig.agent(3), NodeState::NotInCluster);
    // It is formatted and started, and the voter of its name has another directory.
    let (code, message) = failed(&run(rig.agent(3).client(), JOIN, &member));
    assert_eq!(code, "other_directory", "{message}");
    let vote = json!({"node": "3", "roles": ["controller"]});
    assert_eq!(
        done(&run(rig.agent(1).client(), REMOVE, &vote))["voters"],
        json!([1, 2])
    );
    let joined = done(&run(rig.agent(3).client(), JOIN, &member));
    assert_eq!((&joined["voter"], &joined["broker"]), (&json!(true), &json!(true)));
    let quorum = rig.cluster.tools().quorum().unwrap();
    assert_eq!(
        (quorum.voter_ids(), quorum.voters.len()),
        (vec![1, 2, 3], 3),
        "{quorum:?}"
    );
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_6_without_a_majority_a_change_waits_for_one() {
    let rig = Rig::three();
    for agent in &rig.agents {
        await_state(agent, NodeState::Healthy);
    }
    rig.node(2).kill().unwrap();
    rig.node(3).kill().unwrap();
    await_state(rig.agent(1), NodeState::Unhealthy);
    let client = rig.agent(1).client();
    let record = run_within(client, REMOVE, &json!({"node": "3"}), 8);
    let (code, message) = failed(&record);
    println!("{code}: {message} ({} attempts)", record.attempt);
    assert!(
        message.contains("no_quorum") || code == "no_quorum",
        "{code}: {message}"
    );
    // The same once more, and this time a majority comes back.
    let id = wait(client.schedule(&Schedule::new(REMOVE).with_args(&json!({"node": "3"}))))
        .unwrap()
        .id;
    until("it to be tried", || wait(client.record(id)).unwrap().attempt > 1);
    rig.node(2).start().unwrap();
    let removed = done(&wait(client.ended(id, UP)).unwrap());
    assert_eq!(
        (&removed["voters"], &removed["changed"]),
        (&json!([1, 2]), &json!(true))
    );
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_6_voters_that_are_laid_down_stay_as_they_are() {
    let cluster = Cluster::builder(1).prepare().unwrap();
    let node = cluster.node(1).unwrap();
    let voters = format!("controller.quorum.voters=1@{}\n", node.controller_address());
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(node.config_file())
        .unwrap();
    file.write_all(voters.as_bytes()).unwrap();
    let format = node.format_command();
    // Neither --standalone nor --no-initial-controllers goes with it.
    let formatted = Command::new(&format[0])
        .args(&format[1..])
        .args(["--cluster-id", cluster.id()])
        .output()
        .unwrap();
    assert!(formatted.status.success(), "{formatted:?}");
    node.start().unwrap();
    let agent = start(settings(node));
    await_state(&agent, NodeState::Healthy);
    let (code, message) = failed(&run(
        agent.client(),
        REMOVE,
        &json!({"node": "1", "roles": ["controller"]}),
    ));
    assert_eq!(code, "static_voters", "{message}");
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn what_is_not_configured_is_named() {
    let cluster = Cluster::builder(1).unformatted([1]).prepare().unwrap();
    let node = cluster.node(1).unwrap();
    let refused = |change: &dyn Fn(&mut Process)| {
        let mut process = settings(node);
        change(&mut process);
        failed(&run(start(process).client(), INIT, &Value::Null))
    };
    let (code, message) = refused(&|process| process.log_directories = Vec::new());
    assert!(
        code == "not_configured" && message.contains("store.log_directories"),
        "{message}"
    );
    let (code, message) = refused(&|process| process.format_command = Vec::new());
    assert!(
        code == "not_configured" && message.contains("store.format_command"),
        "{message}"
    );
    assert!(!node.is_formatted());
}

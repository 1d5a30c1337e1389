//! What an agent costs its server: connections, and commands while nobody asks.

use agent_sdk::client::{Schedule, wait};
use agent_sdk::spec::NodeState;
use serde_json::json;
use testbed::mongodb::bson::{Document, doc};
use testbed::mongodb::{Cluster, Node};

use crate::rig::{ADD, Rig, UP, await_state, node, until};

/// As many as an agent may have at its server, or at any.
const MOST: usize = 4;

/// Connections of agents to a server.
fn connections(node: &Node) -> usize {
    let pipeline = [
        doc! { "$currentOp": { "allUsers": true, "idleConnections": true } },
        doc! { "$match": { "appName": "agent-mongodb" } },
    ];
    let command = doc! { "aggregate": 1, "pipeline": pipeline.to_vec(), "cursor": {} };
    let answer = node.command("admin", command).unwrap();
    answer
        .get_document("cursor")
        .unwrap()
        .get_array("firstBatch")
        .unwrap()
        .len()
}

#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn an_agent_holds_few_connections_also_while_it_changes_the_set() {
    let source = ["--setParameter", "initialSyncSourceReadPreference=secondary"];
    let rig = Rig::start(Cluster::builder(2).outside([2]).initiated().node_arguments(2, &source));
    for _ in 0..20 {
        node(rig.agent(1));
    }
    let idle = connections(rig.node(1));
    assert!((1..=MOST).contains(&idle), "{idle}");
    // One that takes long, beside the primary: the new member cannot begin its copy.
    let schedule = Schedule::new(ADD).with_args(&rig.named(2));
    let id = wait(rig.client(1).schedule(&schedule)).unwrap().id;
    await_state(rig.agent(2), NodeState::JoiningCluster);
    let mut most = 0;
    let mut looks = 0;
    until("it has looked a while", || {
        node(rig.agent(1));
        most = most.max(connections(rig.node(1)));
        looks += 1;
        looks > 20
    });
    println!("{idle} connections while nothing is done, {most} at most while something is");
    assert!(most <= MOST, "{most}");
    wait(rig.client(1).cancel(id)).unwrap();
    wait(rig.client(1).ended(id, UP)).unwrap();
}

/// How often a server was asked what looks ask.
fn asked(node: &Node) -> i64 {
    let answer = node.command("admin", doc! { "serverStatus": 1 }).unwrap();
    let commands = answer
        .get_document("metrics")
        .unwrap()
        .get_document("commands")
        .unwrap();
    let total = |command: &Document| command.get_i64("total").unwrap();
    total(commands.get_document("replSetGetStatus").unwrap())
}

/// An agent asks when it is asked, and not by itself: in the time of a write that the idle server makes by itself, nothing.
#[test]
#[ignore = "needs real servers: cargo live-test mongodb"]
fn an_agent_that_nobody_asks_asks_nothing() {
    let rig = Rig::start(Cluster::builder(1).initiated());
    await_state(rig.agent(1), NodeState::Healthy);
    let before = asked(rig.node(1));
    // Not by what the agent shows: that would be asking.
    let written = || {
        let answer = rig
            .node(1)
            .command("admin", doc! { "serverStatus": 1, "oplog": 1 })
            .unwrap();
        answer
            .get_document("oplog")
            .unwrap()
            .get_timestamp("latestOptime")
            .unwrap()
    };
    let latest = written();
    until("the server writes by itself", || written() > latest);
    assert_eq!(asked(rig.node(1)), before);
    assert_eq!(json!(node(rig.agent(1)).node_status), "HEALTHY");
    assert!(asked(rig.node(1)) > before, "that was a look");
}

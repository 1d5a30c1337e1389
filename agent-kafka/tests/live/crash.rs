//! Line 2: an agent that is killed at each of its checkpoints goes on, and what it does is done once.

use agent_sdk::client::{Client, Record, Schedule, wait};
use agent_sdk::spec::NodeState;
use serde_json::{Value, json};
use testbed::agent::{Program, killed_at_each_step};
use testbed::kafka::{Cluster, Topic, Voters};

use crate::rig::{ADD, DRAIN, ELECT, INIT, JOIN, REMOVE, UP, done, settings, until};

/// The kind of the last step that was made durable.
fn step(record: &Record) -> Option<String> {
    let payload: Value = serde_json::from_str(record.state_payload.as_ref()?.get()).unwrap();
    let mut step = &payload["step"];
    let mut name = step.as_str().map(str::to_owned);
    // {"up": {"format": …}}, {"up": "start"}, {"add_voter": …}; an action of one kind of step has just its fields.
    while let Some((key, value)) = step.as_object().and_then(|object| object.iter().next()) {
        name = Some(key.clone());
        if key != "up" {
            break;
        }
        step = value;
        name = step.as_str().map(str::to_owned).or(name);
    }
    name
}

fn info(client: &Client) -> NodeState {
    wait(client.node()).unwrap().node_status
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_2_killed_at_each_checkpoint_everything_is_done_once() {
    let cluster = Cluster::builder(3).unformatted([1, 2, 3]).prepare().unwrap();
    let program = |number| {
        let node = cluster.node(number).unwrap();
        Program::new(env!("CARGO_BIN_EXE_agent-kafka"), &settings(node)).unwrap()
    };
    let (mut first, mut second, mut third) = (program(1), program(2), program(3));

    let (record, killed) = killed_at_each_step(&mut first, INIT, &Value::Null, step);
    let initialised = done(&record);
    println!("init: killed at {killed:?}, attempt {}: {initialised}", record.attempt);
    assert_eq!(killed, ["format", "start"]);
    assert_eq!(initialised["voters"], json!([1]));

    let member = json!({"node": cluster.node(1).unwrap().member_address().to_string()});
    for (number, joiner) in [(2, &mut second), (3, &mut third)] {
        let (record, killed) = killed_at_each_step(joiner, JOIN, &member, step);
        let joined = done(&record);
        println!("join: killed at {killed:?}, attempt {}: {joined}", record.attempt);
        assert_eq!(killed, ["format", "start", "add_voter"]);
        assert_eq!((&joined["voter"], &joined["node_id"]), (&json!(true), &json!(number)));
    }
    let quorum = cluster.tools().quorum().unwrap();
    assert_eq!(
        (quorum.voter_ids(), json!(quorum.cluster_id)),
        (vec![1, 2, 3], initialised["cluster_id"].clone())
    );
    assert_eq!(quorum.voters.len(), 3, "each once: {quorum:?}");

    cluster.node(3).unwrap().kill().unwrap();
    let (record, killed) = killed_at_each_step(&mut first, REMOVE, &json!({"node": "3"}), step);
    let removed = done(&record);
    println!("remove: killed at {killed:?}, attempt {}: {removed}", record.attempt);
    assert_eq!(killed, ["remove_voter", "unregister"]);
    assert_eq!(removed["voters"], json!([1, 2]));
    assert_eq!(cluster.tools().quorum().unwrap().voter_ids(), [1, 2]);
    let client = first.start().unwrap();
    until("the first node to be well", || info(&client) == NodeState::Healthy);
    let again = wait(client.schedule(&Schedule::new(REMOVE).with_args(&json!({"node": "3"}))))
        .unwrap()
        .id;
    assert_eq!(done(&wait(client.ended(again, UP)).unwrap())["changed"], false);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_2_adding_electing_and_draining_go_on_as_well() {
    let builder = Cluster::builder(3)
        .voters(Voters::First)
        .config("offsets.topic.replication.factor=2");
    let cluster = builder.start(UP).unwrap();
    let tools = cluster.tools();
    let program = |number| {
        let node = cluster.node(number).unwrap();
        Program::new(env!("CARGO_BIN_EXE_agent-kafka"), &settings(node)).unwrap()
    };
    let mut first = program(1);
    let other = json!({"node": cluster.node(2).unwrap().member_address().to_string()});
    let (record, killed) = killed_at_each_step(&mut first, ADD, &other, step);
    println!("add: killed at {killed:?}, attempt {}", record.attempt);
    assert_eq!((killed.len(), &done(&record)["voter"]), (1, &json!(true)));
    assert_eq!(tools.quorum().unwrap().voter_ids(), [1, 2]);

    tools.create_topic("orders", &[&[3, 1], &[3, 2], &[1, 2]]).unwrap();
    tools.produce("orders", 300).unwrap();
    let (record, killed) = killed_at_each_step(&mut program(3), DRAIN, &json!({"batch": 1}), step);
    println!("drain: killed at {killed:?}, attempt {}", record.attempt);
    assert_eq!((killed.len(), &done(&record)["replicas"]), (1, &json!(2)));
    let replicas = tools
        .topic("orders")
        .unwrap()
        .partitions
        .into_iter()
        .map(|it| it.replicas);
    assert_eq!(
        replicas.collect::<Vec<_>>(),
        [vec![2, 1], vec![1, 2], vec![1, 2]],
        "each moved once"
    );

    cluster.node(1).unwrap().restart().unwrap();
    cluster.node(1).unwrap().wait_ready(UP).unwrap();
    tools
        .wait_topic("orders", UP, |topic| {
            topic.partitions.iter().all(|it| it.isr.len() == 2)
        })
        .unwrap();
    let (record, killed) = killed_at_each_step(&mut program(2), ELECT, &Value::Null, step);
    println!("elect: killed at {killed:?}, attempt {}", record.attempt);
    assert_eq!((killed.len(), &done(&record)["unelectable"]), (1, &json!(0)));
    let preferred = |topic: &Topic| topic.partitions.iter().all(|it| it.leader == Some(it.replicas[0]));
    tools.wait_topic("orders", UP, preferred).unwrap();
}

//! Lines 1 and 2: three blank nodes become a cluster, and every action is repeated.

use std::time::Duration;

use agent_sdk::client::{Schedule, wait};
use agent_sdk::spec::NodeState;
use serde_json::{Value, json};
use testbed::kafka::{Cluster, Quorum, Release, Roles};

use crate::rig::{ADD, INIT, JOIN, REMOVE, Rig, UP, await_state, by_member_address, done, failed, node, run, until};

/// What Kafka's own tools say of the quorum, and that all brokers are alive.
fn quorum(rig: &Rig) -> Quorum {
    rig.cluster
        .tools()
        .wait_quorum(Duration::from_secs(60), |quorum| quorum.leader.is_some())
        .unwrap()
}

fn grown(release: Release) {
    let rig = Rig::start(Cluster::builder(3).release(release).unformatted([1, 2, 3]));
    for agent in &rig.agents {
        await_state(agent, NodeState::NotInCluster);
    }
    let first = done(&run(rig.agent(1).client(), INIT, &Value::Null));
    await_state(rig.agent(1), NodeState::Healthy);
    println!("init: {first}");
    let cluster_id = first["cluster_id"].clone();
    let member = by_member_address(rig.agent(1));
    for number in [2, 3] {
        let joined = done(&run(rig.agent(number).client(), JOIN, &member));
        println!("join: {joined}");
        assert_eq!(
            joined,
            json!({"cluster_id": cluster_id, "node_id": number, "voter": true, "broker": true, "changed": true})
        );
        assert_eq!(
            node(rig.agent(number)).node_status,
            NodeState::Healthy,
            "by the time it is done"
        );
    }
    let before = quorum(&rig);
    assert_eq!((before.voter_ids(), before.observer_ids()), (vec![1, 2, 3], vec![]));
    assert_eq!(json!(before.cluster_id), cluster_id);
    rig.cluster.tools().create_topic("orders", &[&[1, 2, 3]]).unwrap();
    let orders = rig.cluster.tools().topic("orders").unwrap();
    assert_eq!(orders.partitions[0].isr.len(), 3, "three unfenced brokers: {orders:?}");

    // Again, nothing changes.
    let again = done(&run(rig.agent(1).client(), INIT, &json!({"cluster_id": cluster_id})));
    assert_eq!(
        (&again["cluster_id"], &again["voters"]),
        (&cluster_id, &json!([1, 2, 3]))
    );
    done(&run(rig.agent(1).client(), INIT, &Value::Null));
    for number in [2, 3] {
        let joined = done(&run(rig.agent(number).client(), JOIN, &member));
        assert_eq!(joined["changed"], false);
        let added = done(&run(rig.agent(1).client(), ADD, &by_member_address(rig.agent(number))));
        assert_eq!((&added["voter"], &added["changed"]), (&json!(true), &json!(false)));
    }
    let after = quorum(&rig);
    assert_eq!((before.voters, before.epoch), (after.voters, after.epoch));

    // A node that has died is removed, and once more.
    let address = by_member_address(rig.agent(3));
    rig.node(3).kill().unwrap();
    let removed = done(&run(rig.agent(1).client(), REMOVE, &address));
    println!("remove: {removed}");
    assert_eq!((&removed["node_id"], &removed["voters"]), (&json!(3), &json!([1, 2])));
    assert_eq!(
        (&removed["changed"], &removed["replicas_left"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(removed["partitions"], json!(["orders/0"]));
    let left = quorum(&rig);
    assert_eq!(left.voter_ids(), [1, 2]);
    for argument in [json!({"node": "3"}), address] {
        let again = done(&run(rig.agent(1).client(), REMOVE, &argument));
        assert_eq!(
            (&again["changed"], &again["voters"]),
            (&json!(false), &json!([1, 2])),
            "{argument}"
        );
    }
    until("the others to be well", || {
        [1, 2]
            .iter()
            .all(|number| node(rig.agent(*number)).node_status == NodeState::Healthy)
    });
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_1_three_blank_nodes_become_a_cluster_and_each_action_is_repeated() {
    grown(Release::default());
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_1_the_same_on_the_older_release() {
    grown(Release::V3_9_2);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn a_broker_joins_by_the_address_of_a_controller_and_is_removed() {
    let builder = Cluster::builder(3)
        .roles(1, Roles::Controller)
        .roles(2, Roles::Broker)
        .roles(3, Roles::Broker);
    let rig = Rig::start(builder.unformatted([2, 3]));
    await_state(rig.agent(1), NodeState::Healthy);
    // The agents beside the brokers are told of no controller's listener.
    let member = by_member_address(rig.agent(1));
    for number in [2, 3] {
        let joined = done(&run(rig.agent(number).client(), JOIN, &member));
        assert_eq!(
            (&joined["voter"], &joined["broker"]),
            (&json!(false), &json!(true)),
            "{joined}"
        );
        await_state(rig.agent(number), NodeState::Healthy);
    }
    // A controller cannot tell about brokers, and a broker that has just died is not forgotten before it is fenced.
    let (code, message) = failed(&run(rig.agent(1).client(), REMOVE, &json!({"node": "3"})));
    assert_eq!(code, "not_a_broker", "{message}");
    let address = json!({"node": rig.node(3).broker_address().to_string()});
    rig.node(3).kill().unwrap();
    let removed = done(&run(rig.agent(2).client(), REMOVE, &address));
    assert_eq!((&removed["node_id"], &removed["changed"]), (&json!(3), &json!(true)));
    let (code, _) = failed(&run(rig.agent(2).client(), REMOVE, &address));
    assert_eq!(
        code, "node_unresolved",
        "an address that nobody has told is not called gone"
    );
    let again = done(&run(rig.agent(2).client(), REMOVE, &json!({"node": "3"})));
    assert_eq!(again["changed"], false);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_6_two_that_join_at_the_same_time_are_both_let_in() {
    let rig = Rig::start(Cluster::builder(3).unformatted([2, 3]));
    await_state(rig.agent(1), NodeState::Healthy);
    let member = by_member_address(rig.agent(1));
    let schedule = Schedule::new(JOIN).with_args(&member);
    let begun = [2, 3].map(|number| wait(rig.agent(number).client().schedule(&schedule)).unwrap().id);
    for (number, id) in [2, 3].into_iter().zip(begun) {
        let record = wait(rig.agent(number).client().ended(id, UP)).unwrap();
        println!("{number}: {} attempts", record.attempt);
        assert_eq!(done(&record)["voter"], true);
    }
    assert_eq!(quorum(&rig).voter_ids(), [1, 2, 3]);
}

//! Line 7: all replicas are moved off a broker, while a producer and a consumer are at work.

use std::collections::BTreeSet;
use std::time::Duration;

use agent_sdk::client::{Record, Schedule, wait};
use agent_sdk::spec::{NodeState, Role};
use serde_json::{Value, json};
use testbed::kafka::{Builder, Cluster, Release, Topic};
use uuid::Uuid;

use crate::rig::{DRAIN, ELECT, REMOVE, Rig, UP, attribute, await_state, done, failed, run, run_within, shards, until};

/// Three brokers, whose topics leave one of them free for each partition.
fn spacious() -> Builder {
    Cluster::builder(3).config("offsets.topic.replication.factor=2\ntransaction.state.log.replication.factor=2")
}

fn holds(topic: &Topic, broker: u32) -> usize {
    topic
        .partitions
        .iter()
        .filter(|partition| partition.replicas.contains(&broker))
        .count()
}

/// Everything that the record said of its progress until it ended.
fn followed(rig: &Rig, agent: u32, id: Uuid) -> (Record, Vec<String>) {
    let client = rig.agent(agent).client();
    let mut said = Vec::new();
    let mut record = wait(client.record(id)).unwrap();
    while !record.state.is_final() {
        let payload = record.state_payload.as_ref().map(|payload| payload.get().to_owned());
        said.extend(payload.filter(|payload| said.last() != Some(payload)));
        record = wait(client.changed(id, record.version, Duration::from_secs(60))).unwrap();
    }
    (record, said)
}

fn drained_under_load(release: Release) {
    let rig = Rig::start(spacious().release(release));
    let tools = rig.cluster.tools();
    let replicas: [&[u32]; 9] = [
        &[1, 2],
        &[2, 3],
        &[3, 1],
        &[1, 2],
        &[3, 2],
        &[3, 1],
        &[1, 2],
        &[2, 3],
        &[3, 1],
    ];
    tools.create_topic("orders", &replicas).unwrap();
    for agent in &rig.agents {
        await_state(agent, NodeState::Healthy);
    }
    let producer = tools.producing("orders", 500).unwrap();
    let consumer = tools.consuming("orders").unwrap();
    until("both to be at work", || {
        producer.acknowledged() > 500 && consumer.consumed() > 100
    });

    let schedule = Schedule::new(DRAIN).with_args(&json!({"batch": 2}));
    let id = wait(rig.agent(3).client().schedule(&schedule)).unwrap().id;
    let (record, said) = followed(&rig, 3, id);
    let drained = done(&record);
    println!("drained: {drained}\n{}", said.join("\n"));
    assert_eq!((&drained["broker"], &drained["changed"]), (&json!(3), &json!(true)));
    assert!(
        said.iter().any(|said| said.contains("replicas are moved")),
        "progress is told: {said:?}"
    );
    assert_eq!(holds(&tools.topic("orders").unwrap(), 3), 0);
    let left: Vec<_> = shards(rig.agent(3)).into_iter().map(|shard| shard.shard_id).collect();
    assert_eq!(left, ["__cluster_metadata/0"]);
    let again = done(&run(rig.agent(3).client(), DRAIN, &Value::Null));
    assert_eq!((&again["changed"], &again["replicas"]), (&json!(false), &json!(0)));

    // Alive it is not removed; stopped, nothing is lost with it.
    let (code, message) = failed(&run(rig.agent(1).client(), REMOVE, &json!({"node": "3"})));
    assert_eq!(code, "broker_alive", "{message}");
    rig.node(3).stop().unwrap();
    let removed = done(&run(
        rig.agent(1).client(),
        REMOVE,
        &json!({"node": "3", "strict": true}),
    ));
    assert_eq!(
        (&removed["replicas_left"], &removed["voters"]),
        (&json!(0), &json!([1, 2]))
    );

    let acknowledged = producer.stop().unwrap();
    let ends = tools.end_offsets("orders").unwrap();
    let all = usize::try_from(ends.values().sum::<u64>()).unwrap();
    until("the consumer to have all", || consumer.consumed() >= all);
    let consumed: BTreeSet<_> = consumer.stop().unwrap().into_iter().collect();
    assert!(
        acknowledged.iter().all(|value| consumed.contains(value)),
        "none of {} was lost",
        acknowledged.len()
    );
    println!("{} records acknowledged, {all} read", acknowledged.len());
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_7_a_broker_is_drained_under_load_and_removed_without_loss() {
    drained_under_load(Release::default());
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_7_the_same_on_the_older_release() {
    drained_under_load(Release::V3_9_2);
}

/// Copies take a long time from here on.
fn slow_down(rig: &Rig, topic: &str) {
    let brokers: Vec<_> = [1, 2, 3]
        .map(|number| rig.node(number).broker_address().to_string())
        .to_vec();
    let brokers = brokers.join(",");
    let configure = |entity: &[&str], config: &str| {
        let begin = ["--bootstrap-server", &brokers, "--alter", "--add-config", config];
        rig.cluster
            .tools()
            .run("kafka-configs.sh", &[&begin[..], entity].concat(), "")
            .unwrap();
    };
    let rate = "leader.replication.throttled.rate=1000,follower.replication.throttled.rate=1000";
    configure(&["--entity-type", "brokers", "--entity-default"], rate);
    let all = "leader.replication.throttled.replicas=*,follower.replication.throttled.replicas=*";
    configure(&["--entity-type", "topics", "--entity-name", topic], all);
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_7_a_drain_that_is_cancelled_leaves_nothing_on_the_move() {
    let rig = Rig::start(spacious());
    let tools = rig.cluster.tools();
    tools.create_topic("orders", &[&[3, 1], &[3, 2], &[2, 1]]).unwrap();
    // More than the first answers to a follower may hold: those are not slowed down.
    let servers = format!("bootstrap.servers={}", rig.node(1).broker_address());
    let much = [
        "--topic",
        "orders",
        "--num-records",
        "30000",
        "--record-size",
        "1000",
        "--throughput",
        "-1",
    ];
    tools
        .run(
            "kafka-producer-perf-test.sh",
            &[&much[..], &["--producer-props", &servers]].concat(),
            "",
        )
        .unwrap();
    await_state(rig.agent(3), NodeState::Healthy);
    slow_down(&rig, "orders");
    let before = tools.topic("orders").unwrap();
    let client = rig.agent(3).client();
    let id = wait(client.schedule(&Schedule::new(DRAIN))).unwrap().id;
    let moving = || {
        let record = wait(client.record(id)).unwrap();
        record
            .state_payload
            .is_some_and(|payload| payload.get().contains("are on their way"))
    };
    until("replicas to be on their way", moving);
    assert_eq!(holds(&tools.topic("orders").unwrap(), 3), 2);
    wait(client.cancel(id)).unwrap();
    let record = wait(client.ended(id, UP)).unwrap();
    assert_eq!(failed(&record).0, "cancelled");
    let after = tools
        .wait_topic("orders", UP, |topic| {
            topic.partitions.iter().all(|it| it.replicas.len() == 2)
        })
        .unwrap();
    let placed = |topic: &Topic| {
        topic
            .partitions
            .iter()
            .map(|it| it.replicas.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(placed(&after), placed(&before), "everything is where it was");
    assert!(
        after
            .partitions
            .iter()
            .all(|partition| partition.isr.len() == 2 && partition.leader.is_some())
    );
    assert_eq!(attribute(rig.agent(3), "partitions"), Some(json!(2)));
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn leaders_are_given_back_and_moved_on_purpose() {
    let rig = Rig::three();
    let tools = rig.cluster.tools();
    tools
        .create_topic("orders", &[&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]])
        .unwrap();
    rig.node(1).stop().unwrap();
    tools
        .wait_topic("orders", UP, |topic| {
            topic.partitions.iter().all(|it| it.leader != Some(1))
        })
        .unwrap();
    // Its preferred leader is away: nothing can be done, and that is said.
    let away = done(&run(
        rig.agent(2).client(),
        ELECT,
        &json!({"partitions": ["orders/0", "orders/1"]}),
    ));
    let expected = json!({
        "preferred": 1, "unelectable": 1, "unelectable_partitions": ["orders/0"], "changed": false
    });
    assert_eq!(away, expected);
    rig.node(1).start().unwrap();
    rig.node(1).wait_ready(UP).unwrap();
    tools
        .wait_topic("orders", UP, |topic| topic.partitions[0].isr.len() == 3)
        .unwrap();
    let plan = wait(rig.agent(2).client().plan(ELECT, None)).unwrap();
    println!("{plan:?}");
    let back = done(&run(rig.agent(2).client(), ELECT, &Value::Null));
    assert_eq!(
        (&back["unelectable"], &back["changed"]),
        (&json!(0), &json!(true)),
        "{back}"
    );
    until("the first to lead again", || {
        rig.in_role("orders/0", Role::Primary) == [1]
    });
    let again = done(&run(rig.agent(1).client(), ELECT, &Value::Null));
    assert_eq!(again["changed"], false);
    let unknown = failed(&run_within(
        rig.agent(1).client(),
        ELECT,
        &json!({"partitions": ["orders/9", "x"]}),
        60,
    ));
    assert_eq!(unknown.0, "partition_unknown");
    assert!(unknown.1.contains("orders/9, x"), "{}", unknown.1);
}

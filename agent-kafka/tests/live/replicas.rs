//! Lines 3, 4 and 5: replicas, how far they are, and who leads.

use agent_kafka::config::{Lag, LagSource};
use agent_sdk::spec::{NodeState, Role};
use testbed::kafka::Cluster;

use crate::rig::{Rig, await_state, shard, until};

const ORDERS: [&str; 3] = ["orders/0", "orders/1", "orders/2"];

fn three_with_orders(lag: LagSource) -> Rig {
    let builder = Cluster::builder(3).config("replica.lag.time.max.ms=4000");
    let builder = if lag == LagSource::Metrics {
        builder.metrics()
    } else {
        builder
    };
    let rig = Rig::start_with(builder, |node, process| {
        process.lag = Lag {
            source: lag,
            metrics_address: Some(node.metrics_address().to_string().parse().unwrap()),
        };
    });
    rig.cluster
        .tools()
        .create_topic("orders", &[&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]])
        .unwrap();
    for agent in &rig.agents {
        await_state(agent, NodeState::Healthy);
    }
    rig
}

/// Numbers of the agents that call their node the primary of each shard.
fn primaries(rig: &Rig) -> Vec<Vec<u32>> {
    ORDERS.iter().map(|id| rig.in_role(id, Role::Primary)).collect()
}

fn offset(rig: &Rig, number: u32, id: &str) -> Option<i64> {
    Some(shard(rig.agent(number), id)?.commit_offset?.value)
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_3_leaders_move_from_a_broker_that_was_killed_and_it_comes_back() {
    let rig = three_with_orders(LagSource::None);
    until("each to lead one", || primaries(&rig) == [vec![1], vec![2], vec![3]]);
    rig.node(1).kill().unwrap();
    until("one other to lead each", || {
        primaries(&rig)
            .iter()
            .all(|found| matches!(found[..], [number] if number != 1))
    });
    // It is given enough to catch up with for that to be seen.
    let servers = format!("bootstrap.servers={}", rig.node(2).broker_address());
    let much = [
        "--topic",
        "orders",
        "--num-records",
        "300000",
        "--record-size",
        "1000",
        "--throughput",
        "-1",
    ];
    let tool = "kafka-producer-perf-test.sh";
    rig.cluster
        .tools()
        .run(tool, &[&much[..], &["--producer-props", &servers]].concat(), "")
        .unwrap();
    rig.node(1).start().unwrap();
    let mut recovering = false;
    until("it to be in sync again", || {
        let roles: Vec<_> = ORDERS
            .iter()
            .filter_map(|id| Some(shard(rig.agent(1), id)?.replication_state))
            .collect();
        recovering |= roles.contains(&Role::Recovering);
        roles.len() == 3
            && roles
                .iter()
                .all(|role| *role == Role::Secondary || *role == Role::Primary)
    });
    assert!(recovering, "Recovering, then Secondary");
    await_state(rig.agent(1), NodeState::Healthy);
    assert!(
        primaries(&rig).iter().all(|found| found.len() == 1),
        "{:?}",
        primaries(&rig)
    );
}

/// A follower is held back under load: it falls behind, catches up, and never goes back.
fn held_back(lag: LagSource) -> (i64, Vec<i64>) {
    let rig = three_with_orders(lag);
    let tools = rig.cluster.tools();
    tools.produce("orders", 300).unwrap();
    until("all to be level", || {
        ORDERS.iter().all(|id| offset(&rig, 3, id) == offset(&rig, 1, id))
    });
    rig.node(3).pause().unwrap();
    let producer = tools.producing("orders", 2_000).unwrap();
    until("much to be written", || producer.acknowledged() > 20_000);
    rig.node(3).resume().unwrap();
    // Its own offset, and the leader's, until they are level. orders/0 is led by node 1.
    let (mut furthest, mut lags, mut last) = (0, Vec::new(), 0);
    let stopped = std::cell::Cell::new(false);
    let producer = std::cell::Cell::new(Some(producer));
    until("it to catch up", || {
        let Some(own) = shard(rig.agent(3), ORDERS[0]) else {
            return false;
        };
        let Some(at) = own.commit_offset.map(|offset| offset.value) else {
            return false;
        };
        let Some(leader) = offset(&rig, 1, ORDERS[0]) else {
            return false;
        };
        assert!(at >= last, "it went back from {last} to {at}");
        last = at;
        furthest = furthest.max(leader - at);
        lags.extend(own.replication_lag.map(|lag| {
            assert_eq!(lag.unit, "messages");
            lag.value
        }));
        if !stopped.replace(true) {
            producer.take().unwrap().stop().unwrap();
        }
        own.replication_state == Role::Secondary && Some(at) == offset(&rig, 1, ORDERS[0])
    });
    // What Kafka's own clients say of the leader.
    let ends = tools.end_offsets("orders").unwrap();
    for (partition, end) in ends {
        let end = i64::try_from(end).unwrap();
        until("the copies to be level", || {
            (1..=3).all(|number| offset(&rig, number, &format!("orders/{partition}")) == Some(end))
        });
    }
    (furthest, lags)
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_4_a_follower_that_is_held_back_falls_behind_and_never_goes_back() {
    let (furthest, lags) = held_back(LagSource::None);
    println!("held back, a follower was {furthest} behind");
    assert!(furthest > 0 && lags.is_empty());
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_5_lag_is_the_distance_to_the_leader_where_leaders_are_asked() {
    let (furthest, lags) = held_back(LagSource::Leaders);
    println!("{furthest} behind at most; lags told: {lags:?}");
    assert!(lags.iter().any(|lag| *lag > 0) && lags.iter().all(|lag| *lag >= 0));
    assert_eq!(lags.last(), Some(&0), "none when it is level");
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn line_5_lag_is_told_by_the_nodes_own_metrics_where_those_are_asked() {
    let (furthest, lags) = held_back(LagSource::Metrics);
    println!("{furthest} behind at most; lags told: {lags:?}");
    assert!(!lags.is_empty() && lags.iter().all(|lag| *lag >= 0));
}

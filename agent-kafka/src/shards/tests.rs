use agent_sdk::spec::{Lag, Role};
use kafka_protocol::messages::TopicName;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{ApiKey, DescribeLogDirsRequest};
use kafka_protocol::protocol::StrBytes;

use super::*;
use crate::ask::offsets::tests::ends;
use crate::ask::placement::tests::{placement, recorded};
use crate::ask::quorum::Replica;
use crate::client::recorded::{self, RELEASES};

/// Logs that lie on a broker: topic, number, and whether they are future ones.
fn lying(logs: &[(&'static str, i32, bool)]) -> DescribeLogDirsResponse {
    let topic = |&(name, index, future): &(&'static str, i32, bool)| {
        let log = DescribeLogDirsPartition::default()
            .with_partition_index(index)
            .with_is_future_key(future);
        let topic = DescribeLogDirsTopic::default().with_name(TopicName(StrBytes::from_static_str(name)));
        topic.with_partitions(vec![log])
    };
    let directory = DescribeLogDirsResult::default().with_topics(logs.iter().map(topic).collect());
    DescribeLogDirsResponse::default().with_results(vec![directory])
}

fn told(shards: &[Shard]) -> Vec<(&str, Role, Option<i64>)> {
    shards
        .iter()
        .map(|shard| (shard.id.as_str(), shard.role.role(), shard.commit_offset))
        .collect()
}

#[test]
fn a_broker_holds_what_the_cluster_places_there_and_what_lies_there() {
    let placement = placement(&[
        ("a", 0, 1, &[1, 2], &[1, 2], &[]),
        ("a", 1, 2, &[1, 2], &[1, 2], &[]),
        ("a", 2, 2, &[1, 2], &[2], &[]),
        ("a", 3, 2, &[1, 2], &[2], &[1]),
        ("a", 4, -1, &[1], &[1], &[]),
        ("b", 0, 2, &[2, 3], &[2], &[]),
    ]);
    let lying = lying(&[("a", 0, false), ("a", 1, false), ("b", 0, false), ("c", 0, true)]);
    let ends = ends(&[("a", 0, 7), ("a", 1, 5), ("a", 2, 3)]);
    let shards = of_partitions(1, &placement, &lying, &ends, &Lags::None);
    let expected = [
        ("a/0", Role::Primary, Some(7)),
        ("a/1", Role::Secondary, Some(5)),
        ("a/2", Role::Recovering, Some(3)),
        ("a/3", Role::Other, None),
        ("a/4", Role::Other, None),
        ("b/0", Role::Other, None),
    ];
    assert_eq!(told(&shards), expected);
    assert!(
        shards
            .iter()
            .all(|shard| shard.offset_unit == UNIT && shard.lag.is_none())
    );
}

#[test]
fn lag_is_of_followers_and_never_below_nothing() {
    let placement = placement(&[
        ("a", 0, 1, &[1, 2], &[1, 2], &[]),
        ("a", 1, 2, &[1, 2], &[1, 2], &[]),
        ("a", 2, 2, &[1, 2], &[2], &[]),
        ("a", 3, 2, &[1, 2], &[2], &[]),
    ]);
    let own = ends(&[("a", 0, 7), ("a", 1, 5), ("a", 2, 3), ("a", 3, 3)]);
    let leaders = Lags::Leaders(vec![(2, ends(&[("a", 1, 9), ("a", 2, 2)]))]);
    let shards = of_partitions(1, &placement, &lying(&[]), &own, &leaders);
    let lag = |value| Some(Lag { value, unit: LAG_UNIT });
    let lags: Vec<_> = shards.iter().map(|shard| shard.lag.clone()).collect();
    assert_eq!(
        lags,
        [None, lag(4), lag(0), None],
        "what was written since is no lag below 0"
    );
}

#[test]
fn recorded_answers_of_both_releases_make_shards() {
    for (release, _) in RELEASES {
        let exchange = recorded::first(release, "broker", ApiKey::DescribeLogDirs as i16);
        let lying = recorded::read::<DescribeLogDirsRequest>(&exchange);
        let shards = of_partitions(1, &recorded(release), &lying, &ends(&[("orders", 0, 3)]), &Lags::None);
        assert!(
            told(&shards).contains(&("orders/0", Role::Primary, Some(3))),
            "{shards:?}"
        );
        let ids: HashSet<_> = shards.iter().map(|shard| &shard.id).collect();
        assert_eq!(ids.len(), shards.len(), "each once");
        assert!(!ids.contains(&metadata_log()), "that one is told by the quorum");
    }
}

fn directory(id: i32) -> Uuid {
    Uuid::from_u128(u128::try_from(id).unwrap())
}

#[test]
fn the_metadata_log_is_held_by_voters_and_observers() {
    let replica = |id, end, caught_up_ms| Replica {
        id,
        directory: Some(directory(id)),
        end,
        caught_up_ms,
    };
    let quorum = Quorum {
        leader: Some(1),
        epoch: 1,
        committed: Some(90),
        voters: vec![replica(1, Some(100), Some(50_000)), replica(2, Some(99), Some(49_900))],
        observers: vec![replica(3, Some(40), Some(1_000)), replica(4, None, None)],
        nodes: Vec::new(),
    };
    let shard = |id: i32, lag| of_metadata_log(id, Some(directory(id)), &quorum, lag);
    let role = |id| shard(id, false).map(|shard| (shard.role.role(), shard.commit_offset, shard.lag));
    assert_eq!(role(1), Some((Role::Primary, Some(100), None)));
    assert_eq!(role(2), Some((Role::Secondary, Some(99), None)));
    assert_eq!(role(3), Some((Role::Recovering, Some(40), None)));
    assert_eq!(role(4), Some((Role::Recovering, None, None)));
    assert_eq!(role(5), None);
    assert_eq!(shard(3, true).unwrap().lag.unwrap().value, 60);
    assert_eq!(shard(1, true).unwrap().lag, None);
}

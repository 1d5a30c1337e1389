//! Shards: every replica of a partition on this node, and its copy of the metadata log. Pure.

use std::collections::HashSet;

use agent_sdk::spec::{ReplicationState, Shard, Unit};
use kafka_protocol::messages::DescribeLogDirsResponse;
use uuid::Uuid;

use crate::ask::offsets::Ends;
use crate::ask::placement::{Part, Partition, Placement};
use crate::ask::quorum::{self, Quorum};
use crate::lag::Lags;

/// What commit offsets are counted in.
pub const UNIT: Unit = Unit::named("offset");
/// What lag is counted in.
pub const LAG_UNIT: Unit = Unit::named("messages");

/// Id of the metadata log.
pub fn metadata_log() -> String {
    format!("{}/0", quorum::TOPIC)
}

/// The replicas of partitions on this broker: those that the cluster places here, and those that lie here though the
/// cluster places them elsewhere.
pub fn of_partitions(
    broker: i32,
    placement: &Placement,
    lying: &DescribeLogDirsResponse,
    ends: &Ends,
    lags: &Lags,
) -> Vec<Shard> {
    let mut shards = Vec::new();
    let mut placed = HashSet::new();
    for partition in placement.of(broker) {
        placed.insert((partition.topic(), partition.index()));
        shards.push(of_partition(broker, &partition, ends, lags));
    }
    for (topic, index) in logs(lying).filter(|log| !placed.contains(log)) {
        let role = ReplicationState::Other("its log is here, and the cluster lists no replica here".to_owned());
        shards.push(Shard::new(id(topic, index), role, UNIT));
    }
    shards
}

fn id(topic: &str, index: i32) -> String {
    format!("{topic}/{index}")
}

fn of_partition(broker: i32, partition: &Partition<'_>, ends: &Ends, lags: &Lags) -> Shard {
    let part = partition.part_of(broker);
    let role = match part {
        Part::Leader => ReplicationState::Primary,
        Part::InSync if partition.leader().is_some() => ReplicationState::Secondary,
        Part::InSync => ReplicationState::Other("the partition has no leader, and this replica is in sync".to_owned()),
        Part::Behind => ReplicationState::Recovering,
        Part::Offline => {
            ReplicationState::Other("its log directory has failed, or this broker is not alive".to_owned())
        }
        Part::None => ReplicationState::Other("the cluster lists no replica here".to_owned()),
    };
    let mut shard = Shard::new(id(partition.topic(), partition.index()), role, UNIT);
    shard.commit_offset = ends.of(partition);
    if matches!(part, Part::InSync | Part::Behind)
        && let Some(lag) = lags.of(partition, shard.commit_offset)
    {
        shard = shard.behind(lag, LAG_UNIT);
    }
    shard
}

/// The logs that lie on a broker. Future ones are copies on their way between two of its own directories.
pub(crate) fn logs(lying: &DescribeLogDirsResponse) -> impl Iterator<Item = (&str, i32)> {
    let topics = lying.results.iter().flat_map(|directory| &directory.topics);
    topics.flat_map(|topic| {
        let present = topic.partitions.iter().filter(|log| !log.is_future_key);
        present.map(|log| (topic.name.as_str(), log.partition_index))
    })
}

/// This node's copy of the metadata log, where the quorum knows one. `lag`: whether to say how far it is behind.
pub fn of_metadata_log(node: i32, directory: Option<Uuid>, quorum: &Quorum, lag: bool) -> Option<Shard> {
    let voter = quorum.voter(node, directory);
    let replica = voter.or_else(|| quorum.observer(node, directory))?;
    let leads = voter.is_some() && quorum.leader == Some(node);
    let role = match (leads, quorum.is_up_to_date(replica)) {
        (true, _) => ReplicationState::Primary,
        (false, true) => ReplicationState::Secondary,
        (false, false) => ReplicationState::Recovering,
    };
    let mut shard = Shard::new(metadata_log(), role, UNIT);
    shard.commit_offset = replica.end;
    let leader = quorum
        .leader
        .and_then(|leader| quorum.voter(leader, None))
        .and_then(|leader| leader.end);
    if let (true, false, Some(own), Some(leader)) = (lag, leads, replica.end, leader) {
        shard = shard.behind(leader.saturating_sub(own).max(0), LAG_UNIT);
    }
    Some(shard)
}

#[cfg(test)]
mod tests;

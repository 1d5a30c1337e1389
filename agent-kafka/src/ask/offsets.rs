//! How far the copies of partitions on one broker are, asked of that broker alone, followers included.
//!
//! `ListOffsets` with a replica id of -2 tells of the local log, whoever leads: Kafka's own tools for debugging ask so.

use std::collections::HashMap;

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, ListOffsetsResponse, TopicName};
use tokio::time::Instant;

use super::placement::Partition;
use super::{AskError, left};
use crate::client::{Code, Link};

/// The local log, whoever leads.
const LOCAL: BrokerId = BrokerId(-2);
/// The offset behind the last record.
const END: i64 = -1;

/// The end of each log that the broker could tell.
#[derive(Debug, Clone, Default)]
pub struct Ends(HashMap<TopicName, Vec<(i32, i64)>>);

impl Ends {
    /// The offset behind the last record of this partition's log; none where the broker did not tell.
    pub fn of(&self, partition: &Partition<'_>) -> Option<i64> {
        let topic = self.0.get(&partition.topic_name())?;
        let at = topic
            .binary_search_by_key(&partition.index(), |(index, _)| *index)
            .ok()?;
        topic.get(at).map(|(_, end)| *end)
    }
}

/// Asks for the ends of these partitions' logs on the broker that is asked.
pub async fn ask<'a>(
    link: &mut Link,
    partitions: impl Iterator<Item = Partition<'a>>,
    end: Instant,
) -> Result<Ends, AskError> {
    let mut topics: Vec<ListOffsetsTopic> = Vec::new();
    for partition in partitions {
        let wanted = ListOffsetsPartition::default()
            .with_partition_index(partition.index())
            .with_timestamp(END);
        let name = partition.topic_name();
        // They come topic by topic.
        match topics.last_mut().filter(|topic| topic.name == name) {
            Some(topic) => topic.partitions.push(wanted),
            None => topics.push(
                ListOffsetsTopic::default()
                    .with_name(name)
                    .with_partitions(vec![wanted]),
            ),
        }
    }
    if topics.is_empty() {
        return Ok(Ends::default());
    }
    let request = ListOffsetsRequest::default().with_replica_id(LOCAL).with_topics(topics);
    Ok(read(link.call(&request, left(end)).await?))
}

/// The broker answers in an order of its own, and one partition's error is no other's.
fn read(told: ListOffsetsResponse) -> Ends {
    let topics = told.topics.into_iter().map(|topic| {
        let told = topic
            .partitions
            .iter()
            .filter(|told| Code(told.error_code).is_success() && told.offset >= 0);
        let mut ends: Vec<_> = told.map(|told| (told.partition_index, told.offset)).collect();
        ends.sort_unstable();
        (topic.name, ends)
    });
    Ends(topics.collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use kafka_protocol::messages::ApiKey;
    use kafka_protocol::protocol::StrBytes;

    use super::*;
    use crate::ask::placement::tests::placement;
    use crate::client::recorded::{self, RELEASES};

    pub(crate) fn ends(rows: &[(&'static str, i32, i64)]) -> Ends {
        let mut ends = Ends::default();
        for (topic, index, end) in rows {
            let topic = ends.0.entry(TopicName(StrBytes::from_static_str(topic))).or_default();
            topic.push((*index, *end));
            topic.sort_unstable();
        }
        ends
    }

    #[test]
    fn recorded_answers_of_both_releases_are_read_in_whatever_order_they_come() {
        for (release, _) in RELEASES {
            let exchange = recorded::first(release, "broker", ApiKey::ListOffsets as i16);
            let told = recorded::read::<ListOffsetsRequest>(&exchange);
            let ends = read(told);
            let placement = placement(&[("orders", 0, 1, &[1], &[1], &[]), ("orders", 7, 1, &[1], &[1], &[])]);
            let told: Vec<_> = placement.partitions().map(|partition| ends.of(&partition)).collect();
            assert_eq!(told, [Some(0), None], "partition 7 is not there");
        }
    }
}

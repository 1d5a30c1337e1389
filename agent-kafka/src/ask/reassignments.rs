//! Replicas on the move: which there are, which to begin, which to call off.

use std::collections::BTreeMap;

use kafka_protocol::messages::alter_partition_reassignments_request::{ReassignablePartition, ReassignableTopic};
use kafka_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, BrokerId,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, TopicName,
};
use tokio::time::Instant;

use super::placement::text;
use super::{AskError, accept, left};
use crate::client::{Code, Link};

/// A partition whose replicas are on the move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moving {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// All replicas, those to come and those to go included.
    pub replicas: Vec<i32>,
    /// Those to come.
    pub adding: Vec<i32>,
    /// Those to go.
    pub removing: Vec<i32>,
}

impl Moving {
    /// The replicas when it is over.
    pub fn target(&self) -> Vec<i32> {
        let stays = self.replicas.iter().filter(|id| !self.removing.contains(id));
        stays.copied().collect()
    }
}

/// What is to become of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The replicas that it is to have, the preferred leader first; none calls off what is under way.
    pub replicas: Option<Vec<i32>>,
}

/// What was said to one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// What was said.
    pub code: Code,
    /// In the server's words, where they say more.
    pub said: Option<String>,
}

/// Asks for all partitions whose replicas are on the move.
pub async fn ask(link: &mut Link, end: Instant) -> Result<Vec<Moving>, AskError> {
    let within = left(end);
    let request = ListPartitionReassignmentsRequest::default()
        .with_topics(None)
        .with_timeout_ms(i32::try_from(within.as_millis()).unwrap_or(i32::MAX));
    let told = link.call(&request, within).await?;
    accept::<ListPartitionReassignmentsRequest>(link, told.error_code, told.error_message.as_deref())?;
    Ok(read(told))
}

fn read(told: ListPartitionReassignmentsResponse) -> Vec<Moving> {
    let ids = |ids: Vec<BrokerId>| ids.into_iter().map(|id| *id).collect::<Vec<_>>();
    let topics = told.topics.into_iter();
    let moving = topics.flat_map(|topic| {
        let name = topic.name.to_string();
        topic.partitions.into_iter().map(move |told| Moving {
            topic: name.clone(),
            partition: told.partition_index,
            replicas: ids(told.replicas),
            adding: ids(told.adding_replicas),
            removing: ids(told.removing_replicas),
        })
    });
    moving.collect()
}

/// Orders replicas to be moved. Whoever is asked passes it on to the controller.
///
/// **Errors**: [`AskError`] for the whole; what was said to each order else, in any order.
pub async fn order(link: &mut Link, orders: &[Order], end: Instant) -> Result<Vec<Reply>, AskError> {
    let mut topics: BTreeMap<&str, Vec<ReassignablePartition>> = BTreeMap::new();
    for order in orders {
        let ids = |ids: &Vec<i32>| ids.iter().copied().map(BrokerId).collect::<Vec<_>>();
        let partition = ReassignablePartition::default()
            .with_partition_index(order.partition)
            .with_replicas(order.replicas.as_ref().map(ids));
        topics.entry(&order.topic).or_default().push(partition);
    }
    let topic = |(name, partitions): (&str, Vec<ReassignablePartition>)| {
        let topic = ReassignableTopic::default().with_name(TopicName(text(name)));
        topic.with_partitions(partitions)
    };
    let within = left(end);
    let request = AlterPartitionReassignmentsRequest::default()
        .with_topics(topics.into_iter().map(topic).collect())
        .with_timeout_ms(i32::try_from(within.as_millis()).unwrap_or(i32::MAX));
    let told = link.call(&request, within).await?;
    accept::<AlterPartitionReassignmentsRequest>(link, told.error_code, told.error_message.as_deref())?;
    Ok(replies(told))
}

fn replies(told: AlterPartitionReassignmentsResponse) -> Vec<Reply> {
    let topics = told.responses.into_iter();
    let replies = topics.flat_map(|topic| {
        let name = topic.name.to_string();
        topic.partitions.into_iter().map(move |told| Reply {
            topic: name.clone(),
            partition: told.partition_index,
            code: Code(told.error_code),
            said: told.error_message.map(|said| said.to_string()),
        })
    });
    replies.collect()
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::ApiKey;

    use super::*;
    use crate::client::recorded::{self, RELEASES};

    #[test]
    fn recorded_answers_of_both_releases_are_read() {
        for (release, _) in RELEASES {
            let exchange = |key: ApiKey| recorded::first(release, "broker", key as i16);
            let none = exchange(ApiKey::ListPartitionReassignments);
            assert_eq!(read(recorded::read::<ListPartitionReassignmentsRequest>(&none)), []);
            let cancelled = exchange(ApiKey::AlterPartitionReassignments);
            let told = replies(recorded::read::<AlterPartitionReassignmentsRequest>(&cancelled));
            assert_eq!((told[0].topic.as_str(), told[0].partition), ("orders", 0));
            assert_eq!(told[0].code, Code::NO_REASSIGNMENT_IN_PROGRESS);
        }
    }

    #[test]
    fn what_a_move_leads_to_is_without_those_that_go() {
        let moving = Moving {
            topic: "t".into(),
            partition: 0,
            replicas: vec![3, 1, 2],
            adding: vec![3],
            removing: vec![1],
        };
        assert_eq!(moving.target(), [3, 2]);
    }
}

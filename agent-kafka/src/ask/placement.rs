//! Where partitions are: their replicas, their leaders, who is in sync. One request for all topics of the cluster, whose
//! answer is kept as it came: it may be of hundreds of thousands of partitions.

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::{BrokerId, MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;
use uuid::Uuid;

use super::{AskError, left};
use crate::client::Link;

/// Where partitions are, as one broker knows it.
#[derive(Debug, Clone)]
pub struct Placement(MetadataResponse);

/// One partition.
#[derive(Debug, Clone, Copy)]
pub struct Partition<'a> {
    topic: &'a MetadataResponseTopic,
    told: &'a MetadataResponsePartition,
}

/// What a broker is to a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It leads.
    Leader,
    /// It follows, and has what the leader has.
    InSync,
    /// It follows, and is behind.
    Behind,
    /// It holds a replica in a log directory that has failed.
    Offline,
    /// It holds none.
    None,
}

impl Placement {
    /// The partitions that the answer tells of.
    pub fn partitions(&self) -> impl Iterator<Item = Partition<'_>> {
        let topics = self.0.topics.iter();
        topics.flat_map(|topic| topic.partitions.iter().map(move |told| Partition { topic, told }))
    }

    /// Those that this broker holds, or should hold.
    pub fn of(&self, broker: i32) -> impl Iterator<Item = Partition<'_>> {
        self.partitions().filter(move |partition| partition.has(broker))
    }
}

impl<'a> Partition<'a> {
    /// The topic's name.
    pub fn topic(&self) -> &'a str {
        self.topic.name.as_ref().map_or("", |name| name.as_str())
    }

    /// The topic's name, as requests take it.
    pub(crate) fn topic_name(&self) -> TopicName {
        self.topic.name.clone().unwrap_or_default()
    }

    /// The topic's id: another one where a name was deleted and made again.
    pub const fn topic_id(&self) -> Uuid {
        self.topic.topic_id
    }

    /// Whether Kafka keeps its own state in the topic.
    pub const fn is_internal(&self) -> bool {
        self.topic.is_internal
    }

    /// The partition's number.
    pub const fn index(&self) -> i32 {
        self.told.partition_index
    }

    /// Who leads, where somebody does.
    pub fn leader(&self) -> Option<i32> {
        Some(*self.told.leader_id).filter(|id| *id >= 0)
    }

    /// The replicas, the preferred leader first.
    pub fn replicas(&self) -> impl Iterator<Item = i32> + use<'a> {
        self.told.replica_nodes.iter().map(|id| **id)
    }

    /// The replicas in sync.
    pub fn in_sync(&self) -> impl Iterator<Item = i32> + use<'a> {
        self.told.isr_nodes.iter().map(|id| **id)
    }

    /// How many replicas are not in sync.
    pub fn missing(&self) -> usize {
        self.told.replica_nodes.len().saturating_sub(self.told.isr_nodes.len())
    }

    fn has(&self, broker: i32) -> bool {
        self.told.replica_nodes.contains(&BrokerId(broker))
    }

    /// Whether this broker serves it: leads it, or follows a leader in sync. A broker that shuts down may be left in the
    /// in-sync set of a partition that has no other replica; nobody leads that one.
    pub fn is_served_by(&self, broker: i32) -> bool {
        self.leader().is_some() && matches!(self.part_of(broker), Part::Leader | Part::InSync)
    }

    /// What this broker is to it.
    pub fn part_of(&self, broker: i32) -> Part {
        let broker = BrokerId(broker);
        if !self.told.replica_nodes.contains(&broker) {
            Part::None
        } else if self.told.offline_replicas.contains(&broker) {
            Part::Offline
        } else if self.told.leader_id == broker {
            Part::Leader
        } else if self.told.isr_nodes.contains(&broker) {
            Part::InSync
        } else {
            Part::Behind
        }
    }
}

/// Asks for all topics that the agent may see.
pub async fn ask(link: &mut Link, end: Instant) -> Result<Placement, AskError> {
    asked(link, None, end).await
}

/// Asks for these topics. One that is not there has no partitions.
pub async fn ask_of(link: &mut Link, topics: &[&str], end: Instant) -> Result<Placement, AskError> {
    let topic = |name: &&str| MetadataRequestTopic::default().with_name(Some(TopicName(text(name))));
    asked(link, Some(topics.iter().map(topic).collect()), end).await
}

async fn asked(
    link: &mut Link,
    topics: Option<Vec<MetadataRequestTopic>>,
    end: Instant,
) -> Result<Placement, AskError> {
    // A question never creates a topic: brokers do so for any name unless they are told not to.
    let request = MetadataRequest::default()
        .with_topics(topics)
        .with_allow_auto_topic_creation(false);
    Ok(Placement(link.call(&request, left(end)).await?))
}

pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use kafka_protocol::messages::ApiKey;

    use super::*;
    use crate::client::recorded::{self, RELEASES};

    /// One partition: its topic, number, leader, replicas, in-sync set and offline replicas.
    pub(crate) type Row = (&'static str, i32, i32, &'static [i32], &'static [i32], &'static [i32]);

    pub(crate) fn placement(rows: &[Row]) -> Placement {
        let ids = |ids: &[i32]| ids.iter().copied().map(BrokerId).collect::<Vec<_>>();
        let mut topics: Vec<MetadataResponseTopic> = Vec::new();
        for (topic, index, leader, replicas, in_sync, offline) in rows {
            let partition = MetadataResponsePartition::default()
                .with_partition_index(*index)
                .with_leader_id(BrokerId(*leader))
                .with_replica_nodes(ids(replicas))
                .with_isr_nodes(ids(in_sync))
                .with_offline_replicas(ids(offline));
            let name = Some(TopicName(StrBytes::from_static_str(topic)));
            if let Some(known) = topics.iter_mut().find(|known| known.name == name) {
                known.partitions.push(partition);
            } else {
                let id = Uuid::from_u128(topics.len() as u128 + 1);
                let new = MetadataResponseTopic::default().with_name(name).with_topic_id(id);
                topics.push(new.with_partitions(vec![partition]));
            }
        }
        Placement(MetadataResponse::default().with_topics(topics))
    }

    /// What a real broker of this release told of all its topics.
    pub(crate) fn recorded(release: &str) -> Placement {
        let all = |exchange: &recorded::Exchange| exchange.asks().0 == ApiKey::Metadata as i16;
        let exchange = recorded::of(release).into_iter().rfind(all).unwrap();
        Placement(recorded::read::<MetadataRequest>(&exchange))
    }

    #[test]
    fn recorded_answers_of_both_releases_are_read() {
        for (release, _) in RELEASES {
            let placement = recorded(release);
            let orders = placement.of(1).find(|partition| partition.topic() == "orders").unwrap();
            assert_eq!((orders.index(), orders.leader(), orders.missing()), (0, Some(1), 0));
            assert_eq!(orders.part_of(1), Part::Leader);
            assert_eq!(orders.part_of(2), Part::None);
            assert!(!orders.topic_id().is_nil() && !orders.is_internal());
            assert_eq!(placement.of(2).count(), 0);
        }
    }

    #[test]
    fn what_a_broker_is_to_a_partition_is_told_by_leader_in_sync_set_and_replicas() {
        let placement = placement(&[
            ("t", 0, 2, &[1, 2, 3, 4, 5], &[1, 2], &[5]),
            ("t", 1, -1, &[3], &[3], &[]),
        ]);
        let mut partitions = placement.partitions();
        let first = partitions.next().unwrap();
        let parts: Vec<_> = (1..=6).map(|broker| first.part_of(broker)).collect();
        let (behind, offline) = (Part::Behind, Part::Offline);
        assert_eq!(parts, [Part::InSync, Part::Leader, behind, behind, offline, Part::None]);
        assert_eq!(first.missing(), 3);
        let second = partitions.next().unwrap();
        assert_eq!((second.leader(), second.part_of(3)), (None, Part::InSync));
    }
}

//! Changes of a cluster's membership, and of who leads. Each says what the server said; what that means is for the action
//! that asked to decide, after it has read again.

use std::collections::BTreeMap;

use agent_sdk::config::Address;
use kafka_protocol::messages::add_raft_voter_request::Listener;
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::{
    AddRaftVoterRequest, BrokerId, ElectLeadersRequest, RemoveRaftVoterRequest, TopicName, UnregisterBrokerRequest,
};
use tokio::time::Instant;
use uuid::Uuid;

use super::placement::text;
use super::{AskError, accept, left};
use crate::client::{Code, Link};

/// A controller that is to vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter<'a> {
    /// node.id.
    pub id: i32,
    /// directory.id of the directory that holds its metadata log.
    pub directory: Uuid,
    /// Its listeners for controllers, by their names.
    pub listeners: &'a [(String, Address)],
}

/// Takes a controller among the voters. The leader waits for it to catch up.
pub async fn add_voter(link: &mut Link, cluster_id: &str, voter: &Voter<'_>, end: Instant) -> Result<(), AskError> {
    let listener = |(name, address): &(String, Address)| {
        let listener = Listener::default().with_name(text(name));
        listener.with_host(text(address.host())).with_port(address.port())
    };
    let within = left(end);
    let request = AddRaftVoterRequest::default()
        .with_cluster_id(Some(text(cluster_id)))
        .with_timeout_ms(i32::try_from(within.as_millis()).unwrap_or(i32::MAX))
        .with_voter_id(voter.id)
        .with_voter_directory_id(voter.directory)
        .with_listeners(voter.listeners.iter().map(listener).collect());
    let told = link.call(&request, within).await?;
    accept::<AddRaftVoterRequest>(link, told.error_code, told.error_message.as_deref())
}

/// Takes a voter out.
pub async fn remove_voter(
    link: &mut Link,
    cluster_id: &str,
    id: i32,
    directory: Uuid,
    end: Instant,
) -> Result<(), AskError> {
    let request = RemoveRaftVoterRequest::default()
        .with_cluster_id(Some(text(cluster_id)))
        .with_voter_id(id)
        .with_voter_directory_id(directory);
    let told = link.call(&request, left(end)).await?;
    accept::<RemoveRaftVoterRequest>(link, told.error_code, told.error_message.as_deref())
}

/// Forgets a broker. Kafka does so whether it lives or not.
pub async fn unregister(link: &mut Link, id: i32, end: Instant) -> Result<(), AskError> {
    let request = UnregisterBrokerRequest::default().with_broker_id(BrokerId(id));
    let told = link.call(&request, left(end)).await?;
    accept::<UnregisterBrokerRequest>(link, told.error_code, told.error_message.as_deref())
}

/// Has the preferred replicas of these partitions lead, by topic and number; says of which it was not done, and why.
pub async fn elect<'a>(
    link: &mut Link,
    partitions: impl Iterator<Item = (&'a str, i32)>,
    end: Instant,
) -> Result<Vec<(String, i32, Code)>, AskError> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in partitions {
        topics.entry(topic).or_default().push(partition);
    }
    let topic = |(name, partitions): (&str, Vec<i32>)| {
        let topic = TopicPartitions::default().with_topic(TopicName(text(name)));
        topic.with_partitions(partitions)
    };
    let within = left(end);
    // 0 is the election of the preferred replica.
    let request = ElectLeadersRequest::default()
        .with_election_type(0)
        .with_topic_partitions(Some(topics.into_iter().map(topic).collect()))
        .with_timeout_ms(i32::try_from(within.as_millis()).unwrap_or(i32::MAX));
    let told = link.call(&request, within).await?;
    accept::<ElectLeadersRequest>(link, told.error_code, None)?;
    let topics = told.replica_election_results.into_iter();
    let all = topics.flat_map(|topic| {
        let name = topic.topic.to_string();
        let partitions = topic.partition_result.into_iter();
        partitions.map(move |told| (name.clone(), told.partition_id, Code(told.error_code)))
    });
    let done = |code: Code| code.is_success() || code == Code::ELECTION_NOT_NEEDED;
    Ok(all.filter(|(_, _, code)| !done(*code)).collect())
}

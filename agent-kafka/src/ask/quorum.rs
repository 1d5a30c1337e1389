//! The quorum of the metadata log: who votes, who leads, who only follows.
//!
//! A broker passes the question on to the leader; a controller that does not lead answers that it does not. Without a
//! majority nobody answers, or one who led once says that nothing is committed: see [`Quorum::works`].

use agent_sdk::config::Address;
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::describe_quorum_response::{self as answer, ReplicaState};
use kafka_protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;
use uuid::Uuid;

use super::{AskError, accept, left};
use crate::client::Link;

/// The topic of the metadata log. It has one partition.
pub const TOPIC: &str = "__cluster_metadata";

/// Who votes, who leads, who only follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// The leader's id, where there is a leader.
    pub leader: Option<i32>,
    /// How often a leader was elected.
    pub epoch: i32,
    /// Up to where the log is committed; none without a majority.
    pub committed: Option<i64>,
    /// Who votes. A node whose disk was replaced can be there twice, with its old directory and its new one.
    pub voters: Vec<Replica>,
    /// Brokers, and controllers that do not vote.
    pub observers: Vec<Replica>,
    /// The listeners of the voters.
    pub nodes: Vec<Node>,
}

/// A copy of the metadata log, by the directory that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replica {
    /// node.id.
    pub id: i32,
    /// directory.id of its log directory; none for voters that are laid down in every node's configuration, and for
    /// observers of old releases.
    pub directory: Option<Uuid>,
    /// How far it is, as the leader knows it; none where it has not fetched since the leader was elected.
    pub end: Option<i64>,
    /// When it last had everything, in milliseconds of the leader's clock; none where it never had.
    pub caught_up_ms: Option<i64>,
}

/// A voter's listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// node.id.
    pub id: i32,
    /// By the listeners' names.
    pub listeners: Vec<(String, Address)>,
}

/// How far behind the leader a copy may be and still be up to date, in milliseconds of the leader's clock. An idle log grows
/// by a record each half second, and a copy that follows asks for more all the time.
const LATE_MS: i64 = 5_000;

impl Quorum {
    /// Whether there is a leader with a majority.
    pub const fn works(&self) -> bool {
        self.leader.is_some() && self.committed.is_some()
    }

    /// The voter of this id and directory. Where one side does not know the directory, the id has to do.
    pub fn voter(&self, id: i32, directory: Option<Uuid>) -> Option<&Replica> {
        let mut voters = self.voters.iter();
        voters.find(|voter| voter.is(id, directory))
    }

    /// The observer of this id and directory.
    pub fn observer(&self, id: i32, directory: Option<Uuid>) -> Option<&Replica> {
        let mut observers = self.observers.iter();
        observers.find(|observer| observer.is(id, directory))
    }

    /// Whether this copy has what the leader has, give or take what is on its way.
    pub fn is_up_to_date(&self, replica: &Replica) -> bool {
        let leads = |voter: &&Replica| Some(voter.id) == self.leader;
        let now = self.voters.iter().find(leads).and_then(|leader| leader.caught_up_ms);
        match (now, replica.caught_up_ms) {
            (Some(now), Some(then)) => now.saturating_sub(then) <= LATE_MS,
            _ => false,
        }
    }

    /// The voters' ids, each once, in rising order.
    pub fn voter_ids(&self) -> Vec<i32> {
        let mut ids: Vec<_> = self.voters.iter().map(|voter| voter.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Where a voter is reached, by the listener of this name; by its first one, where it has told the quorum none of that
    /// name.
    pub fn address(&self, id: i32, listener: Option<&str>) -> Option<&Address> {
        let node = self.nodes.iter().find(|node| node.id == id)?;
        let named = node.listeners.iter().find(|(name, _)| Some(name.as_str()) == listener);
        named.or_else(|| node.listeners.first()).map(|(_, address)| address)
    }
}

impl Replica {
    fn is(&self, id: i32, directory: Option<Uuid>) -> bool {
        let same = match (self.directory, directory) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        self.id == id && same
    }
}

/// Asks for the quorum.
pub async fn ask(link: &mut Link, end: Instant) -> Result<Quorum, AskError> {
    let topic = TopicData::default()
        .with_topic_name(TopicName(StrBytes::from_static_str(TOPIC)))
        .with_partitions(vec![PartitionData::default()]);
    let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
    let told = link.call(&request, left(end)).await?;
    let accept = |code, said: Option<&StrBytes>| accept::<DescribeQuorumRequest>(link, code, said.map(|said| &**said));
    accept(told.error_code, told.error_message.as_ref())?;
    let partition = told.topics.iter().flat_map(|topic| &topic.partitions).next();
    if let Some(partition) = partition {
        accept(partition.error_code, partition.error_message.as_ref())?;
    }
    Ok(read(&told))
}

/// Reads an answer without errors.
fn read(told: &DescribeQuorumResponse) -> Quorum {
    let partition = told.topics.iter().flat_map(|topic| &topic.partitions).next();
    let known = |number: i64| (number >= 0).then_some(number);
    let replica = |state: &ReplicaState| Replica {
        id: *state.replica_id,
        directory: Some(state.replica_directory_id).filter(|id| !id.is_nil()),
        end: known(state.log_end_offset),
        caught_up_ms: known(state.last_caught_up_timestamp),
    };
    let node = |node: &answer::Node| Node {
        id: *node.node_id,
        listeners: node
            .listeners
            .iter()
            .map(|listener| (listener.name.to_string(), Address::new(&listener.host, listener.port)))
            .collect(),
    };
    let of = |replicas: fn(&answer::PartitionData) -> &Vec<ReplicaState>| {
        partition.map(replicas).into_iter().flatten().map(replica).collect()
    };
    Quorum {
        leader: partition.map(|partition| *partition.leader_id).filter(|id| *id >= 0),
        epoch: partition.map_or(-1, |partition| partition.leader_epoch),
        committed: partition.and_then(|partition| known(partition.high_watermark)),
        voters: of(|partition| &partition.current_voters),
        observers: of(|partition| &partition.observers),
        nodes: told.nodes.iter().map(node).collect(),
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::ApiKey;

    use super::*;
    use crate::client::recorded::{self, RELEASES};

    fn replica(id: i32, directory: Option<u128>, caught_up_ms: Option<i64>) -> Replica {
        Replica {
            id,
            directory: directory.map(Uuid::from_u128),
            end: Some(1),
            caught_up_ms,
        }
    }

    #[test]
    fn recorded_answers_of_both_releases_are_read() {
        for (release, _) in RELEASES {
            let exchange = recorded::first(release, "broker", ApiKey::DescribeQuorum as i16);
            let quorum = read(&recorded::read::<DescribeQuorumRequest>(&exchange));
            assert!(quorum.works(), "{quorum:?}");
            assert_eq!((quorum.leader, quorum.voter_ids()), (Some(1), vec![1]));
            let voter = quorum.voter(1, None).unwrap();
            assert!(voter.directory.is_some() && quorum.is_up_to_date(voter), "{voter:?}");
            assert_eq!(quorum.nodes[0].listeners[0].0, "CONTROLLER");
            assert!(quorum.address(1, None).is_some() && quorum.address(2, None).is_none());
        }
    }

    #[test]
    fn a_copy_is_known_by_its_id_and_its_directory() {
        let quorum = Quorum {
            leader: Some(1),
            epoch: 3,
            committed: Some(9),
            voters: vec![replica(1, Some(10), Some(9_000)), replica(2, Some(20), Some(8_000))],
            observers: vec![replica(2, Some(21), Some(3_000)), replica(3, None, None)],
            nodes: Vec::new(),
        };
        let directory = |id| Some(Uuid::from_u128(id));
        assert!(quorum.voter(2, directory(20)).is_some());
        assert!(quorum.voter(2, directory(21)).is_none(), "its disk was replaced");
        assert!(quorum.observer(2, directory(21)).is_some());
        assert!(quorum.voter(2, None).is_some(), "nobody knows its directory");
        assert!(quorum.observer(3, directory(30)).is_some());
        assert!(quorum.is_up_to_date(quorum.voter(2, directory(20)).unwrap()));
        assert!(
            !quorum.is_up_to_date(quorum.observer(2, directory(21)).unwrap()),
            "6 s behind"
        );
        assert!(!quorum.is_up_to_date(quorum.observer(3, None).unwrap()));
        assert_eq!(quorum.voter_ids(), [1, 2]);
    }

    #[test]
    fn without_a_majority_nothing_is_committed() {
        let none = Quorum {
            leader: Some(1),
            epoch: 3,
            committed: None,
            voters: Vec::new(),
            observers: Vec::new(),
            nodes: Vec::new(),
        };
        assert!(!none.works());
        let leaderless = Quorum {
            leader: None,
            committed: Some(1),
            ..none
        };
        assert!(!leaderless.works());
    }
}

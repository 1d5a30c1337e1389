//! What the client can ask: which versions of it, what comes back, and whether it changes anything.

use bytes::Bytes;
use kafka_protocol::messages::{
    AddRaftVoterRequest, AddRaftVoterResponse, AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, DescribeClusterRequest, DescribeClusterResponse,
    DescribeConfigsRequest, DescribeConfigsResponse, DescribeLogDirsRequest, DescribeLogDirsResponse,
    DescribeQuorumRequest, DescribeQuorumResponse, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    ElectLeadersRequest, ElectLeadersResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, MetadataRequest, MetadataResponse,
    RemoveRaftVoterRequest, RemoveRaftVoterResponse, SaslAuthenticateRequest, SaslAuthenticateResponse,
    SaslHandshakeRequest, SaslHandshakeResponse, UnregisterBrokerRequest, UnregisterBrokerResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion};

use super::answers::{self, Fields};
use super::error::Garbage;
use super::wire;

/// A request that the client knows.
pub trait Call: Encodable + HeaderVersion + Sync {
    /// What comes back.
    type Answer: Decodable + HeaderVersion + Send;
    /// Its key.
    const KEY: ApiKey;
    /// Its name, as Kafka's documentation has it.
    const NAME: &'static str;
    /// Whether it changes anything, so that sending it again is not for the client to decide.
    const CHANGES: bool;
    /// What has to listen for it to be known there.
    const NEEDS: &'static str;
    /// The versions that are asked for, each with the fields of its answer, in rising order. Every version is one that
    /// `kafka-protocol` decodes. Where there are two, the older one is for 3.9.
    const ANSWERS: &'static [(i16, Fields)];
}

const READS: bool = false;
const CHANGES: bool = true;

const ANY: &str = "Kafka 3.9 or newer";
const KRAFT: &str = "Kafka 3.9 or newer in KRaft mode";
const BROKER: &str = "a broker's listener, of Kafka 3.9 or newer";

fn read_as<C: Call>(version: i16, correlation: i32, frame: Bytes) -> Option<Result<(), Garbage>> {
    let (_, fields) = C::ANSWERS.iter().copied().find(|(known, _)| *known == version)?;
    let body = wire::uncover::<C>(frame, version, correlation);
    Some(body.and_then(|body| wire::decode::<C>(body, version, fields).map(drop)))
}

macro_rules! calls {
    ($($name:literal $key:ident: $changes:ident, $needs:ident,
        $request:ty => $answer:ty [$($version:literal: $fields:ident),+];)+) => {
        $(impl Call for $request {
            type Answer = $answer;
            const KEY: ApiKey = ApiKey::$key;
            const NAME: &'static str = $name;
            const CHANGES: bool = $changes;
            const NEEDS: &'static str = $needs;
            const ANSWERS: &'static [(i16, Fields)] = &[$(($version, answers::$fields)),+];
        })+

        /// Reads a frame, its length taken off, as the answer to the request of this key in this version: what the client does
        /// with whatever comes, without a connection, for fuzzing it. `None` where the client asks for no such version.
        pub fn read(key: i16, version: i16, correlation: i32, frame: Bytes) -> Option<Result<(), Garbage>> {
            $(if key == ApiKey::$key as i16 {
                return read_as::<$request>(version, correlation, frame);
            })+
            None
        }

        /// All of them, for tests that hold for each.
        #[cfg(test)]
        pub(super) const ALL: &[tests::Known] = &[$(tests::Known::new::<$request>()),+];
    };
}

calls! {
    "ApiVersions" ApiVersions: READS, ANY,
        ApiVersionsRequest => ApiVersionsResponse [0: API_VERSIONS_0, 4: API_VERSIONS_4];
    "SaslHandshake" SaslHandshake: READS, ANY,
        SaslHandshakeRequest => SaslHandshakeResponse [1: SASL_HANDSHAKE_1];
    "SaslAuthenticate" SaslAuthenticate: READS, ANY,
        SaslAuthenticateRequest => SaslAuthenticateResponse [2: SASL_AUTHENTICATE_2];
    "DescribeCluster" DescribeCluster: READS, ANY,
        DescribeClusterRequest => DescribeClusterResponse [1: DESCRIBE_CLUSTER_1, 2: DESCRIBE_CLUSTER_2];
    "DescribeConfigs" DescribeConfigs: READS, ANY,
        DescribeConfigsRequest => DescribeConfigsResponse [4: DESCRIBE_CONFIGS_4];
    "DescribeQuorum" DescribeQuorum: READS, KRAFT,
        DescribeQuorumRequest => DescribeQuorumResponse [2: DESCRIBE_QUORUM_2];
    "Metadata" Metadata: READS, BROKER,
        MetadataRequest => MetadataResponse [12: METADATA_12];
    "DescribeTopicPartitions" DescribeTopicPartitions: READS, BROKER,
        DescribeTopicPartitionsRequest => DescribeTopicPartitionsResponse [0: DESCRIBE_TOPIC_PARTITIONS_0];
    "DescribeLogDirs" DescribeLogDirs: READS, BROKER,
        DescribeLogDirsRequest => DescribeLogDirsResponse [4: DESCRIBE_LOG_DIRS_4];
    "ListOffsets" ListOffsets: READS, BROKER,
        ListOffsetsRequest => ListOffsetsResponse [9: LIST_OFFSETS_9];
    "ListPartitionReassignments" ListPartitionReassignments: READS, ANY,
        ListPartitionReassignmentsRequest => ListPartitionReassignmentsResponse [0: LIST_PARTITION_REASSIGNMENTS_0];
    "AlterPartitionReassignments" AlterPartitionReassignments: CHANGES, ANY,
        AlterPartitionReassignmentsRequest => AlterPartitionReassignmentsResponse [0: ALTER_PARTITION_REASSIGNMENTS_0];
    "ElectLeaders" ElectLeaders: CHANGES, ANY,
        ElectLeadersRequest => ElectLeadersResponse [2: ELECT_LEADERS_2];
    "AddRaftVoter" AddRaftVoter: CHANGES, KRAFT,
        AddRaftVoterRequest => AddRaftVoterResponse [0: CODE_AND_MESSAGE];
    "RemoveRaftVoter" RemoveRaftVoter: CHANGES, KRAFT,
        RemoveRaftVoterRequest => RemoveRaftVoterResponse [0: CODE_AND_MESSAGE];
    "UnregisterBroker" UnregisterBroker: CHANGES, KRAFT,
        UnregisterBrokerRequest => UnregisterBrokerResponse [0: CODE_AND_MESSAGE];
}

#[cfg(test)]
pub(super) mod tests {
    use kafka_protocol::protocol::{Message, VersionRange};

    use super::*;

    /// A request, whichever it is.
    pub(in super::super) struct Known {
        pub(in super::super) key: i16,
        pub(in super::super) name: &'static str,
        pub(in super::super) answers: &'static [(i16, Fields)],
        /// What `kafka-protocol` knows of it.
        versions: VersionRange,
        uncover: fn(Bytes, i16, i32) -> Result<Bytes, Garbage>,
        again: fn(Bytes, i16, Fields) -> Result<Vec<u8>, Garbage>,
    }

    impl Known {
        pub(super) const fn new<C: Call<Answer: Encodable> + Message>() -> Self {
            Self {
                key: C::KEY as i16,
                name: C::NAME,
                answers: C::ANSWERS,
                versions: C::VERSIONS,
                uncover: wire::uncover::<C>,
                again: again::<C>,
            }
        }

        pub(in super::super) fn fields(&self, version: i16) -> Fields {
            let mut answers = self.answers.iter();
            answers
                .find(|(known, _)| *known == version)
                .expect("a version that is asked for")
                .1
        }

        /// Takes the header off an answer.
        pub(in super::super) fn uncover(&self, frame: Bytes, version: i16, correlation: i32) -> Result<Bytes, Garbage> {
            (self.uncover)(frame, version, correlation)
        }

        /// Reads an answer as the client does, and writes it as a broker would.
        pub(in super::super) fn again(&self, body: Bytes, version: i16) -> Result<Vec<u8>, Garbage> {
            (self.again)(body, version, self.fields(version))
        }
    }

    fn again<C: Call<Answer: Encodable>>(body: Bytes, version: i16, fields: Fields) -> Result<Vec<u8>, Garbage> {
        let answer = wire::decode::<C>(body, version, fields)?;
        let mut again = Vec::new();
        answer.encode(&mut again, version).unwrap();
        Ok(again)
    }

    #[test]
    fn every_version_is_one_that_the_library_has() {
        for known in ALL {
            let versions: Vec<_> = known.answers.iter().map(|(version, _)| *version).collect();
            let decodes = |version: &i16| (known.versions.min..=known.versions.max).contains(version);
            assert!(versions.iter().all(decodes), "{}", known.name);
            assert!(versions.is_sorted() && !versions.is_empty(), "{}", known.name);
        }
    }
}

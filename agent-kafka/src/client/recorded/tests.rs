use kafka_protocol::messages::{
    AddRaftVoterRequest, AlterPartitionReassignmentsRequest, ApiKey, ApiVersionsRequest, DescribeClusterRequest,
    DescribeConfigsRequest, DescribeLogDirsRequest, DescribeQuorumRequest, DescribeTopicPartitionsRequest,
    ElectLeadersRequest, ListOffsetsRequest, ListPartitionReassignmentsRequest, MetadataRequest,
    RemoveRaftVoterRequest, UnregisterBrokerRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::*;
use crate::client::call;
use crate::client::code::Code;
use crate::client::shape;
use crate::client::versions::{KRAFT_VERSION, METADATA_VERSION, Versions};

fn from<C: Call>(release: &str, listener: &str) -> C::Answer {
    read::<C>(&first(release, listener, C::KEY as i16))
}

#[test]
fn real_answers_are_let_through_and_read_as_they_were_written() {
    for (release, _) in RELEASES {
        let exchanges = of(release);
        for known in call::ALL {
            let mut asked = exchanges
                .iter()
                .filter(|exchange| exchange.asks().0 == known.key)
                .peekable();
            assert!(asked.peek().is_some(), "{} of {release}", known.name);
            for exchange in asked {
                let (_, version) = exchange.asks();
                let body = known
                    .uncover(exchange.answer.clone(), version, exchange.correlation())
                    .unwrap();
                let extent = shape::walk(&body, known.fields(version)).unwrap();
                assert_eq!(extent.unknown, 0, "{} of {release}", known.name);
                let again = known.again(body.clone(), version).unwrap();
                assert_eq!(again, body, "{} of {release}", known.name);
            }
        }
    }
}

#[test]
fn what_is_fuzzed_is_what_is_read() {
    for (release, _) in RELEASES {
        for exchange in of(release) {
            let (key, version) = exchange.asks();
            let read = |correlation| call::read(key, version, correlation, exchange.answer.clone());
            assert!(matches!(read(exchange.correlation()), Some(Ok(()))));
            assert!(matches!(read(exchange.correlation() + 1), Some(Err(_))));
        }
    }
    assert!(
        call::read(3, 1, 0, Bytes::new()).is_none(),
        "Metadata is not asked for in version 1"
    );
    assert!(call::read(9_999, 0, 0, Bytes::new()).is_none());
}

/// Makes the fuzz target's corpus (`fuzz/corpus/answers`) from the recordings: key, version and correlation in front of each.
#[test]
#[ignore = "writes the corpus of the fuzz target"]
fn the_corpus_is_made() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/answers");
    std::fs::create_dir_all(&directory).unwrap();
    for (release, _) in RELEASES {
        for (number, exchange) in of(release).iter().enumerate() {
            let (key, version) = exchange.asks();
            let head = [
                &key.to_be_bytes()[..],
                &version.to_be_bytes(),
                &exchange.correlation().to_be_bytes(),
            ];
            let seed = [&head.concat()[..], &exchange.answer].concat();
            std::fs::write(directory.join(format!("{release}-{number}")), seed).unwrap();
        }
    }
}

#[test]
fn requests_are_written_as_they_were_accepted() {
    for (release, _) in RELEASES {
        let recorded = first(release, "broker", ApiKey::DescribeQuorum as i16);
        let topic = kafka_protocol::messages::describe_quorum_request::TopicData::default()
            .with_topic_name(kafka_protocol::messages::TopicName(StrBytes::from_static_str(
                "__cluster_metadata",
            )))
            .with_partitions(vec![
                kafka_protocol::messages::describe_quorum_request::PartitionData::default(),
            ]);
        let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
        let frame = wire::encode(&request, 2, recorded.correlation()).unwrap();
        assert_eq!(frame[4..], recorded.request);
        assert_eq!(frame[..4], u32::try_from(recorded.request.len()).unwrap().to_be_bytes());
    }
}

#[test]
fn the_release_is_told_by_its_highest_level() {
    for (release, level, cluster) in [("3.9.2", 21, 1), ("4.3.0", 30, 2)] {
        for listener in ["broker", "controller", "sasl"] {
            let versions = Versions::new(&from::<ApiVersionsRequest>(release, listener));
            assert_eq!(versions.metadata_version(), Some(level));
            assert_eq!(versions.feature(METADATA_VERSION).unwrap().finalized, Some(level));
            // One node that was formatted with `--standalone`: its voters can be changed.
            assert_eq!(versions.feature(KRAFT_VERSION).unwrap().finalized, Some(1));
            assert_eq!(versions.choose::<DescribeClusterRequest>(), Ok(cluster));
        }
        let broker = Versions::new(&from::<ApiVersionsRequest>(release, "broker"));
        for known in call::ALL {
            let offered = from::<ApiVersionsRequest>(release, "broker");
            assert!(
                offered.api_keys.iter().any(|api| api.api_key == known.key),
                "{}",
                known.name
            );
        }
        broker.choose::<MetadataRequest>().unwrap();
        let controller = Versions::new(&from::<ApiVersionsRequest>(release, "controller"));
        controller.choose::<AddRaftVoterRequest>().unwrap();
        assert!(controller.choose::<MetadataRequest>().is_err());
    }
}

#[test]
fn what_an_agent_reads_of_a_node_is_there() {
    for (release, _) in RELEASES {
        let cluster = from::<DescribeClusterRequest>(release, "broker");
        assert_eq!((cluster.cluster_id.len(), cluster.brokers.len()), (22, 1));
        assert_eq!(*cluster.brokers[0].broker_id, 1);
        let controllers = from::<DescribeClusterRequest>(release, "controller");
        assert_eq!((controllers.endpoint_type, *controllers.controller_id), (2, 1));

        for listener in ["broker", "controller"] {
            let quorum = from::<DescribeQuorumRequest>(release, listener);
            let partition = &quorum.topics[0].partitions[0];
            assert_eq!(*partition.leader_id, 1);
            assert!(partition.high_watermark > 0);
            assert_eq!(partition.current_voters.len(), 1);
            assert!(!partition.current_voters[0].replica_directory_id.is_nil());
            assert_eq!(quorum.nodes[0].listeners[0].name.as_str(), "CONTROLLER");
            let configs = from::<DescribeConfigsRequest>(release, listener);
            let of = |name: &str| {
                let mut configs = configs.results[0].configs.iter();
                configs
                    .find(|config| config.name.as_str() == name)
                    .unwrap()
                    .value
                    .clone()
                    .unwrap()
                    .to_string()
            };
            assert_eq!(
                (of("node.id"), of("process.roles")),
                ("1".into(), "broker,controller".into())
            );
        }
    }
}

#[test]
fn what_an_agent_reads_of_partitions_is_there() {
    for (release, _) in RELEASES {
        let all = |exchange: &Exchange| exchange.asks().0 == ApiKey::Metadata as i16;
        let metadata = of(release).into_iter().rfind(all).unwrap();
        let metadata = read::<MetadataRequest>(&metadata);
        let orders = metadata
            .topics
            .iter()
            .find(|topic| topic.name.as_ref().is_some_and(|name| name.as_str() == "orders"));
        let partition = &orders.unwrap().partitions[0];
        assert_eq!((*partition.leader_id, partition.isr_nodes.len()), (1, 1));

        let described = from::<DescribeTopicPartitionsRequest>(release, "broker");
        assert_eq!(described.topics[0].topic_id, orders.unwrap().topic_id);
        assert!(described.next_cursor.is_none());

        let dirs = from::<DescribeLogDirsRequest>(release, "broker");
        assert!(
            dirs.results[0]
                .topics
                .iter()
                .any(|topic| topic.name.as_str() == "orders")
        );
        assert!(dirs.results[0].total_bytes >= dirs.results[0].usable_bytes);

        let offsets = from::<ListOffsetsRequest>(release, "broker");
        // Not in the order of the request: those that fail come first.
        let of = |index| {
            let mut partitions = offsets.topics[0].partitions.iter();
            let found = partitions.find(|partition| partition.partition_index == index).unwrap();
            (Code(found.error_code), found.offset)
        };
        assert_eq!(of(0), (Code::NONE, 0));
        assert_eq!(of(7), (Code::UNKNOWN_TOPIC_OR_PARTITION, -1));
        assert!(
            from::<ListPartitionReassignmentsRequest>(release, "broker")
                .topics
                .is_empty()
        );
    }
}

#[test]
fn changes_that_are_refused_say_why() {
    for (release, _) in RELEASES {
        let added = from::<AddRaftVoterRequest>(release, "broker").error_code;
        assert_eq!(Code(added), Code::INCONSISTENT_CLUSTER_ID);
        let removed = from::<RemoveRaftVoterRequest>(release, "broker").error_code;
        assert_eq!(Code(removed), Code::VOTER_NOT_FOUND);
        let unregistered = from::<UnregisterBrokerRequest>(release, "broker").error_code;
        assert_eq!(Code(unregistered), Code::BROKER_ID_NOT_REGISTERED);
        assert_eq!(from::<ElectLeadersRequest>(release, "broker").error_code, 0);
        let cancelled = from::<AlterPartitionReassignmentsRequest>(release, "broker");
        let cancelled = cancelled.responses[0].partitions[0].error_code;
        assert_eq!(Code(cancelled), Code::NO_REASSIGNMENT_IN_PROGRESS);
    }
}

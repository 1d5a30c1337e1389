//! Makes the recordings in `recorded/` anew, from a running cluster of one node:
//!
//! ```text
//! cargo testbed up kafka --nodes 1 --version 3.9.2
//! KAFKA_RELEASE=3.9.2 KAFKA_BROKER=127.0.0.1:… KAFKA_CONTROLLER=127.0.0.1:… \
//!     cargo test -p agent-kafka --lib -- --ignored client::recording
//! ```
//!
//! `KAFKA_SASL=127.0.0.1:…` names a listener with `SASL_PLAINTEXT`; without it the exchanges of the login are kept as they
//! are in the file. The broker has to know the user `agent` with the password `only-for-tests`: by SCRAM, which
//! `StorageTool format` takes with `--add-scram 'SCRAM-SHA-256=[name=agent,password=only-for-tests]'` and the same for
//! `SCRAM-SHA-512`, and by PLAIN. For a listener of the name `SASL`:
//!
//! ```text
//! sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
//! listener.name.sasl.plain.sasl.jaas.config=…plain.PlainLoginModule required user_agent="only-for-tests";
//! listener.name.sasl.scram-sha-256.sasl.jaas.config=…scram.ScramLoginModule required;
//! listener.name.sasl.scram-sha-512.sasl.jaas.config=…scram.ScramLoginModule required;
//! ```

mod logins;
mod tape;

use std::path::PathBuf;
use std::time::Duration;

use self::tape::Tape;
use super::endpoint::Endpoint;
use super::link::Link;
use super::recorded;
use super::{Call, Code};
use agent_sdk::config::Address;
use kafka_protocol::messages::add_raft_voter_request::Listener;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    AddRaftVoterRequest, AlterPartitionReassignmentsRequest, ApiKey, BrokerId, DescribeClusterRequest,
    DescribeConfigsRequest, DescribeLogDirsRequest, DescribeQuorumRequest, DescribeTopicPartitionsRequest,
    ElectLeadersRequest, ListOffsetsRequest, ListPartitionReassignmentsRequest, MetadataRequest,
    RemoveRaftVoterRequest, TopicName, UnregisterBrokerRequest,
};
use kafka_protocol::messages::{alter_partition_reassignments_request, describe_topic_partitions_request};
use kafka_protocol::protocol::StrBytes;

const SOON: Duration = Duration::from_secs(20);
const TOPIC: &str = "orders";

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

async fn ask<C: Call>(link: &mut Link, request: C) -> C::Answer {
    link.call(&request, SOON)
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn topic() -> TopicName {
    TopicName(text(TOPIC))
}

fn quorum() -> DescribeQuorumRequest {
    let partition = PartitionData::default().with_partition_index(0);
    let topic = TopicData::default().with_topic_name(TopicName(text("__cluster_metadata")));
    DescribeQuorumRequest::default().with_topics(vec![topic.with_partitions(vec![partition])])
}

fn configs(id: i32) -> DescribeConfigsRequest {
    let keys = [
        "node.id",
        "process.roles",
        "controller.listener.names",
        "log.dirs",
        "listeners",
    ];
    let broker = DescribeConfigsResource::default().with_resource_type(4);
    let broker = broker.with_resource_name(text(&id.to_string()));
    let broker = broker.with_configuration_keys(Some(keys.map(StrBytes::from_static_str).to_vec()));
    DescribeConfigsRequest::default()
        .with_resources(vec![broker])
        .with_include_synonyms(true)
}

/// What both kinds of listener answer.
async fn common(link: &mut Link, endpoint_type: i8) {
    let versions = link.versions(SOON).await.unwrap();
    let fenced = versions.choose::<DescribeClusterRequest>().unwrap() >= 2;
    let cluster = DescribeClusterRequest::default().with_endpoint_type(endpoint_type);
    let cluster = cluster.with_include_fenced_brokers(fenced && endpoint_type == 1);
    assert!(ask(link, cluster).await.cluster_id.len() == 22);
    ask(link, quorum()).await;
    let mine = ask(link, configs(1)).await;
    assert_eq!(mine.results[0].error_code, 0);
    let another = ask(link, configs(99)).await;
    assert_eq!(Code(another.results[0].error_code), Code::INVALID_REQUEST);
}

async fn reads(link: &mut Link) {
    let named = MetadataRequestTopic::default().with_name(Some(topic()));
    let create = MetadataRequest::default()
        .with_topics(Some(vec![named]))
        .with_allow_auto_topic_creation(true);
    let all = || {
        MetadataRequest::default()
            .with_topics(None)
            .with_allow_auto_topic_creation(false)
    };
    ask(link, create).await;
    // Until it has a leader: what each look finds is on the tape, the last one is kept.
    while ask(link, all())
        .await
        .topics
        .iter()
        .all(|topic| topic.partitions.iter().any(|p| p.leader_id != 1))
    {}
    let named = describe_topic_partitions_request::TopicRequest::default().with_name(topic());
    let partitions = DescribeTopicPartitionsRequest::default().with_topics(vec![named]);
    ask(link, partitions.with_response_partition_limit(2000)).await;
    ask(link, DescribeLogDirsRequest::default().with_topics(None)).await;
    let partition = |index| {
        ListOffsetsPartition::default()
            .with_partition_index(index)
            .with_timestamp(-1)
    };
    let offsets = ListOffsetsTopic::default().with_name(topic());
    let offsets = offsets.with_partitions(vec![partition(0), partition(7)]);
    let local = ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-2))
        .with_topics(vec![offsets]);
    ask(link, local).await;
    ask(
        link,
        ListPartitionReassignmentsRequest::default()
            .with_timeout_ms(10_000)
            .with_topics(None),
    )
    .await;
}

/// Changes that change nothing.
async fn changes(link: &mut Link) {
    let elect = ElectLeadersRequest::default()
        .with_topic_partitions(None)
        .with_timeout_ms(10_000);
    ask(link, elect).await;
    let cancel = alter_partition_reassignments_request::ReassignablePartition::default().with_replicas(None);
    let cancel = alter_partition_reassignments_request::ReassignableTopic::default()
        .with_name(topic())
        .with_partitions(vec![cancel]);
    let cancel = AlterPartitionReassignmentsRequest::default().with_topics(vec![cancel]);
    ask(link, cancel.with_timeout_ms(10_000)).await;
    let listener = Listener::default()
        .with_name(text("CONTROLLER"))
        .with_host(text("127.0.0.1"))
        .with_port(1);
    let voter = AddRaftVoterRequest::default()
        .with_cluster_id(Some(text("AAAAAAAAAAAAAAAAAAAAAA")))
        .with_timeout_ms(10_000)
        .with_voter_id(2)
        .with_listeners(vec![listener]);
    let added = ask(link, voter).await;
    assert_eq!(Code(added.error_code), Code::INCONSISTENT_CLUSTER_ID);
    let absent = RemoveRaftVoterRequest::default()
        .with_cluster_id(None)
        .with_voter_id(99);
    // Without one it is a wrong request (42).
    let absent = absent.with_voter_directory_id(uuid::Uuid::from_u128(99));
    assert_eq!(Code(ask(link, absent).await.error_code), Code::VOTER_NOT_FOUND);
    let absent = UnregisterBrokerRequest::default().with_broker_id(BrokerId(99));
    assert_eq!(Code(ask(link, absent).await.error_code), Code::BROKER_ID_NOT_REGISTERED);
}

#[tokio::test]
#[ignore = "needs a running cluster, and writes the recordings anew"]
async fn recordings_are_made() {
    let release = variable("KAFKA_RELEASE").expect("KAFKA_RELEASE names the release");
    let at = |name: &str| variable(name).map(|address| address.parse::<Address>().unwrap());
    let (broker, controller) = (at("KAFKA_BROKER").unwrap(), at("KAFKA_CONTROLLER").unwrap());
    let tape = Tape::default();

    let broker = tape.towards("broker", broker).await;
    logins::none(&broker).await;
    let mut link = Link::new(Endpoint::plain(broker));
    common(&mut link, 1).await;
    reads(&mut link).await;
    changes(&mut link).await;
    let mut link = Link::new(Endpoint::plain(tape.towards("controller", controller).await));
    common(&mut link, 2).await;

    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("src/client/recorded/{release}.txt"));
    let logins_before = || {
        let before = recorded::parse(&std::fs::read_to_string(&file).unwrap_or_default());
        before
            .into_iter()
            .filter(|exchange| exchange.listener.starts_with("sasl"))
            .collect()
    };
    let logins: Vec<_> = match at("KAFKA_SASL") {
        Some(address) => {
            let tape = Tape::default();
            logins::all(&tape.towards("sasl", address).await).await;
            tape.all()
        }
        None => logins_before(),
    };
    let taped: Vec<_> = tape.last_of_each().into_iter().chain(logins).collect();
    let name = |key: i16| ApiKey::try_from(key).map_or(key.to_string(), |key| format!("{key:?}"));
    let heading = format!(
        "# Kafka {release}, one node, each request and its answer without their lengths; made by client/recording.rs.\n"
    );
    std::fs::write(&file, heading + &recorded::render(&taped, name)).unwrap();
}

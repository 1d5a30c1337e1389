//! Makes the recordings in `recorded/` anew, from a running cluster of one node:
//!
//! ```text
//! cargo testbed up kafka --nodes 1 --version 3.9.2
//! KAFKA_RELEASE=3.9.2 KAFKA_BROKER=127.0.0.1:… KAFKA_CONTROLLER=127.0.0.1:… \
//!     cargo test -p agent-kafka --lib -- --ignored client::recording
//! ```
//!
//! `KAFKA_SASL=127.0.0.1:…` names a listener of a broker with `SASL_PLAINTEXT` that knows the user `agent` with the
//! password `only-for-tests`, by PLAIN and by SCRAM; without it the exchanges of the login are kept as they are in the
//! file. The client goes through a port on loopback that writes down what passes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::endpoint::Endpoint;
use super::frame;
use super::link::Link;
use super::login::{Login, LoginError, Mechanism};
use super::recorded::{self, Exchange};
use super::tls::Tls;
use super::{Call, Code, Fault};
use crate::address::Address;

const SOON: Duration = Duration::from_secs(20);
const TOPIC: &str = "orders";

/// What passes.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<Exchange>>>);

impl Tape {
    /// A port that leads to the listener at this address, and writes down what passes as of the listener of this name.
    async fn towards(&self, name: &'static str, to: Address) -> Address {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tape = self.clone();
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut server = TcpStream::connect((to.host(), to.port())).await.unwrap();
                while let Ok(request) = frame::read(&mut client, usize::MAX).await {
                    send(&mut server, &request).await;
                    let Ok(answer) = frame::read(&mut server, usize::MAX).await else {
                        break;
                    };
                    let listener = name.to_owned();
                    tape.0.lock().unwrap().push(Exchange {
                        listener,
                        request,
                        answer: answer.clone(),
                    });
                    send(&mut client, &answer).await;
                }
            }
        });
        Address::new("127.0.0.1", port)
    }
}

async fn send(stream: &mut TcpStream, frame: &[u8]) {
    stream.write_i32(frame.len().try_into().unwrap()).await.unwrap();
    stream.write_all(frame).await.unwrap();
}

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

/// A listener that takes no SASL.
async fn no_login(address: &Address) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials");
    std::fs::write(&file, "agent:only-for-tests").unwrap();
    let mechanism = Mechanism::Plain;
    let mut link = Link::new(Endpoint {
        login: Some(Login { mechanism, file }),
        ..Endpoint::plain(address.clone())
    });
    let error = link.versions(SOON).await.unwrap_err();
    assert!(matches!(error.fault, Fault::Login(LoginError::None(_))), "{error}");
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

/// A login by every mechanism, and one that is refused.
async fn logins(address: &Address) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials");
    for (mechanism, line, refused) in [
        (Mechanism::Plain, "agent:only-for-tests", false),
        (Mechanism::ScramSha256, "agent:only-for-tests", false),
        (Mechanism::ScramSha512, "agent:only-for-tests", false),
        (Mechanism::ScramSha256, "agent:wrong", true),
    ] {
        std::fs::write(&file, line).unwrap();
        let login = Some(Login {
            mechanism,
            file: file.clone(),
        });
        let mut link = Link::new(Endpoint {
            login,
            ..Endpoint::plain(address.clone())
        });
        match link.versions(SOON).await {
            Ok(_) => assert!(!refused),
            Err(error) => assert!(refused && matches!(error.fault, Fault::Login(_)), "{error}"),
        }
    }
}

#[tokio::test]
#[ignore = "needs a running cluster, and writes the recordings anew"]
async fn recordings_are_made() {
    let release = variable("KAFKA_RELEASE").expect("KAFKA_RELEASE names the release");
    let at = |name: &str| variable(name).map(|address| address.parse::<Address>().unwrap());
    let (broker, controller) = (at("KAFKA_BROKER").unwrap(), at("KAFKA_CONTROLLER").unwrap());
    let tape = Tape::default();

    let broker = tape.towards("broker", broker).await;
    no_login(&broker).await;
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
            logins(&tape.towards("sasl", address).await).await;
            tape.0.lock().unwrap().clone()
        }
        None => logins_before(),
    };
    let mut taped = tape.0.lock().unwrap().clone();
    // Every connection begins with the same question, and the wait for a leader asks one over and over: one of each is
    // enough, the last.
    let later = |at: usize| taped[at + 1..].iter().any(|later| same(later, &taped[at]));
    let kept: Vec<_> = (0..taped.len()).filter(|at| !later(*at)).collect();
    taped = kept.into_iter().map(|at| taped[at].clone()).chain(logins).collect();

    let name = |key: i16| ApiKey::try_from(key).map_or(key.to_string(), |key| format!("{key:?}"));
    let heading = format!(
        "# Kafka {release}, one node, each request and its answer without their lengths; made by client/recording.rs.\n"
    );
    std::fs::write(&file, heading + &recorded::render(&taped, name)).unwrap();
}

/// Whether these are the same question at the same listener.
fn same(one: &Exchange, other: &Exchange) -> bool {
    one.listener == other.listener && one.request[..4] == other.request[..4] && one.request[8..] == other.request[8..]
}

#[tokio::test]
#[ignore = "needs a broker with SASL_SSL (KAFKA_SASL_TLS) and the certificate of its authority (KAFKA_CA)"]
async fn a_login_over_tls() {
    let address: Address = variable("KAFKA_SASL_TLS").unwrap().parse().unwrap();
    let authority = std::fs::read(variable("KAFKA_CA").unwrap()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials");
    std::fs::write(&file, "agent:only-for-tests").unwrap();
    let mechanism = Mechanism::ScramSha512;
    let tls = Tls::new(&authority, None).unwrap();
    let endpoint = Endpoint {
        tls: Some(tls.clone()),
        login: Some(Login { mechanism, file }),
        ..Endpoint::plain(address)
    };
    let mut link = Link::new(endpoint.clone());
    common(&mut link, 1).await;

    let expects_another = Endpoint {
        tls: Some(tls.expecting("kafka-2").unwrap()),
        ..endpoint.clone()
    };
    let error = Link::new(expects_another).versions(SOON).await.unwrap_err();
    assert!(matches!(error.fault, Fault::Tls(_)), "{error}");
    // Without TLS: the broker speaks it, whoever comes.
    let plain = Endpoint { tls: None, ..endpoint };
    let error = Link::new(plain).versions(SOON).await.unwrap_err();
    assert!(error.to_string().contains("TLS"), "{error}");
}

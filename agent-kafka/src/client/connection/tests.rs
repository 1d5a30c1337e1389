use kafka_protocol::messages::{
    AddRaftVoterRequest, AlterPartitionReassignmentsRequest, ApiKey, DescribeClusterRequest, UnregisterBrokerRequest,
};

use super::*;
use crate::client::endpoint::LARGEST_ANSWER;
use crate::client::fake::{Asked, Peer, Say};

const SOON: Duration = Duration::from_secs(20);
const AT_ONCE: Duration = Duration::from_millis(60);

/// What comes of asking a listener that says this.
async fn cluster(
    say: impl Fn(Asked) -> Say + Clone + Send + Sync + 'static,
    within: Duration,
) -> Result<String, Fault> {
    let peer = Peer::after_versions(say).await;
    let deadline = Deadline::after(within);
    let connection = Connection::open(&peer.endpoint(), deadline).await?;
    let (_, answer) = connection.call(&DescribeClusterRequest::default(), deadline).await?;
    Ok(answer.cluster_id.to_string())
}

#[tokio::test]
async fn a_recorded_answer_is_read() {
    assert_eq!(cluster(|_| Say::As("4.3.0"), SOON).await.unwrap().len(), 22);
}

#[tokio::test]
async fn whatever_else_is_said_is_told_apart() {
    let garbage = |fault: &Fault, says: &str| {
        assert!(matches!(fault, Fault::Garbage { .. }), "{fault:?}");
        assert!(fault.to_string().contains(says), "{fault}");
        assert!(!fault.is_passing());
    };
    let two_gib = cluster(|_| Say::Raw(b"\x7f\xff\xff\xff".to_vec()), SOON)
        .await
        .unwrap_err();
    garbage(&two_gib, "announces 2147483647 bytes");
    let web = cluster(|_| Say::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), SOON)
        .await
        .unwrap_err();
    garbage(&web, "HTTP");
    let another = cluster(|_| Say::Raw(b"\0\0\0\x05\0\0\0\x63\0".to_vec()), SOON)
        .await
        .unwrap_err();
    garbage(&another, "answers request 99, not 2");
    let nonsense = cluster(|_| Say::Body(vec![0xff; 40]), SOON).await.unwrap_err();
    garbage(&nonsense, "a variable-length number");
    let closed = cluster(|_| Say::Last(Vec::new()), SOON).await.unwrap_err();
    assert!(
        matches!(closed, Fault::Closed { .. }) && closed.is_passing(),
        "{closed:?}"
    );
    let cut = cluster(|_| Say::Last(b"\0\0\0\x20\0\0".to_vec()), SOON)
        .await
        .unwrap_err();
    assert!(matches!(cut, Fault::Closed { .. }), "{cut:?}");
}

#[tokio::test]
async fn silence_costs_the_deadline_and_no_more() {
    let silent = cluster(|_| Say::Nothing, AT_ONCE).await.unwrap_err();
    assert_eq!(silent.to_string(), "no answer to DescribeCluster within 60 ms");
    // As of a frozen broker, which the system accepts connections for.
    let frozen = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = frozen.local_addr().unwrap().to_string().parse().unwrap();
    let silent = Connection::open(&Endpoint::plain(address), Deadline::after(AT_ONCE))
        .await
        .err()
        .unwrap();
    assert_eq!(silent.to_string(), "no answer to ApiVersions within 60 ms");
    // Of an answer that does not come to its end, too.
    let slow = cluster(|_| Say::Raw(b"\0\0\0\x20\0\0\0\x02".to_vec()), AT_ONCE)
        .await
        .unwrap_err();
    assert!(matches!(slow, Fault::Silent { .. }), "{slow:?}");
}

#[tokio::test]
async fn an_old_listener_is_asked_again_in_its_own_version() {
    let peer = Peer::start(|asked| {
        // As 3.9.2 and 4.3.0 answer to a version that they do not know.
        let knows_itself = b"\0\0\0\x01\0\x12\0\0\0\x04";
        Say::Body(if asked.version == 4 {
            [b"\0\x23", &knows_itself[..]].concat()
        } else {
            [b"\0\0", &knows_itself[..]].concat()
        })
    })
    .await;
    let connection = Connection::open(&peer.endpoint(), Deadline::after(SOON)).await.unwrap();
    assert_eq!(peer.times(ApiKey::ApiVersions), 2);
    let unknown = connection
        .call(&AddRaftVoterRequest::default(), Deadline::after(SOON))
        .await
        .err()
        .unwrap();
    assert_eq!(
        unknown.to_string(),
        "the listener has no AddRaftVoter: Kafka 3.9 or newer in KRaft mode is needed"
    );
    assert_eq!(peer.times(ApiKey::AddRaftVoter), 0);
}

#[tokio::test]
async fn an_answer_above_the_limit_is_not_read() {
    let peer = Peer::after_versions(|_| Say::Nothing).await;
    let endpoint = Endpoint {
        largest_answer: 100,
        ..peer.endpoint()
    };
    let fault = Connection::open(&endpoint, Deadline::after(SOON)).await.err().unwrap();
    assert!(fault.to_string().ends_with("and 100 are the most"), "{fault}");
    assert_eq!(peer.endpoint().largest_answer, LARGEST_ANSWER);
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_undecided() {
    for (say, within) in [
        (Say::Last as fn(Vec<u8>) -> Say, SOON),
        (|_| Say::Nothing, AT_ONCE),
        (|_| Say::Body(vec![0xff; 9]), SOON),
    ] {
        let peer = Peer::after_versions(move |_| say(Vec::new())).await;
        let deadline = Deadline::after(within);
        let connection = Connection::open(&peer.endpoint(), deadline).await.unwrap();
        let fault = connection
            .call(&UnregisterBrokerRequest::default(), deadline)
            .await
            .err()
            .unwrap();
        assert!(fault.is_undecided() && !fault.is_passing(), "{fault:?}");
        assert!(
            fault
                .to_string()
                .starts_with("it is not known whether UnregisterBroker was carried out: "),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_written_is_not_sent() {
    let peer = Peer::after_versions(|_| Say::Nothing).await;
    let connection = Connection::open(&peer.endpoint(), Deadline::after(SOON)).await.unwrap();
    // Version 0 has no place for it, and would do what is not allowed here.
    let request = AlterPartitionReassignmentsRequest::default().with_allow_replication_factor_change(false);
    let fault = connection.call(&request, Deadline::after(SOON)).await.err().unwrap();
    assert!(matches!(fault, Fault::Unfit { .. }), "{fault:?}");
    assert_eq!(peer.times(ApiKey::AlterPartitionReassignments), 0);
}

#[tokio::test]
async fn a_connection_is_left_when_it_ends_or_its_login_does() {
    let peer = Peer::after_versions(|_| Say::Nothing).await;
    let mut connection = Connection::open(&peer.endpoint(), Deadline::after(SOON)).await.unwrap();
    assert!(connection.is_quiet().await);
    connection.expires = Some(Instant::now() + SOON);
    assert!(connection.is_quiet().await);
    connection.expires = Some(Instant::now());
    assert!(!connection.is_quiet().await);
}

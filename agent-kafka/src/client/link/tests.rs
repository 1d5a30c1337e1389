use kafka_protocol::messages::{ApiKey, DescribeClusterRequest, DescribeQuorumRequest, UnregisterBrokerRequest};

use super::*;
use crate::client::fake::{Peer, Say};

const SOON: Duration = Duration::from_secs(20);

fn reading() -> DescribeClusterRequest {
    DescribeClusterRequest::default()
}

#[tokio::test]
async fn a_connection_is_kept() {
    let peer = Peer::after_versions(|_| Say::As("4.3.0")).await;
    let mut link = Link::new(peer.endpoint());
    for _ in 0..3 {
        link.call(&reading(), SOON).await.unwrap();
    }
    assert_eq!(link.versions(SOON).await.unwrap().metadata_version(), Some(30));
    assert_eq!((peer.connections(), peer.times(ApiKey::ApiVersions)), (1, 1));
}

#[tokio::test]
async fn a_closed_connection_is_replaced_and_a_reading_asked_again() {
    // The first connection ends while nothing is asked, the second instead of an answer: its third one.
    let peer = Peer::after_versions(|asked| match (asked.connection, asked.nth) {
        (1, _) => Say::Farewell("4.3.0"),
        (2, 3) => Say::Last(Vec::new()),
        _ => Say::As("4.3.0"),
    })
    .await;
    let mut link = Link::new(peer.endpoint());
    for connections in [1, 2, 3] {
        link.call(&reading(), SOON).await.unwrap();
        assert_eq!(peer.connections(), connections);
    }
    assert_eq!(peer.times(ApiKey::DescribeCluster), 4);
}

#[tokio::test]
async fn a_new_connection_that_fails_is_not_tried_again() {
    let peer = Peer::after_versions(|_| Say::Last(Vec::new())).await;
    let mut link = Link::new(peer.endpoint());
    let error = link.call(&reading(), SOON).await.unwrap_err();
    assert!(matches!(error.fault, Fault::Closed { .. }), "{error}");
    assert_eq!(error.address, peer.address);
    assert_eq!(peer.times(ApiKey::DescribeCluster), 1);
}

#[tokio::test]
async fn a_change_has_a_connection_of_its_own_and_is_sent_once() {
    let peer = Peer::after_versions(|asked| match asked.key {
        key if key == ApiKey::UnregisterBroker as i16 => Say::Last(Vec::new()),
        _ => Say::As("4.3.0"),
    })
    .await;
    let mut link = Link::new(peer.endpoint());
    link.call(&reading(), SOON).await.unwrap();
    let error = link.call(&UnregisterBrokerRequest::default(), SOON).await.unwrap_err();
    assert!(error.fault.is_undecided(), "{error}");
    assert_eq!((peer.connections(), peer.times(ApiKey::UnregisterBroker)), (2, 1));
    link.call(&reading(), SOON).await.unwrap();
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_no_answer_behind() {
    let peer = Peer::after_versions(|asked| match (asked.connection, asked.key) {
        (1, key) if key == ApiKey::DescribeQuorum as i16 => Say::Nothing,
        _ => Say::As("4.3.0"),
    })
    .await;
    let mut link = Link::new(peer.endpoint());
    link.call(&reading(), SOON).await.unwrap();
    let request = DescribeQuorumRequest::default();
    let given_up = tokio::time::timeout(Duration::from_millis(50), link.call(&request, SOON)).await;
    assert!(given_up.is_err());
    link.call(&request, SOON).await.unwrap();
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn a_request_that_is_not_known_there_costs_no_connection() {
    let peer = Peer::start(|asked| match asked.version {
        4 => Say::Body(b"\0\0\x02\0\x3c\0\0\0\x02\0\0\0\0\0\0".to_vec()),
        _ => Say::As("4.3.0"),
    })
    .await;
    let mut link = Link::new(peer.endpoint());
    for _ in 0..2 {
        let error = link.call(&UnregisterBrokerRequest::default(), SOON).await.unwrap_err();
        assert!(matches!(error.fault, Fault::Unsupported(_)), "{error}");
        link.call(&reading(), SOON).await.unwrap();
    }
    assert_eq!(peer.times(ApiKey::UnregisterBroker), 0);
}

#[tokio::test]
async fn a_dead_port_is_told_at_once() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    drop(listener);
    let error = Link::new(Endpoint::plain(address))
        .call(&reading(), SOON)
        .await
        .unwrap_err();
    assert!(
        matches!(error.fault, Fault::Connect(_)) && error.fault.is_passing(),
        "{error}"
    );
}

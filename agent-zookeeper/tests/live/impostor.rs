//! Line 11: what listens on the client port is no ZooKeeper server.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_sdk::client::wait;
use agent_sdk::spec::NodeState;
use agent_zookeeper::config;

use crate::plans::{NO_QUORUM, plans};
use crate::rig::{address, all_in_time, node, start};

/// A peer that does this with each connection, for as long as the test's process lives.
pub(crate) fn peer(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

pub(crate) fn line(of: SocketAddr) -> String {
    format!("server.1=127.0.0.1:2888:3888:participant;{of}")
}

/// Nothing can be read from such a peer, so nothing is planned.
pub(crate) fn refuses(agent: &agent_sdk::testing::TestAgent, of: SocketAddr) {
    assert_eq!(plans(&[], agent.client(), &line(of)), NO_QUORUM);
}

pub(crate) fn agent(of: SocketAddr) -> agent_sdk::testing::TestAgent {
    start(config::Server {
        timeouts: config::Timeouts {
            answer_ms: 700,
            ..config::Timeouts::default()
        },
        member: Some(line(of).parse().unwrap()),
        ..config::Server::new(address(of), "ensemble")
    })
}

#[test]
fn line_11_garbage_is_told_as_such() {
    for garbage in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\xff\x00\xfe",
        b"Mode: king\nZxid: 0x1\n",
        b"Mode: leader\nZxid: soon\n",
    ] {
        let peer = peer(move |mut stream| {
            // Read first: a reset would take the answer with it.
            let _ = stream.read(&mut [0; 4]);
            let _ = stream.write_all(garbage);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let agent = agent(peer);
        refuses(&agent, peer);
        let info = node(&agent);
        assert_eq!(info.node_status, NodeState::Unknown, "{info:?}");
        assert!(info.node_status_reason.unwrap().contains("no ZooKeeper server"));
        assert_eq!(info.store_version.number, "0.0.0");
        let error = wait(agent.client().shards()).unwrap_err();
        assert_eq!(error.problem().map(|problem| problem.status), Some(503));
    }
}

#[test]
fn line_11_a_silent_peer_is_unavailable_in_time() {
    let peer = peer(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let agent = agent(peer);
    refuses(&agent, peer);
    all_in_time(&agent);
    let info = node(&agent);
    assert_eq!(info.node_status, NodeState::Unavailable);
    assert!(info.node_status_reason.unwrap().contains("does not answer"));
}

#[test]
fn line_11_an_endless_answer_is_cut_short() {
    let (taken, longest) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let counters = (Arc::clone(&taken), Arc::clone(&longest));
    let peer = peer(move |mut stream| {
        let mut sent = 0;
        let chunk = vec![b'x'; 65_536];
        while let Ok(written) = stream.write(&chunk) {
            sent += written as u64;
            counters.1.fetch_max(sent, Ordering::SeqCst);
        }
        counters.0.fetch_add(1, Ordering::SeqCst);
    });
    let agent = agent(peer);
    refuses(&agent, peer);
    for _ in 0..20 {
        all_in_time(&agent);
        assert_eq!(node(&agent).node_status, NodeState::Unknown);
    }
    assert!(taken.load(Ordering::SeqCst) > 0, "connections are closed");
    let longest = longest.load(Ordering::SeqCst);
    println!("the longest answer was cut after {longest} bytes, buffers of the kernel included");
    assert!(longest < 32 * 1024 * 1024, "{longest}");
}

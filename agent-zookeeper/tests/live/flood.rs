//! Line 11: a peer that speaks well until it announces an answer of 2 GiB, and never ends it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use agent_sdk::client::wait;
use agent_sdk::spec::NodeState;
use serde_json::json;

use crate::impostor::{agent, line, peer, refuses};
use crate::plans::plans;
use crate::rig::{
    ADD, IN_TIME, JOIN, REMOVE, Rig, all_in_time, await_state, blank, config_version, failed, node, run, run_within,
};

/// When it begins.
#[derive(Clone, Copy, Debug)]
enum Flood {
    /// Instead of a session.
    Session,
    /// Right after the session is made, asked by nobody.
    Unasked,
    /// As the answer to the first request that is more than a sign of life.
    Answer,
}

/// What buffers of the kernel and the agent take of one connection: far less than what was announced.
const BOUND: u64 = 32 * 1024 * 1024;

const PING: [u8; 4] = 11_u32.to_be_bytes();

/// A follower by its `srvr`, and how much of its longest answer was taken.
fn flooding(flood: Flood) -> (SocketAddr, Arc<AtomicU64>) {
    let longest = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&longest);
    (peer(move |stream| drop(serve(stream, flood, &counter))), longest)
}

fn serve(mut stream: TcpStream, flood: Flood, longest: &AtomicU64) -> io::Result<()> {
    let opening = frame(&mut stream)?;
    if opening.is_empty() {
        return stream.write_all(b"Zookeeper version: 3.9.5-x\nZxid: 0x100000007\nMode: follower\n");
    }
    if !matches!(flood, Flood::Session) {
        let mut session = vec![0, 0, 0, 37, 0, 0, 0, 0];
        session.extend(30_000_i32.to_be_bytes());
        session.extend([9, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 16]);
        session.extend([7; 16]);
        session.push(0);
        stream.write_all(&session)?;
    }
    if matches!(flood, Flood::Answer) {
        asked(&mut stream)?;
    }
    stream.write_all(&[0x7f, 0xff, 0xff, 0xff])?;
    let (chunk, mut sent) = (vec![0; 65_536], 0);
    loop {
        sent += stream.write(&chunk)? as u64;
        longest.fetch_max(sent, Ordering::SeqCst);
    }
}

/// Answers signs of life until something is asked.
fn asked(stream: &mut TcpStream) -> io::Result<()> {
    loop {
        let request = frame(stream)?;
        let (xid, kind) = (&request[..4], &request[4..8]);
        if kind != PING {
            return Ok(());
        }
        stream.write_all(&[&[0, 0, 0, 16], xid, &[0; 12]].concat())?;
    }
}

/// The next request; nothing for a word.
fn frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    if &length == b"srvr" {
        return Ok(Vec::new());
    }
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

/// The memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

#[test]
fn line_11_an_answer_without_end_is_cut_on_a_session_too() {
    for flood in [Flood::Session, Flood::Unasked, Flood::Answer] {
        let before = resident();
        let (peer, longest) = flooding(flood);
        let agent = agent(peer);
        let begun = Instant::now();
        let info = node(&agent);
        assert!(begun.elapsed() <= IN_TIME, "{flood:?}: {:?}", begun.elapsed());
        assert_eq!(info.node_status, NodeState::Unknown, "{flood:?}");
        let reason = info.node_status_reason.unwrap();
        assert!(reason.contains("no ZooKeeper server"), "{flood:?}: {reason}");
        let store = wait(agent.client().store()).unwrap_err();
        assert_eq!(store.problem().map(|problem| problem.status), Some(503));
        for _ in 0..3 {
            all_in_time(&agent);
        }

        refuses(&agent, peer);
        let (code, message) = failed(&run_within(agent.client(), REMOVE, &json!({ "node": "2" }), 2));
        assert_eq!(code, "deadline");
        assert!(
            message.contains("nothing was sent") && message.contains("no ZooKeeper server"),
            "{flood:?}: {message}"
        );
        let (longest, grown) = (longest.load(Ordering::SeqCst), resident().saturating_sub(before));
        println!("{flood:?}: {longest} bytes of 2 GiB were taken, {grown} more are resident: {reason}");
        assert!(longest < BOUND && grown < 8 * BOUND, "{flood:?}: {longest}, {grown}");
    }
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn line_11_a_joiner_or_a_member_that_floods_is_refused() {
    let rig = Rig::start(blank(2));
    await_state(rig.agent(1), NodeState::Healthy);
    await_state(rig.agent(2), NodeState::NotInCluster);
    let version = config_version(rig.agent(1));
    for (flood, joiner) in [
        (Flood::Session, "joiner_unreachable"),
        (Flood::Unasked, "joiner_unreachable"),
        (Flood::Answer, "joiner_unknown"),
    ] {
        let (peer, longest) = flooding(flood);
        let stranger = line(peer).replace("server.1=", "server.9=");
        let told = plans(rig.cluster.servers(), rig.agent(1).client(), &stranger);
        println!("{flood:?}: {told:?}");
        assert_eq!(told[1], format!("refused: {joiner}"));
        let args = json!({ "node": stranger });
        let (ended, why) = failed(&run_within(rig.agent(1).client(), ADD, &args, 2));
        if matches!(flood, Flood::Answer) {
            assert_eq!(ended, "deadline", "{why}");
        } else {
            assert_eq!(ended, joiner);
            assert!(why.contains("announces an answer of 2147483647 bytes"), "{why}");
        }
        let member = failed(&run_within(rig.agent(2).client(), JOIN, &args, 2));
        assert_eq!(member.0, "deadline", "{member:?}");
        assert!(longest.load(Ordering::SeqCst) < BOUND);
        assert_eq!(config_version(rig.agent(1)), version);
        let gone = json!({ "node": "9" });
        assert_eq!(
            run(rig.agent(1).client(), REMOVE, &gone).error,
            None,
            "the agent goes on"
        );
    }
}

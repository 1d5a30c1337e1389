//! The agent beside something that is no mongod, or hangs: it says so in time, and in bounded memory. And beside a router,
//! which no registry has.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this is tests, also what is in no function with that attribute"
)]

#[path = "dead/peer.rs"]
mod peer;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent_mongodb::config::Server;
use agent_sdk::client::{Schedule, wait};
use agent_sdk::spec::NodeState;
use agent_sdk::testing::TestAgent;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use serde_json::json;
use testbed::agent::{ADD, INIT, UP, all_in_time, await_state, done, failed, node, run, run_within};

use crate::peer::{hello, is_hello, peer, server};

/// The longest message that the driver takes (48 MB), what it may have read of another before it was done with that one, and
/// what buffers of the kernel hold on both sides of a connection.
const BOUND: u64 = 112 * 1024 * 1024;

/// Of the agents, for the answers to a look: half of what a look may take, as by default.
const ANSWER_MS: u64 = 500;

fn agent(at: SocketAddr) -> TestAgent {
    let mut server = Server::new(at.to_string().parse().unwrap(), "rs0");
    server.member_address = Some(server.address.clone());
    server.timeouts.answer_ms = ANSWER_MS;
    server.timeouts.change_ms = 1_000;
    testbed::agent::start(agent_mongodb::agent(server).unwrap())
}

fn at_once<T: Sync>(cases: &[T], tried: impl Fn(&T) + Sync) {
    let tried = &tried;
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || tried(case));
        }
    });
}

/// Every information endpoint answers in time, whatever it says; and the node is in this state, for this reason.
#[track_caller]
fn is_told_in_time(agent: &TestAgent, state: NodeState, why: &str) {
    all_in_time(agent);
    let info = node(agent);
    let reason = info.node_status_reason.clone().unwrap_or_default();
    assert!(info.node_status == state && reason.contains(why), "{info:?}");
}

/// What info/shards is refused with.
fn no_shards(agent: &TestAgent) -> String {
    let error = wait(agent.client().shards()).unwrap_err();
    assert_eq!(error.problem().map(|problem| problem.status), Some(503), "{error}");
    error.to_string()
}

/// The memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

#[test]
fn garbage_is_told_as_such() {
    let cases = [
        &b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[..],
        b"\x15\x03\x03\x00\x02\x02\x46                    ",
        b"\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00",
        b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xdd\x07\x00\x00",
        // A message of the right form, and a document of two thousand million bytes in it.
        b"\x1a\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\x7f\x00",
    ];
    at_once(&cases, |garbage| {
        let garbage = *garbage;
        let peer = peer(move |mut stream| {
            // Read first: a reset would take the answer with it.
            stream.read_exact(&mut [0; 4])?;
            stream.write_all(garbage)?;
            stream.read_to_end(&mut Vec::new()).map(drop)
        });
        let agent = agent(peer);
        is_told_in_time(&agent, NodeState::Unknown, "no mongod");
        assert_eq!(node(&agent).store_version.number, "0.0.0");
        assert!(no_shards(&agent).contains("no mongod"));
    });
}

#[test]
fn who_is_not_there_or_hangs_is_unavailable_in_time() {
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let silent = peer(|mut stream| stream.read_to_end(&mut Vec::new()).map(drop));
    let ends = peer(|stream| stream.set_nodelay(true));
    // A process that is stopped: the kernel takes connections for it, until there are as many as it may keep waiting.
    let frozen = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let cases = [
        (closed, "nobody answers"),
        (silent, "nobody answers"),
        (ends, "nobody answers"),
        (frozen.local_addr().unwrap(), "nobody answers"),
    ];
    at_once(&cases, |&(at, why)| {
        let agent = agent(at);
        is_told_in_time(&agent, NodeState::Unavailable, why);
        for _ in 0..3 {
            assert_eq!(node(&agent).node_status, NodeState::Unavailable);
        }
        assert!(no_shards(&agent).contains(why));
    });
}

/// When an answer that never ends begins, and how long it says it is.
#[derive(Clone, Copy, Debug)]
enum Flood {
    /// As a message of 2 GiB.
    Huge,
    /// As the longest message that is taken, and no byte of it is right.
    Longest,
    /// The same, byte by byte, so that it is never there in time.
    Trickle,
}

impl Flood {
    fn pour(self, stream: &mut TcpStream, sent: &AtomicU64) -> io::Result<()> {
        let (length, chunk): (u32, usize) = match self {
            Self::Huge => (0x7fff_ffff, 65_536),
            Self::Longest => (47_000_000, 65_536),
            Self::Trickle => (47_000_000, 1),
        };
        stream.set_nodelay(true)?;
        stream.write_all(&[length, 1, 1, 2013].map(u32::to_le_bytes).concat())?;
        let (chunk, mut taken) = (vec![b'x'; chunk], 0);
        stream.set_read_timeout(Some(Duration::from_millis(1)))?;
        loop {
            taken += stream.write(&chunk)? as u64;
            if matches!(self, Self::Trickle) {
                // Nothing comes: this is the pause, and the end of the connection ends it.
                let _ = stream.read(&mut [0]);
            }
            sent.fetch_max(taken, Ordering::SeqCst);
        }
    }
}

/// To the first question, and to the second by one that answers the first well.
#[test]
fn an_endless_answer_is_cut_short() {
    let cases = [Flood::Huge, Flood::Longest, Flood::Trickle].map(|flood| [(flood, true), (flood, false)]);
    at_once(cases.as_flattened(), |&(flood, first)| {
        let (longest, before) = (Arc::new(AtomicU64::new(0)), resident());
        let counter = longest.clone();
        let answer = move |name: &str, _: &Document| (!first && is_hello(name)).then(member);
        let agent = agent(server(answer, move |stream| flood.pour(stream, &counter)));
        all_in_time(&agent);
        for _ in 0..3 {
            node(&agent);
        }
        let info = node(&agent);
        let told = [NodeState::Unknown, NodeState::Unavailable].contains(&info.node_status);
        assert!(told, "{flood:?}: {info:?}");
        no_shards(&agent);
        let (longest, grown) = (longest.load(Ordering::SeqCst), resident().saturating_sub(before));
        println!("{flood:?}: {longest} bytes were taken at most, {grown} more are resident");
        // Six agents, each with as many connections as it may have.
        assert!(
            longest < BOUND && grown < 6 * 3 * BOUND,
            "{flood:?}: {longest}, {grown}"
        );
    });
}

fn member() -> Document {
    hello(doc! { "setName": "rs0", "me": "h:1", "secondary": true, "hosts": ["h:1"] })
}

/// One that says it is a member, and ends the connection when it is asked for more, or says less than it should.
#[test]
fn half_an_answer_is_no_health() {
    let gone = agent(server(|name, _| is_hello(name).then(member), |_| Ok(())));
    is_told_in_time(&gone, NodeState::Unavailable, "last seen");
    let poor = |name: &str, _: &Document| {
        Some(if is_hello(name) {
            member()
        } else {
            doc! { "ok": 1.0 }
        })
    };
    let poor = agent(server(poor, |_| Ok(())));
    is_told_in_time(&poor, NodeState::Unknown, "has no set");
    assert!(no_shards(&poor).contains("has no set"));
}

#[test]
fn a_router_is_told_as_such() {
    let router = |name: &str, _: &Document| {
        Some(if is_hello(name) {
            hello(doc! { "msg": "isdbgrid", "isWritablePrimary": true })
        } else {
            doc! { "version": "6.0.5", "ok": 1.0 }
        })
    };
    let agent = agent(server(router, |_| Ok(())));
    is_told_in_time(&agent, NodeState::Unknown, "mongos");
    assert!(no_shards(&agent).contains("mongos"));
}

/// A primary that does what it is told, and keeps what it was sent.
fn primary(sent: Arc<Mutex<Vec<Document>>>) -> SocketAddr {
    let state = Mutex::new((
        true,
        doc! {
            "_id": "rs0", "version": 1, "term": 1, "members": [{ "_id": 0, "host": "h:1" }, { "_id": 1, "host": "h:2" }],
        },
    ));
    let answer = move |name: &str, command: &Document| {
        let mut state = state.lock().unwrap();
        let (leads, config) = &mut *state;
        let leader = if *leads { "h:1" } else { "h:2" };
        let mut answer = match name {
            _ if is_hello(name) => hello(doc! {
                "setName": "rs0", "me": "h:1", "primary": leader, "isWritablePrimary": *leads, "hosts": ["h:1", "h:2"],
            }),
            "replSetGetStatus" => doc! {
                "set": "rs0", "myState": if *leads { 1 } else { 2 }, "term": 1_i64, "votingMembersCount": 2,
                "members": [
                    { "name": "h:1", "state": 1, "health": 1, "self": true }, { "name": "h:2", "state": 2, "health": 1 },
                ],
            },
            "replSetGetConfig" => doc! { "config": config.clone(), "commitmentStatus": true },
            "replSetReconfig" => {
                config.clone_from(command.get_document(name).unwrap());
                doc! {}
            }
            "replSetStepDown" => {
                *leads = false;
                doc! {}
            }
            _ => return None,
        };
        sent.lock().unwrap().push(command.clone());
        answer.insert("ok", 1.0);
        Some(answer)
    };
    server(answer, |_| Ok(()))
}

/// The server is told for how long it may work at everything that it is asked but `hello`.
#[test]
fn every_command_has_an_end_on_the_server_too() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let agent = agent(primary(sent.clone()));
    let tags = json!({ "node": "h:2", "tags": { "dc": "a" } });
    assert_eq!(
        done(&run(agent.client(), "mongodb.com/member.configure", &tags))["changed"],
        true
    );
    let down = done(&run(
        agent.client(),
        "mongodb.com/primary.step-down",
        &json!({ "catch_up_s": 3 }),
    ));
    assert_eq!(down["primary"], "h:2");
    let sent = sent.lock().unwrap();
    let names = [
        "replSetGetStatus",
        "replSetGetConfig",
        "replSetReconfig",
        "replSetStepDown",
    ];
    for name in names {
        let mut commands = sent.iter().filter(|command| command.contains_key(name)).peekable();
        assert!(commands.peek().is_some(), "{name} was asked");
        assert!(commands.all(|command| command.contains_key("maxTimeMS")), "{name}");
    }
    let stepped = sent
        .iter()
        .find(|command| command.contains_key("replSetStepDown"))
        .unwrap();
    // What it may wait for a secondary is in it.
    assert!(stepped.get_i64("maxTimeMS").unwrap() > 3_000, "{stepped}");
}

/// While the server makes up its mind about being initiated, the node is about to come into a set.
#[test]
fn a_server_that_is_being_initiated_joins() {
    let blank = |name: &str, command: &Document| match name {
        _ if is_hello(name) => Some(hello(doc! { "isreplicaset": true })),
        "replSetGetStatus" => Some(doc! { "ok": 0.0, "code": 94, "codeName": "NotYetInitialized", "errmsg": "none" }),
        "replSetInitiate" => {
            assert!(command.contains_key("maxTimeMS"));
            None
        }
        _ => None,
    };
    // It is asked, and says nothing more.
    let agent = agent(server(blank, |stream| stream.read_to_end(&mut Vec::new()).map(drop)));
    is_told_in_time(&agent, NodeState::NotInCluster, "never initialised");
    let schedule = Schedule::new(INIT).with_args(&json!({}));
    let id = wait(agent.client().schedule(&schedule)).unwrap().id;
    await_state(&agent, NodeState::JoiningCluster);
    wait(agent.client().cancel(id)).unwrap();
    wait(agent.client().ended(id, UP)).unwrap();
}

/// What comes through a firewall that forgets its connections, and lets new ones through in the end: whatever was asked in
/// between is never answered, and nobody ends those connections.
#[test]
fn a_server_that_can_be_reached_again_is_asked_again() {
    let cut_off = Arc::new(AtomicBool::new(false));
    let cut = cut_off.clone();
    let answer = move |name: &str, _: &Document| {
        let told = match name {
            _ if is_hello(name) => member(),
            "replSetGetStatus" => doc! { "set": "rs0", "myState": 2, "members": [], "ok": 1.0 },
            _ => doc! { "ok": 1.0 },
        };
        (!cut.load(Ordering::SeqCst)).then_some(told)
    };
    let agent = agent(server(answer, |stream| stream.read_to_end(&mut Vec::new()).map(drop)));
    await_state(&agent, NodeState::Healthy);
    cut_off.store(true, Ordering::SeqCst);
    for _ in 0..6 {
        assert_eq!(node(&agent).node_status, NodeState::Unavailable);
    }
    cut_off.store(false, Ordering::SeqCst);
    await_state(&agent, NodeState::Healthy);
}

/// A member that starts says that it is in no set. It is known by its process, by whatever name it is asked.
#[test]
fn a_member_that_starts_is_not_taken_in_by_another_name() {
    let process = |id: &str| doc! { "processId": ObjectId::parse_str(id).unwrap(), "counter": 1_i64 };
    let own = process("6b0963a74f20a92361e6406f");
    let outside = |process: Document| {
        let answer = hello(doc! { "isreplicaset": true, "topologyVersion": process });
        server(move |name, _| is_hello(name).then(|| answer.clone()), |_| Ok(()))
    };
    let (second, alias, other) = (
        outside(process("6b0963a7ff71dc3669477de5")),
        outside(process("6b0963a7ff71dc3669477de5")),
        outside(process("6b0963a8bb63ef98c1abc59d")),
    );
    let gone = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let complaint = "Received heartbeat while still initializing replication system";
    let seen = [
        doc! { "name": "h:1", "state": 1, "health": 1, "self": true },
        doc! { "name": second.to_string(), "state": 2, "health": 1 },
        doc! { "name": &gone, "state": 8, "health": 0, "lastHeartbeatMessage": complaint },
    ];
    let members = [
        doc! { "_id": 0, "host": "h:1" },
        doc! { "_id": 1, "host": second.to_string() },
        doc! { "_id": 2, "host": &gone },
    ];
    let answer = move |name: &str, _: &Document| {
        let mut answer = match name {
            _ if is_hello(name) => hello(doc! {
                "setName": "rs0", "me": "h:1", "primary": "h:1", "isWritablePrimary": true, "topologyVersion": own.clone(),
            }),
            "replSetGetStatus" => doc! { "set": "rs0", "myState": 1, "members": seen.to_vec() },
            "replSetGetConfig" => doc! { "config": { "_id": "rs0", "version": 1, "members": members.to_vec() } },
            _ => return None,
        };
        answer.insert("ok", 1.0);
        Some(answer)
    };
    let agent = agent(server(answer, |_| Ok(())));
    let add = |node: SocketAddr| {
        let record = run_within(agent.client(), ADD, &json!({ "node": node.to_string() }), 3);
        failed(&record)
    };
    let (code, message) = add(alias);
    assert!(
        code == "same_node" && message.contains(&second.to_string()),
        "{code} {message}"
    );
    // The primary, which the agent reaches by another address than its name, is no reason to wait; a member that starts is.
    let (code, message) = add(other);
    assert!(
        code == "deadline" && message.contains("starts just now") && message.contains(&gone),
        "{code} {message}"
    );
}

/// A link on which a login or a handshake takes longer than an answer may, and answers do not.
#[test]
fn a_server_that_is_far_away_is_reached_in_the_end() {
    let answer = |name: &str, _: &Document| {
        // The peer's fault, and nothing that is waited for: so long is the way there and back.
        std::thread::sleep(Duration::from_millis(ANSWER_MS * 2 / 5));
        Some(match name {
            _ if is_hello(name) => member(),
            _ => doc! { "set": "rs0", "myState": 2, "members": [], "ok": 1.0 },
        })
    };
    let agent = agent(server(answer, |_| Ok(())));
    await_state(&agent, NodeState::Healthy);
}

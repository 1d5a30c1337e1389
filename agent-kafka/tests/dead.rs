//! The agent beside something that is no Kafka process, or hangs: it says so in time, and in bounded memory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this is tests, also what is in no function with that attribute"
)]

#[path = "dead/peer.rs"]
mod peer;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use agent_kafka::config::{Listener, Process};
use agent_sdk::client::{ClientError, Method, NodeInfo, wait};
use agent_sdk::spec::NodeState;
use agent_sdk::testing::{StateDir, TestAgent};
use kafka_protocol::messages::ApiKey;

use crate::peer::{broker, peer};

/// What an endpoint may take: the agents' deadline and half a second.
const IN_TIME: Duration = Duration::from_millis(DEADLINE_MS + 500);

/// The longest answer that is taken (8 MiB), and what buffers of the kernel hold on both sides of a connection.
const BOUND: u64 = 32 * 1024 * 1024;

/// Of the agents, for a look at the node. Shorter than by default, so that many are tried.
const DEADLINE_MS: u64 = 500;
/// Of the agents, for the answer to a question: half of it, as by default.
const ANSWER_MS: u64 = 250;

fn agent(broker: Option<SocketAddr>, controller: Option<SocketAddr>) -> TestAgent {
    let listener = |address: SocketAddr| Listener {
        address: address.to_string().parse().unwrap(),
        tls: None,
        sasl: None,
    };
    let mut process = Process {
        broker: broker.map(listener),
        controller: controller.map(listener),
        node_id: Some(peer::ID),
        ..Process::default()
    };
    process.timeouts.answer_ms = ANSWER_MS;
    let agent = agent_kafka::agent(process).unwrap();
    let configure = |config: &mut agent_sdk::config::Config<()>| config.observe.deadline_ms = DEADLINE_MS;
    TestAgent::start_on(StateDir::new().unwrap(), agent, configure).unwrap()
}

/// Tries the agent as a broker's, as a controller's, and as that of both in one process; all at once, since most of it is
/// waiting.
fn each(at: SocketAddr, tried: impl Fn(&TestAgent) + Sync) {
    let sides = [(Some(at), None), (None, Some(at)), (Some(at), Some(at))];
    at_once(&sides, |(broker, controller)| tried(&agent(*broker, *controller)));
}

fn at_once<T: Sync>(cases: &[T], tried: impl Fn(&T) + Sync) {
    let tried = &tried;
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || tried(case));
        }
    });
}

fn node(agent: &TestAgent) -> NodeInfo {
    wait(agent.client().node()).unwrap()
}

/// Every information endpoint answers in time, whatever it says; and the node is in this state, for this reason.
#[track_caller]
fn is_told_in_time(agent: &TestAgent, state: NodeState, why: &str) {
    all_in_time(agent);
    let info = node(agent);
    let reason = info.node_status_reason.clone().unwrap_or_default();
    assert!(info.node_status == state && reason.contains(why), "{info:?}");
}

#[track_caller]
fn all_in_time(agent: &TestAgent) {
    let client = agent.client();
    // Asked up to three times: a busy machine may be late once, an endpoint that hangs is late each time.
    let timed = |what: &str, call: &dyn Fn() -> Result<(), ClientError>| {
        let mut late = Vec::new();
        while late.len() < 3 {
            let begun = Instant::now();
            let answer = call();
            let took = begun.elapsed();
            if let Err(error) = answer {
                let refused = error.problem().is_some_and(|problem| problem.status == 503);
                assert!(refused, "{what}: {error}");
            }
            if took <= IN_TIME {
                return;
            }
            late.push(took);
        }
        panic!("{what} is late each time: {late:?}");
    };
    timed("info/node", &|| wait(client.node()).map(drop));
    timed("info/store", &|| wait(client.store()).map(drop));
    timed("info/shards", &|| wait(client.shards()).map(drop));
    for path in ["/healthz", "/readyz", "/metrics", "/api/v1/actions/queue"] {
        timed(path, &|| {
            let answer = wait(client.raw(Method::Get, path, Vec::new()))?;
            assert!(matches!(answer.status, 200 | 500..=599), "{path}: {}", answer.status);
            Ok(())
        });
    }
}

/// What info/shards is refused with.
fn no_shards(agent: &TestAgent) -> String {
    let error = wait(agent.client().shards()).unwrap_err();
    assert_eq!(error.problem().map(|problem| problem.status), Some(503), "{error}");
    error.to_string()
}

/// How much of an answer was taken, the longest one counting, and what that cost.
#[derive(Clone)]
struct Taken {
    longest: Arc<AtomicU64>,
    /// The memory of this process before it, in bytes.
    before: u64,
}

impl Default for Taken {
    fn default() -> Self {
        Self {
            longest: Arc::default(),
            before: resident(),
        }
    }
}

impl Taken {
    #[track_caller]
    fn is_bounded(&self, what: &str) {
        let longest = self.longest.load(Ordering::SeqCst);
        let grown = resident().saturating_sub(self.before);
        println!("{what}: {longest} bytes were taken at most, {grown} more are resident");
        assert!(longest < BOUND && grown < 8 * BOUND, "{what}: {longest}, {grown}");
    }
}

/// The memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

#[test]
fn garbage_is_told_as_such() {
    for (garbage, why) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "speaks HTTP"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "speaks TLS"),
        (b"\xff\xff\xff\xff", "announces -1 bytes"),
        (b"\x00\x00\x00\x00", "announces 0 bytes"),
        (b"\x00\x00\x00\x06\x00\x00\x00\x09\x00\x00", "answers request 9"),
        // The right number, and a list of two thousand million entries behind it.
        (
            b"\x00\x00\x00\x0c\x00\x00\x00\x01\x00\x00\xff\xff\xff\xff\x0f\x00",
            "ApiVersions",
        ),
    ] {
        let peer = peer(move |mut stream| {
            // Read first: a reset would take the answer with it.
            stream.read_exact(&mut [0; 4])?;
            stream.write_all(garbage)?;
            stream.read_to_end(&mut Vec::new()).map(drop)
        });
        each(peer, |agent| {
            is_told_in_time(agent, NodeState::Unknown, why);
            assert_eq!(node(agent).store_version.number, "0.0.0");
            assert!(no_shards(agent).contains(why));
        });
    }
}

#[test]
fn who_is_not_there_or_hangs_is_unavailable_in_time() {
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let silent = peer(|mut stream| stream.read_to_end(&mut Vec::new()).map(drop));
    let ends = peer(|stream| stream.set_nodelay(true));
    // A process that is stopped: the kernel takes connections for it, until there are as many as it may keep waiting.
    let frozen = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let cases = [
        (closed, "no connection"),
        (silent, "no answer to ApiVersions"),
        (ends, "instead of answer to ApiVersions"),
        (frozen.local_addr().unwrap(), "no answer to ApiVersions"),
    ];
    at_once(&cases, |&(at, why)| {
        each(at, |agent| {
            is_told_in_time(agent, NodeState::Unavailable, why);
            assert!(no_shards(agent).contains(why));
        });
    });
    // One of each.
    let half = agent(Some(silent), Some(closed));
    is_told_in_time(&half, NodeState::Unavailable, "no connection");
}

/// When an answer that never ends begins, and how long it says it is.
#[derive(Clone, Copy, Debug)]
enum Flood {
    /// At once, without a length: `xxxx`, which is one.
    Unframed,
    /// As an answer of 2 GiB.
    Huge,
    /// As the longest answer that is taken, and no byte of it is right.
    Longest,
    /// The same, byte by byte, so that it is never there in time.
    Trickle,
}

impl Flood {
    fn pour(self, stream: &mut TcpStream, sent: &Taken) -> io::Result<()> {
        let (head, chunk) = match self {
            Self::Unframed => (*b"xxxx", 65_536),
            Self::Huge => ([0x7f, 0xff, 0xff, 0xff], 65_536),
            Self::Longest => ([0, 0x80, 0, 0], 65_536),
            Self::Trickle => ([0, 0x80, 0, 0], 1),
        };
        stream.set_nodelay(true)?;
        stream.write_all(&head)?;
        let (chunk, mut taken) = (vec![b'x'; chunk], 0);
        stream.set_read_timeout(Some(Duration::from_millis(1)))?;
        loop {
            taken += stream.write(&chunk)? as u64;
            if matches!(self, Self::Trickle) {
                // Nothing comes: this is the pause, and the end of the connection ends it.
                let _ = stream.read(&mut [0]);
            }
            sent.longest.fetch_max(taken, Ordering::SeqCst);
        }
    }

    fn state(self) -> (NodeState, &'static str) {
        match self {
            Self::Unframed => (NodeState::Unknown, "announces 2021161080 bytes"),
            Self::Huge => (NodeState::Unknown, "announces 2147483647 bytes"),
            Self::Longest => (NodeState::Unknown, "answers request"),
            Self::Trickle => (NodeState::Unavailable, "no answer to"),
        }
    }
}

#[test]
fn an_endless_answer_is_cut_short() {
    for flood in [Flood::Unframed, Flood::Huge, Flood::Longest, Flood::Trickle] {
        let taken = Taken::default();
        let counter = taken.clone();
        let peer = peer(move |mut stream| {
            stream.read_exact(&mut [0; 4])?;
            flood.pour(&mut stream, &counter)
        });
        let (state, why) = flood.state();
        each(peer, |agent| {
            for _ in 0..2 {
                is_told_in_time(agent, state, why);
            }
            no_shards(agent);
        });
        taken.is_bounded(&format!("{flood:?}"));
    }
}

/// A process that speaks well until it is asked one thing.
#[test]
fn an_endless_answer_to_one_question_costs_what_it_would_tell() {
    use Flood::{Huge, Trickle};
    use NodeState::{Healthy, Unavailable, Unhealthy, Unknown};
    let cases = [
        (Huge, None, Healthy, "", true),
        (
            Huge,
            Some(ApiKey::DescribeCluster),
            Unknown,
            "not answer to DescribeCluster",
            false,
        ),
        (
            Trickle,
            Some(ApiKey::DescribeCluster),
            Unavailable,
            "no answer to DescribeCluster",
            false,
        ),
        (
            Huge,
            Some(ApiKey::DescribeConfigs),
            Unknown,
            "not answer to DescribeConfigs",
            false,
        ),
        (
            Trickle,
            Some(ApiKey::DescribeConfigs),
            Unavailable,
            "no answer to DescribeConfigs",
            false,
        ),
        (
            Huge,
            Some(ApiKey::DescribeQuorum),
            Unknown,
            "not answer to DescribeQuorum",
            true,
        ),
        (
            Trickle,
            Some(ApiKey::DescribeQuorum),
            Unhealthy,
            "no answer to DescribeQuorum",
            true,
        ),
        (Huge, Some(ApiKey::Metadata), Healthy, "", false),
        (Trickle, Some(ApiKey::Metadata), Healthy, "", false),
        (Huge, Some(ApiKey::DescribeLogDirs), Healthy, "", false),
        (Trickle, Some(ApiKey::DescribeLogDirs), Healthy, "", false),
        (Huge, Some(ApiKey::ListOffsets), Healthy, "", false),
        (Trickle, Some(ApiKey::ListOffsets), Healthy, "", false),
    ];
    at_once(&cases, |&(flood, key, state, why, shards)| {
        let taken = Taken::default();
        let counter = taken.clone();
        let asked = move |asked: i16| key.is_some_and(|key| key as i16 == asked);
        let agent = agent(Some(broker(asked, move |stream| flood.pour(stream, &counter))), None);
        for _ in 0..2 {
            is_told_in_time(&agent, state, why);
        }
        let told = wait(agent.client().shards());
        assert_eq!(told.is_ok(), shards, "{key:?} {flood:?}: {told:?}");
        taken.is_bounded(&format!("{flood:?} in place of {key:?}, {state:?}"));
    });
}

/// What answered the first questions of a look is gone by the last: it stops.
#[test]
fn a_process_that_is_gone_in_the_middle_of_a_look_is_not_called_healthy() {
    use NodeState::{Unavailable, Unhealthy};
    for (key, state, why) in [
        (
            ApiKey::DescribeConfigs,
            Unavailable,
            "instead of answer to DescribeConfigs",
        ),
        (
            ApiKey::DescribeLogDirs,
            Unavailable,
            "instead of answer to DescribeLogDirs",
        ),
        (ApiKey::Metadata, Unavailable, "instead of answer to Metadata"),
        (ApiKey::DescribeQuorum, Unhealthy, "instead of answer to DescribeQuorum"),
    ] {
        let agent = agent(Some(broker(move |asked| asked == key as i16, |_| Ok(()))), None);
        is_told_in_time(&agent, state, why);
    }
}

//! Agents that say what a test wants, down to the byte. They speak `v1` alone, and by default are right at level `read`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status, type and body.
    Whole(u16, &'static str, String),
    /// These bytes, and then the end of the connection.
    Bytes(Vec<u8>),
    /// Nothing, while the connection stays open.
    Hang,
}

/// A request, as far as tests look at it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The whole head.
    pub(crate) head: String,
    /// How many requests for this method and path there were before.
    pub(crate) before: usize,
}

/// An agent that runs until the test's process ends.
pub(crate) struct Agent {
    pub(crate) url: String,
    /// Everything that it was asked, as it came.
    asked: Receiver<Asked>,
}

impl Agent {
    /// Answers as `answer` says, and where it has no answer, rightly.
    pub(crate) fn with(answer: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, asked) = mpsc::channel();
        let answer = Arc::new(answer);
        let known = Arc::new(Mutex::new(Vec::<(String, String)>::new()));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (tell, answer, known) = (tell.clone(), Arc::clone(&answer), Arc::clone(&known));
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let Some(mut asked) = read(&mut stream) else { return };
                    {
                        let mut known = known.lock().unwrap();
                        let key = (asked.method.clone(), asked.path.clone());
                        asked.before = known.iter().filter(|other| **other == key).count();
                        known.push(key);
                    }
                    let reply = answer(&asked).unwrap_or_else(|| right(&asked));
                    drop(tell.send(asked));
                    write(&mut stream, reply);
                });
            }
        });
        Self { url, asked }
    }

    /// Right in everything that level `read` asks.
    pub(crate) fn right() -> Self {
        Self::with(|_| None)
    }

    /// Right, but for one path of `v1`.
    pub(crate) fn but(path: &'static str, reply: Reply) -> Self {
        Self::with(move |asked| (asked.path == format!("/api/v1/{path}")).then(|| reply.clone()))
    }

    /// Waits until it is asked for this.
    pub(crate) fn wait_for(&self, path: &str) {
        while self.asked.recv_timeout(Duration::from_secs(60)).unwrap().path != path {}
    }

    /// Whether it was asked anything so far.
    pub(crate) fn was_asked(&self) -> bool {
        self.asked.try_recv().is_ok()
    }

    /// The heads of all that it was asked so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.asked.try_iter().map(|asked| asked.head).collect()
    }
}

/// A good answer.
pub(crate) fn good(body: impl Into<String>) -> Reply {
    Reply::Whole(200, "application/json", body.into())
}

/// A problem document.
pub(crate) fn problem(status: u16) -> Reply {
    let body = format!(r#"{{"type":"about:blank","title":"no","status":{status},"detail":"no","code":"no"}}"#);
    Reply::Whole(status, "application/problem+json", body)
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(length) => bytes.extend_from_slice(&piece[..length]),
        }
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let mut words = head.split(' ');
    Some(Asked {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        head: head.clone(),
        before: 0,
    })
}

fn write(stream: &mut TcpStream, reply: Reply) {
    let bytes = match reply {
        Reply::Bytes(bytes) => bytes,
        Reply::Whole(status, media, body) => format!(
            "HTTP/1.1 {status} x\r\ncontent-type: {media}\r\nallow: GET\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
        Reply::Hang => {
            // Until the other side has gone.
            drop(stream.read(&mut [0; 1]));
            return;
        }
    };
    // The other side may have had enough.
    drop(stream.write_all(&bytes));
}

/// What `info/node` has to be like, with this status.
pub(crate) fn node(status: &str) -> Reply {
    good(format!(
        r#"{{"node_id":"n1","node_status":"{status}","node_status_reason":null,
            "agent_version":{{"number":"0.1.0","checkout":null,"taint":null}},"store_id":"toy",
            "store_version":{{"number":"1.4.2","checkout":null,"extra":null}},
            "addresses":{{"client":"127.0.0.1:7001","member":"127.0.0.1:7001"}},"attributes":{{}}}}"#
    ))
}

/// The one kind that there is, with what is said of it besides, and why there is none of the others.
pub(crate) fn kinds(said: &str) -> Reply {
    let absent = ["init", "add", "join"].map(|name| {
        format!(r#"{{"kind":"agent.replicante.io/cluster.{name}","reason":"nodes find each other","instead":null}}"#)
    });
    good(format!(
        r#"{{"kinds":[{{"kind":"agent.replicante.io/cluster.remove","deadline_s":60,"plan":false,{said}}}],"absent":[{}]}}"#,
        absent.join(",")
    ))
}

const ACTION: &str = r#""id":"3d414d8e-dd25-4d44-957a-2f1fc5408dc2","kind":"agent.replicante.io/test.success",
    "requester":"AGENT_API","created_ts":"2021-01-01T00:00:00.000000000Z",
    "scheduled_ts":"2026-01-01T00:00:00.000000000Z","started_ts":"2026-01-01T00:00:01.000000000Z",
    "finished_ts":"2026-01-01T00:00:02.000000000Z","state":"DONE","error":null,"attempt":1,
    "cancel_requested":false,"deadline_s":60,"version":3"#;

fn right(asked: &Asked) -> Reply {
    let path = asked.path.strip_prefix("/api/v1/");
    match (asked.method.as_str(), path) {
        ("GET", Some("info/node")) => node("HEALTHY"),
        ("GET", Some("info/store")) => good(r#"{"cluster_id":"c1","attributes":{}}"#),
        ("GET", Some("info/shards")) => good(
            r#"{"shards":[{"shard_id":"s1","replication_state":"PRIMARY","replication_state_reason":null,
                "commit_offset":{"value":7,"unit":"entries"},"replication_lag":{"value":0,"unit":"entries"}}]}"#,
        ),
        ("GET", Some("actions/queue")) => good(r#"{"actions":[],"next":null}"#),
        ("GET", Some("actions/finished")) => good(format!(r#"{{"actions":[{{{ACTION}}}],"next":null}}"#)),
        ("GET", Some("actions/3d414d8e-dd25-4d44-957a-2f1fc5408dc2")) => good(format!(
            r#"{{"args":{{}},"headers":{{}},"state_payload":null,"output":{{}},"preconditions":null,{ACTION}}}"#
        )),
        ("GET", Some("kinds")) => kinds(r#""summary":"Removes a node.","args":{},"output":{}"#),
        ("GET", Some("openapi.json")) => {
            good(r#"{"openapi":"3.1.0","paths":{"/info/node":{},"/info/store":{},"/info/shards":{},"/actions":{}}}"#)
        }
        ("PUT", Some("info/node")) => problem(405),
        ("GET", Some("actions/not-a-uuid")) => problem(400),
        ("GET", Some(path)) if path.contains('?') => problem(400),
        _ => problem(404),
    }
}

//! What the tests stand on: an agent's program that does as it is told, and a server of canned answers.

use std::ffi::OsString;
use std::path::Path;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::super::output::Console;
use super::super::{Endpoint, Exit, Failure, Finding, Program, execute};
use crate::client::canned::{Asked, Canned, Reply};
use crate::config::{self, ConfigError};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Toy {
    /// Address of the toy server.
    #[schemars(example = "127.0.0.1:7000")]
    #[allow(dead_code)] // read by the deserializer alone
    server: String,
}

/// An agent that finds what it is told to find.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) findings: Vec<Finding>,
}

impl Program for Fake {
    fn name(&self) -> &'static str {
        "toy-agent"
    }

    fn version(&self) -> String {
        "0.1.0".to_owned()
    }

    fn example(&self) -> String {
        config::example::<Toy>("toy-agent")
    }

    fn schema(&self) -> Schema {
        config::schema::<Toy>()
    }

    fn endpoint(&self, file: &Path) -> Result<Endpoint, ConfigError> {
        config::load::<Toy>(file).map(|read| Endpoint::of(read.config()))
    }

    fn run(&self, file: &Path) -> Result<(), Failure> {
        self.endpoint(file)?;
        Err(Failure::new(Exit::StateDirectory, "held by another process"))
    }

    fn check(&self, _: &Path) -> Vec<Finding> {
        self.findings.clone()
    }
}

/// A command line's exit code, standard output and standard error.
pub(super) struct Ran {
    pub(super) exit: Exit,
    pub(super) out: String,
    pub(super) err: String,
}

pub(super) fn ran_by(program: &Fake, line: &[&str], colour: bool) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        colour,
        live: false,
    };
    let line = std::iter::once("toy-agent")
        .chain(line.iter().copied())
        .map(OsString::from);
    let exit = execute(program, line, &mut console);
    Ran {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

pub(super) fn ran(line: &[&str]) -> Ran {
    ran_by(&Fake::default(), line, false)
}

pub(super) const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

pub(super) const NODE: &str = r#"{"node_id":"n1","node_status":"UNHEALTHY","node_status_reason":"the log is 3 s behind",
    "agent_version":{"number":"0.1.0","checkout":null,"taint":null},"store_id":"toy",
    "store_version":{"number":"1.2.0","checkout":null,"extra":"nightly"},
    "addresses":{"client":"h:7000","member":"h:7001","admin":null},
    "attributes":{"example.org/rack":"r1","example.org/n":3}}"#;

pub(super) const STORE: &str = r#"{"cluster_id":"c-1","attributes":{"example.org/epoch":7}}"#;

pub(super) const SHARDS: &str = r#"{"shards":[
    {"shard_id":"log","replication_state":"SECONDARY","replication_state_reason":null,
     "commit_offset":{"value":42,"unit":"offset"},"replication_lag":{"value":3,"unit":"seconds"}},
    {"shard_id":"other","replication_state":"OTHER","replication_state_reason":"the process does not run",
     "commit_offset":null,"replication_lag":null}]}"#;

pub(super) const KINDS: &str = r#"{"kinds":[{"kind":"agent.replicante.io/cluster.init","summary":"Initialises the cluster.",
    "args":{"type":"object"},"output":{"type":"object"},"deadline_s":300,"plan":true},
    {"kind":"agent.replicante.io/test.success","summary":"Does nothing and succeeds: shows that the agent runs actions.",
    "args":{"type":"object"},"output":{"type":"object"},"deadline_s":60,"plan":false}],
    "absent":[{"kind":"agent.replicante.io/cluster.add","reason":"Nodes find each other.","instead":"Start the node."}]}"#;

pub(super) fn record(state: &str, version: u64, more: &str) -> String {
    format!(
        r#"{{"id":"{ID}","kind":"agent.replicante.io/test.loop","args":{{"target": 1.50}},"headers":{{"ticket":"T-1"}},
        "requester":"AGENT_API","created_ts":"2024-05-01T10:20:29.000000000Z","scheduled_ts":"2024-05-01T10:20:30.000000000Z",
        "started_ts":"2024-05-01T10:20:31.000000000Z","finished_ts":null,"state":"{state}","state_payload":{{"count":3}},
        "output":null,"error":null,"attempt":1,"cancel_requested":false,"preconditions":null,"deadline_s":60,
        "version":{version}{more}}}"#
    )
}

pub(super) fn summary(id: &str, kind: &str, state: &str) -> String {
    format!(
        r#"{{"id":"{id}","kind":"{kind}","requester":"AGENT_API","created_ts":"2024-05-01T10:20:30.000000000Z",
        "scheduled_ts":"2024-05-01T10:20:30.000000000Z","started_ts":null,"finished_ts":null,"state":"{state}","error":null,
        "attempt":0,"cancel_requested":{},"deadline_s":60,"version":1}}"#,
        state == "RUNNING"
    )
}

pub(super) fn problem(status: u16, code: &str, detail: &str) -> Reply {
    Reply::Json(
        status,
        format!(r#"{{"type":"about:blank","title":"X","status":{status},"detail":"{detail}","code":"{code}"}}"#),
    )
}

/// An agent that is well.
pub(super) fn agent() -> Canned {
    Canned::start(|asked: &Asked| {
        let path = asked.path.strip_prefix("/api/v1").unwrap_or_default();
        let ok = |body: &str| Reply::Json(200, body.to_owned());
        match (asked.method.as_str(), path) {
            ("GET", "/info/node") => ok(NODE),
            ("GET", "/info/store") => ok(STORE),
            ("GET", "/info/shards") => ok(SHARDS),
            ("GET", "/kinds") => ok(KINDS),
            ("GET", "/actions/queue?limit=20" | "/actions/queue?limit=1000") => ok(&format!(
                r#"{{"actions":[{},{}],"next":null}}"#,
                summary(ID, "agent.replicante.io/cluster.remove", "RUNNING"),
                summary("00000000-0000-4000-8000-000000000001", "mongodb.com/compact", "NEW")
            )),
            ("GET", "/actions/queue?limit=1") => ok(r#"{"actions":[],"next":null}"#),
            ("GET", "/actions/finished?limit=20") => ok(&format!(
                r#"{{"actions":[{}],"next":null}}"#,
                summary("00000000-0000-4000-8000-000000000002", "agent.replicante.io/test.fail", "FAILED")
            )),
            ("GET", "/actions/finished?limit=1" | "/actions/finished?limit=1000") => ok(&format!(
                r#"{{"actions":[{}],"next":"a b"}}"#,
                summary("00000000-0000-4000-8000-000000000002", "agent.replicante.io/test.fail", "FAILED")
            )),
            ("GET", "/actions/finished?limit=1000&cursor=a%20b") => ok(&format!(
                r#"{{"actions":[{}],"next":null}}"#,
                summary("00000000-0000-4000-8000-000000000003", "a/b", "DONE")
            )),
            ("POST", "/kinds/agent.replicante.io/cluster.init/plan") => ok(
                r#"{"kind":"agent.replicante.io/cluster.init","done":false,"steps":[
                {"summary":"write the first epoch","data":{}},{"summary":"wait for the log to open","data":null}],
                "refused":null,"unchecked":["whether the agent may write to the store"]}"#,
            ),
            ("POST", "/kinds/agent.replicante.io/cluster.join/plan") => ok(
                r#"{"kind":"agent.replicante.io/cluster.join","done":false,"steps":[],
                "refused":{"code":"node_unresolved","message":"nobody answers at h:1","retryable":true},"unchecked":[]}"#,
            ),
            ("POST", "/actions") if String::from_utf8_lossy(&asked.body).contains("\"id\"") => Reply::Json(
                409,
                r#"{"title":"Conflict","status":409,"detail":"the id was used before","code":"id_used","same_request":true}"#
                    .to_owned(),
            ),
            ("POST", "/actions") => Reply::Json(201, format!(r#"{{"id":"{ID}"}}"#)),
            ("DELETE", _) => Reply::Json(202, record("RUNNING", 5, "")),
            ("GET", path) if path == format!("/actions/{ID}") => ok(&record("RUNNING", 4, "")),
            ("GET", path) if path.ends_with("/history?limit=1000") => ok(
                r#"{"transitions":[
                {"version":1,"at":"2024-05-01T10:20:30.000000000Z","state":"NEW","attempt":0,"state_payload":null,"error":null},
                {"version":2,"at":"2024-05-01T10:20:31.000000000Z","state":"RUNNING","attempt":1,"state_payload":{"count": 1},"error":null},
                {"version":3,"at":"2024-05-01T10:20:32.000000000Z","state":"RUNNING","attempt":1,"state_payload":null,
                 "error":{"code":"busy","message":"the store is busy","retryable":true}}],"next":null}"#,
            ),
            ("GET", path) if path.contains("?wait=") => ok(&record("DONE", 5, "").replace(
                r#""output":null"#,
                r#""output":{"count":3}"#,
            )),
            _ => problem(404, "unknown_action", "no action has this id"),
        }
    })
}

pub(super) fn asked(agent: &Canned, line: &[&str]) -> Ran {
    let url = agent.url();
    let mut whole = line.to_vec();
    whole.extend(["--url", &url]);
    ran(&whole)
}

/// A configuration in a directory of its own, with a token.
pub(super) fn configured(bind: &str, token: Option<&str>) -> (tempfile::TempDir, String) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("agent.yaml");
    let state = place.path().display();
    let text = format!("state_directory: {state}\napi:\n  bind: \"{bind}\"\nstore:\n  server: h:1\n");
    std::fs::write(&file, text).unwrap();
    if let Some(token) = token {
        std::fs::write(place.path().join("token"), token).unwrap();
    }
    (place, file.display().to_string())
}

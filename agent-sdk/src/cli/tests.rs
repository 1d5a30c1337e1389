//! What people and programs see, against a server of canned answers.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::output::WIDTH;
use super::*;
use crate::client::canned::{Asked, Canned, Reply};
use crate::config::{self, ConfigError};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Toy {
    /// Address of the toy server.
    #[schemars(example = "127.0.0.1:7000")]
    #[allow(dead_code)] // read by the deserializer alone
    server: String,
}

/// An agent that finds what it is told to find.
#[derive(Default)]
struct Fake {
    findings: Vec<Finding>,
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
struct Ran {
    exit: Exit,
    out: String,
    err: String,
}

fn ran_by(program: &Fake, line: &[&str], colour: bool) -> Ran {
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

fn ran(line: &[&str]) -> Ran {
    ran_by(&Fake::default(), line, false)
}

const ID: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

const NODE: &str = r#"{"node_id":"n1","node_status":"UNHEALTHY","node_status_reason":"the log is 3 s behind",
    "agent_version":{"number":"0.1.0","checkout":null,"taint":null},"store_id":"toy",
    "store_version":{"number":"1.2.0","checkout":null,"extra":"nightly"},
    "addresses":{"client":"h:7000","member":"h:7001","admin":null},
    "attributes":{"example.org/rack":"r1","example.org/n":3}}"#;

const STORE: &str = r#"{"cluster_id":"c-1","attributes":{"example.org/epoch":7}}"#;

const SHARDS: &str = r#"{"shards":[
    {"shard_id":"log","replication_state":"SECONDARY","replication_state_reason":null,
     "commit_offset":{"value":42,"unit":"offset"},"replication_lag":{"value":3,"unit":"seconds"}},
    {"shard_id":"other","replication_state":"OTHER","replication_state_reason":"the process does not run",
     "commit_offset":null,"replication_lag":null}]}"#;

const KINDS: &str = r#"{"kinds":[{"kind":"agent.replicante.io/cluster.init","summary":"Initialises the cluster.",
    "args":{"type":"object"},"output":{"type":"object"},"deadline_s":300,"plan":true},
    {"kind":"agent.replicante.io/test.success","summary":"Does nothing and succeeds: shows that the agent runs actions.",
    "args":{"type":"object"},"output":{"type":"object"},"deadline_s":60,"plan":false}],
    "absent":[{"kind":"agent.replicante.io/cluster.add","reason":"Nodes find each other.","instead":"Start the node."}]}"#;

fn record(state: &str, version: u64, more: &str) -> String {
    format!(
        r#"{{"id":"{ID}","kind":"agent.replicante.io/test.loop","args":{{"target": 1.50}},"headers":{{"ticket":"T-1"}},
        "requester":"AGENT_API","created_ts":"2024-05-01T10:20:29.000000000Z","scheduled_ts":"2024-05-01T10:20:30.000000000Z",
        "started_ts":"2024-05-01T10:20:31.000000000Z","finished_ts":null,"state":"{state}","state_payload":{{"count":3}},
        "output":null,"error":null,"attempt":1,"cancel_requested":false,"preconditions":null,"deadline_s":60,
        "version":{version}{more}}}"#
    )
}

fn summary(id: &str, kind: &str, state: &str) -> String {
    format!(
        r#"{{"id":"{id}","kind":"{kind}","requester":"AGENT_API","created_ts":"2024-05-01T10:20:30.000000000Z",
        "scheduled_ts":"2024-05-01T10:20:30.000000000Z","started_ts":null,"finished_ts":null,"state":"{state}","error":null,
        "attempt":0,"cancel_requested":{},"deadline_s":60,"version":1}}"#,
        state == "RUNNING"
    )
}

fn problem(status: u16, code: &str, detail: &str) -> Reply {
    Reply::Json(
        status,
        format!(r#"{{"type":"about:blank","title":"X","status":{status},"detail":"{detail}","code":"{code}"}}"#),
    )
}

/// An agent that is well.
fn agent() -> Canned {
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

fn asked(agent: &Canned, line: &[&str]) -> Ran {
    let url = agent.url();
    let mut whole = line.to_vec();
    whole.extend(["--url", &url]);
    ran(&whole)
}

#[track_caller]
fn golden(name: &str, line: &[&str]) {
    let agent = agent();
    let mut shown = Vec::new();
    for json in [false, true] {
        let mut line = line.to_vec();
        line.extend(json.then_some("--json"));
        let Ran { exit, out, err } = asked(&agent, &line);
        assert!(
            json || out.lines().all(|line| line.chars().count() <= usize::from(WIDTH)),
            "{out}"
        );
        if json && !out.is_empty() {
            serde_json::from_str::<serde_json::Value>(&out).unwrap();
        }
        let err = if err.is_empty() {
            err
        } else {
            format!("--- standard error\n{err}")
        };
        shown.push(format!(
            "$ toy-agent {}\n{out}{err}--- exit code {}\n",
            line.join(" "),
            exit.code()
        ));
    }
    let shown = shown.join("\n");
    insta::assert_snapshot!(name, shown);
}

#[test]
fn answers_are_tables_for_people_and_json_for_programs() {
    golden("node", &["node"]);
    golden("shards", &["shards"]);
    golden("actions_list", &["actions", "list"]);
    golden("actions_list_more", &["actions", "list", "--limit", "1"]);
    golden("actions_show", &["actions", "show", ID]);
    golden("actions_show_history", &["actions", "show", ID, "--history"]);
    golden("actions_kinds", &["actions", "kinds"]);
    golden("actions_cancel", &["actions", "cancel", ID]);
    golden("actions_plan", &["actions", "plan", "agent.replicante.io/cluster.init"]);
    golden(
        "actions_plan_refused",
        &[
            "actions",
            "plan",
            "agent.replicante.io/cluster.join",
            "--arg",
            "node=h:1",
        ],
    );
    golden("actions_run", &["actions", "run", "agent.replicante.io/test.success"]);
    golden(
        "unknown_action",
        &["actions", "show", "00000000-0000-4000-8000-00000000dead"],
    );
}

#[test]
fn all_pages_are_read_when_all_is_asked_for() {
    let Ran { exit, out, err } = asked(&agent(), &["actions", "list", "--all"]);
    assert_eq!((exit, err.as_str()), (Exit::Done, ""));
    assert!(
        out.contains(ID) && out.contains("000000000002") && out.contains("000000000003"),
        "{out}"
    );
}

#[test]
fn an_action_is_scheduled_with_what_was_given() {
    let agent = agent();
    let line = [
        "actions",
        "run",
        "a/b",
        "--arg",
        "n=1.5",
        "--arg",
        "s=text",
        "--arg",
        "l=[1]",
        "--header",
        "ticket=T=1",
        "--deadline",
        "2m",
        "--require-status",
        "healthy",
        "--require-status",
        "NOT_IN_CLUSTER",
    ];
    assert_eq!(asked(&agent, &line).exit, Exit::Done);
    assert_eq!(
        asked(&agent, &["actions", "run", "a/b", "--args", r#"{"n": 1.50}"#]).exit,
        Exit::Done
    );
    let sent: Vec<_> = agent
        .asked()
        .into_iter()
        .map(|asked| String::from_utf8(asked.body).unwrap())
        .collect();
    let first = r#"{"kind":"a/b","args":{"n":1.5,"s":"text","l":[1]},"headers":{"ticket":"T=1"},"preconditions":{"node_status":["HEALTHY","NOT_IN_CLUSTER"]},"deadline_s":120}"#;
    assert_eq!(sent, [first, r#"{"kind":"a/b","args":{"n": 1.50}}"#]);
}

#[test]
fn the_same_command_with_the_same_id_schedules_nothing_twice() {
    let Ran { exit, out, err } = asked(&agent(), &["actions", "run", "a/b", "--id", ID]);
    assert_eq!(
        (exit, out.trim(), err.trim()),
        (Exit::Done, ID, "this very action was scheduled before")
    );
}

#[test]
fn watching_follows_to_the_end_and_tells_the_outcome() {
    let Ran { exit, out, err } = asked(
        &agent(),
        &["actions", "run", "agent.replicante.io/test.loop", "--watch"],
    );
    assert_eq!(exit, Exit::Done, "{err}");
    assert!(out.contains("DONE") && out.contains(r#"{"count":3}"#), "{out}");
    let lines: Vec<_> = err.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(
        lines,
        [
            r#"agent.replicante.io/test.loop RUNNING {"count":3}"#,
            r#"agent.replicante.io/test.loop DONE {"count":3}"#
        ]
    );

    let failing = Canned::start(|asked| match asked.method.as_str() {
        "POST" => Reply::Json(201, format!(r#"{{"id":"{ID}"}}"#)),
        _ => Reply::Json(
            200,
            record("FAILED", 3, "").replace(
                r#""error":null"#,
                r#""error":{"code":"test_failed","message":"as asked","retryable":false}"#,
            ),
        ),
    });
    let Ran { exit, out, .. } = asked(&failing, &["actions", "run", "a/b", "--watch"]);
    assert_eq!(exit, Exit::Failed);
    assert!(out.contains("test_failed: as asked"), "{out}");
}

fn args(line: &[&str]) -> args::Args {
    let line = std::iter::once("toy-agent")
        .chain(line.iter().copied())
        .map(OsString::from);
    args::parse(&Fake::default(), line).unwrap()
}

fn follow(agent: &Canned, stop: impl Future<Output = ()>) -> Ran {
    let args = args(&["--url", &agent.url(), "node"]);
    let connection = connect::connect(&args, &Fake::default()).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        colour: false,
        live: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let pause = std::time::Duration::ZERO;
    let id = ID.parse().unwrap();
    let exit = runtime
        .block_on(watch::follow(&args, &connection, id, &mut console, stop, pause))
        .unwrap_or_else(|failure| failure.exit);
    Ran {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

#[test]
fn who_stops_watching_is_told_that_the_action_goes_on() {
    let asked_once = std::sync::Arc::new(tokio::sync::Notify::new());
    let notify = std::sync::Arc::clone(&asked_once);
    let agent = Canned::start(move |asked| {
        if asked.path.contains("wait=") {
            notify.notify_one();
            return Reply::Silence;
        }
        Reply::Json(200, record("RUNNING", 4, ""))
    });
    let Ran { exit, out, err } = follow(&agent, async move { asked_once.notified().await });
    assert_eq!((exit, out.as_str()), (Exit::Unfinished, ""));
    let last = format!("no longer watched; the action goes on: `toy-agent actions show {ID}`");
    assert_eq!(err.lines().last(), Some(last.as_str()));
}

#[test]
fn an_agent_that_goes_away_is_waited_for() {
    let count = AtomicUsize::new(0);
    let agent = Canned::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Json(200, record("RUNNING", 4, "")),
        1..=3 => Reply::Raw(Vec::new()),
        _ => Reply::Json(200, record("DONE", 9, "")),
    });
    let Ran { exit, err, .. } = follow(&agent, std::future::pending());
    assert_eq!(exit, Exit::Done, "{err}");
    assert_eq!(err.matches("the agent does not answer").count(), 1, "{err}");
}

/// A configuration in a directory of its own, with a token.
fn configured(bind: &str, token: Option<&str>) -> (tempfile::TempDir, String) {
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

#[test]
fn the_configuration_tells_the_address_and_the_token_lies_beside_the_state() {
    let agent = agent();
    let port = agent.address.port();
    let (_place, file) = configured(&format!("0.0.0.0:{port}"), Some("t0ken\n"));
    let Ran { exit, err, .. } = ran(&["node", "--config", &file]);
    assert_eq!(exit, Exit::Done, "{err}");
    assert!(
        agent.asked()[0]
            .headers
            .to_lowercase()
            .contains("authorization: bearer t0ken")
    );
    // Another address could be anybody's: the local token stays here.
    asked(&agent, &["shards", "--config", &file]);
    assert!(
        !agent
            .asked()
            .last()
            .unwrap()
            .headers
            .to_lowercase()
            .contains("authorization")
    );
}

#[test]
fn errors_say_what_to_do_and_have_their_own_exit_codes() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let Ran { exit, err, .. } = ran(&["node", "--url", &format!("http://{free}")]);
    assert_eq!(exit, Exit::Unreachable);
    insta::assert_snapshot!(err.replace(&free.to_string(), "ADDRESS"), @"error: no agent answers at http://ADDRESS: connection refused. Does it run? `toy-agent run` starts it");

    let garbage = Canned::start(|_| Reply::Json(200, "hello".to_owned()));
    let Ran { exit, err, .. } = asked(&garbage, &["node"]);
    assert_eq!(exit, Exit::Unreachable);
    insta::assert_snapshot!(err.replace(&garbage.url(), "ADDRESS"), @"error: ADDRESS/api/v1/info/node does not answer as an agent does: expected value at line 1 column 1");

    let closed = Canned::start(|_| problem(401, "unauthorized", "a token is needed"));
    let Ran { exit, err, .. } = asked(&closed, &["node"]);
    assert_eq!(exit, Exit::Denied);
    insta::assert_snapshot!(err, @"error: a token is needed (401 unauthorized); no token was shown: name one with --token-file");
    let (place, file) = configured(&closed.address.to_string(), None);
    let Ran { exit, err, .. } = ran(&["node", "--config", &file]);
    assert_eq!(exit, Exit::Denied);
    insta::assert_snapshot!(err.replace(&place.path().display().to_string(), "STATE"), @"error: a token is needed (401 unauthorized); no token was shown: STATE/token is not there");

    let full = Canned::start(|_| problem(429, "queue_full", "1000 actions wait already"));
    let Ran { exit, err, .. } = asked(&full, &["actions", "run", "a/b"]);
    assert_eq!(exit, Exit::Refused);
    insta::assert_snapshot!(err, @"error: 1000 actions wait already (429 queue_full)");

    let (_place, file) = configured("127.0.0.1:0", None);
    let Ran { exit, err, .. } = ran(&["node", "--config", &file]);
    assert_eq!(exit, Exit::Configuration);
    insta::assert_snapshot!(err, @"error: api.bind has port 0, so the agent took a free one: name its address with --url");

    let Ran { exit, err, .. } = ran(&["node", "--config", "/nowhere/agent.yaml"]);
    assert_eq!(exit, Exit::Configuration);
    insta::assert_snapshot!(err, @"error: the configuration /nowhere/agent.yaml cannot be read: No such file or directory (os error 2)");
    let Ran { exit, err, .. } = ran(&["node", "--url", "localhost"]);
    assert_eq!(exit, Exit::Usage);
    insta::assert_snapshot!(err, @r#"error: "localhost" is no address of an agent: it has to begin with http:// and a host"#);
    let Ran { exit, err, .. } = ran(&["node", "--url", "http://h", "--token-file", "/nowhere/token"]);
    assert_eq!(exit, Exit::Usage);
    insta::assert_snapshot!(err, @"error: the token file /nowhere/token cannot be read: No such file or directory (os error 2)");
}

#[test]
fn without_a_configuration_the_places_that_were_tried_are_named() {
    let Ran { exit, err, .. } = ran(&["node"]);
    assert_eq!(exit, Exit::Configuration);
    insta::assert_snapshot!(err, @"error: no configuration: AGENT_CONFIG is not set, and there is neither ./agent.yaml nor /etc/toy-agent/agent.yaml. Name one with --config, or make one with `toy-agent config example`");
}

#[test]
fn usage_errors_are_told_before_anything_is_sent() {
    for line in [
        &["actions", "run", "a/b", "--args", "{", "--url", "http://127.0.0.1:1"][..],
        &[
            "actions",
            "run",
            "a/b",
            "--arg",
            "x=1",
            "--arg",
            "x=2",
            "--url",
            "http://127.0.0.1:1",
        ],
        &["actions", "run", "a/b", "--arg", "x"],
        &["actions", "run", "a/b", "--deadline", "0"],
        &["actions", "run", "a/b", "--deadline", "5000000h"],
        &["actions", "run", "a/b", "--require-status", "FINE"],
        &["actions", "run", "a/b", "--id", "1"],
        &["actions", "run", "a/b", "--args", "{}", "--arg", "x=1"],
        &["actions", "list", "--limit", "0"],
        &["frobnicate"],
        &[],
    ] {
        let Ran { exit, out, err } = ran(line);
        assert_eq!((exit, out.as_str()), (Exit::Usage, ""), "{line:?}: {err}");
        assert!(!err.is_empty());
    }
}

#[test]
fn check_prints_its_findings_and_exits_with_what_is_wrong() {
    let check = |findings: Vec<Finding>, line: &[&str]| ran_by(&Fake { findings }, line, false);
    let line = ["check", "--config", "x"];
    let well = Finding::ok("configuration", "agent.yaml");
    let odd = Finding::warning("configuration", "whoever reaches this address may act on the node");
    let held = Finding::bad(
        "state directory",
        Exit::StateDirectory,
        "held by another agent: toy-agent, process 7",
    );
    let gone = Finding::bad("store", Exit::StoreUnreachable, "connection refused");
    assert_eq!(check(vec![well.clone(), odd.clone()], &line).exit, Exit::Done);
    assert_eq!(
        check(vec![well.clone(), held.clone()], &line).exit,
        Exit::StateDirectory
    );
    let Ran { exit, out, .. } = check(vec![well.clone(), odd, held.clone(), gone], &line);
    assert_eq!(exit, Exit::Failed);
    insta::assert_snapshot!(out);
    let Ran { out, .. } = check(vec![well, held], &["check", "--config", "x", "--json"]);
    insta::assert_snapshot!("check_json", out);
}

#[test]
fn run_is_the_programs_and_its_failure_is_told() {
    let (_place, file) = configured("127.0.0.1:1", None);
    let Ran { exit, err, .. } = ran(&["run", "--config", &file]);
    assert_eq!(
        (exit, err.as_str()),
        (Exit::StateDirectory, "error: held by another process\n")
    );
    std::fs::write(&file, "{}").unwrap();
    assert_eq!(ran(&["run", "--config", &file]).exit, Exit::Configuration);
}

#[test]
fn config_example_is_what_config_reads_and_schema_is_json() {
    let Ran { exit, out, .. } = ran(&["config", "example"]);
    assert_eq!(exit, Exit::Done);
    let none = std::iter::empty::<(OsString, OsString)>();
    assert!(config::parse::<Toy>(&PathBuf::from("x"), &out, none).is_ok());
    let schema: serde_json::Value = serde_json::from_str(&ran(&["config", "schema"]).out).unwrap();
    assert_eq!(schema["properties"]["store"]["$ref"], "#/$defs/Toy");
}

#[test]
fn completions_help_and_version_are_answers() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let Ran { exit, out, .. } = ran(&["completions", shell]);
        assert_eq!(exit, Exit::Done);
        assert!(out.contains("toy-agent"), "{shell}");
    }
    let Ran { exit, out, .. } = ran(&["--version"]);
    assert_eq!((exit, out.trim()), (Exit::Done, "toy-agent 0.1.0"));
    let Ran { exit, out, .. } = ran(&["actions", "run", "--help"]);
    assert_eq!(exit, Exit::Done);
    assert!(
        out.lines().all(|line| line.chars().count() <= usize::from(WIDTH)),
        "{out}"
    );
}

#[test]
fn colours_are_for_terminals_and_change_no_column() {
    let agent = agent();
    let url = agent.url();
    let line = ["actions", "list", "--url", &url];
    let painted = ran_by(&Fake::default(), &line, true).out;
    let plain = ran_by(&Fake::default(), &line, false).out;
    assert!(painted.contains("\u{1b}[31mFAILED\u{1b}[0m"), "{painted}");
    let mut bare = painted.clone();
    for code in ["[31m", "[32m", "[33m", "[36m", "[0m"] {
        bare = bare.replace(&format!("\u{1b}{code}"), "");
    }
    assert_eq!(bare, plain);
}

#[test]
fn tables_keep_their_width_whatever_they_hold() {
    let long = Canned::start(|_| Reply::Json(200, SHARDS.replace("log", &"x".repeat(300))));
    let Ran { exit, out, .. } = asked(&long, &["shards"]);
    assert_eq!(exit, Exit::Done);
    assert!(
        out.lines().all(|line| line.chars().count() <= usize::from(WIDTH)),
        "{out}"
    );
}

#[test]
fn answers_cannot_steer_a_terminal() {
    let hostile = Canned::start(|asked| match asked.path.as_str() {
        "/api/v1/info/node" => Reply::Json(200, NODE.replace("n1", "\\u001b[2J")),
        _ => Reply::Json(200, STORE.to_owned()),
    });
    let Ran { exit, out, .. } = asked(&hostile, &["node"]);
    assert_eq!(exit, Exit::Done);
    assert!(!out.contains('\u{1b}'), "{out}");
}

#[test]
fn the_table_in_the_documents_is_what_is_exited_with() {
    let table = include_str!("../../../docs/exit-codes.md");
    let rows: Vec<_> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| code"))
        .collect();
    let known: Vec<_> = Exit::ALL
        .iter()
        .map(|exit| format!("| {} | {} |", exit.code(), exit.meaning()))
        .collect();
    assert_eq!(rows, known);
}

//! What people and programs see.

mod errors;
mod real;
mod stage;
mod watching;

use std::ffi::OsString;
use std::path::PathBuf;

use super::output::WIDTH;
use super::{Exit, Finding};
use crate::client::canned::{Canned, Reply};
use crate::config;
use stage::{Fake, ID, NODE, Ran, SHARDS, STORE, Toy, agent, asked, configured, ran, ran_by};

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
        // The catalogue is asked for what a bare number is to be.
        .filter(|body| !body.is_empty())
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
    let table = include_str!("../../../../docs/exit-codes.md");
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

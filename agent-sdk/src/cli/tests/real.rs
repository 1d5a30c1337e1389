//! The command line against the real agent: what both sides take the contract to be is the same.

use super::super::Exit;
use super::stage::{Ran, ran};
use crate::agent::Agent;
use crate::spec::{ReplicationState, Shard, Unit};
use crate::testing::{Scripted, TestAgent};

/// An agent whose store is scripted, with its address and the file that its token lies in.
fn agent(store: &Scripted) -> (TestAgent, String, String) {
    let agent = TestAgent::start(Agent::new(store.clone())).unwrap();
    let url = format!("http://{}", agent.address());
    let token = agent.directory().path().join("token").display().to_string();
    (agent, url, token)
}

#[test]
fn every_client_command_is_understood_by_the_agent() {
    let store = Scripted::new();
    store.set_shards(vec![
        Shard::new("log", ReplicationState::Primary, Unit::named("offset")).at(7),
    ]);
    let (_agent, url, token) = agent(&store);
    let with = |line: &[&str]| {
        let mut line = line.to_vec();
        line.extend(["--url", &url, "--token-file", &token]);
        ran(&line)
    };
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let counting = [
        "actions",
        "run",
        "agent.replicante.io/test.loop",
        "--arg",
        "target=3",
        "--header",
        "ticket=T-1",
        "--id",
        id,
    ];
    let Ran { exit, out, err } = with(&[&counting[..], &["--watch", "--require-status", "HEALTHY"]].concat());
    assert_eq!(exit, Exit::Done, "{out}{err}");
    assert!(out.contains(r#"{"count":3,"target":3}"#), "{out}");
    let Ran { exit, err, .. } = with(&["actions", "run", "agent.replicante.io/test.fail", "--watch"]);
    assert_eq!(exit, Exit::Failed, "{err}");

    for (line, shows) in [
        (&["node"][..], "HEALTHY"),
        (&["shards"], "7 offset"),
        (&["actions", "list"], id),
        (&["actions", "list", "--all"], "test.fail"),
        (&["actions", "show", id], "ticket: T-1"),
        (&["actions", "show", id, "--history"], "STEP"),
        (&["actions", "kinds"], "agent.replicante.io/test.loop"),
    ] {
        let Ran { exit, out, err } = with(line);
        assert_eq!((exit, err.as_str()), (Exit::Done, ""), "{line:?}: {out}");
        assert!(out.contains(shows), "{line:?}: {out}");
        let Ran { exit, out, .. } = with(&[line, &["--json"]].concat());
        assert_eq!(exit, Exit::Done);
        serde_json::from_str::<serde_json::Value>(&out).unwrap();
    }

    let refused = |line: &[&str], code: &str| {
        let Ran { exit, err, .. } = with(line);
        assert_eq!(exit, Exit::Refused, "{line:?}: {err}");
        assert!(err.contains(code), "{line:?}: {err}");
    };
    refused(&["actions", "run", "example.org/none"], "/kind");
    refused(
        &["actions", "run", "agent.replicante.io/test.loop", "--arg", "target=x"],
        "/args/target",
    );
    refused(&["actions", "plan", "agent.replicante.io/test.loop"], "501");
    refused(&["actions", "cancel", id], "409");
    refused(&["actions", "show", "00000000-0000-4000-8000-000000000001"], "404");
    // The same id for the same request is the same action; for another it is taken.
    let Ran { exit, out, .. } = with(&counting);
    assert_eq!(exit, Exit::Done, "{out}");
    refused(
        &["actions", "run", "agent.replicante.io/test.success", "--id", id],
        "409",
    );
}

#[test]
fn who_shows_no_token_may_look_and_is_told_how_to_act() {
    let (_agent, url, _) = agent(&Scripted::new());
    assert_eq!(ran(&["node", "--url", &url]).exit, Exit::Done);
    let Ran { exit, err, .. } = ran(&["actions", "run", "agent.replicante.io/test.success", "--url", &url]);
    assert_eq!(exit, Exit::Denied, "{err}");
    assert!(err.contains("--token-file"), "{err}");
}

#[test]
fn a_silent_store_is_shown_and_does_not_stop_the_command() {
    let store = Scripted::new();
    let (_agent, url, _) = agent(&store);
    store.die("nobody listens");
    let Ran { exit, out, err } = ran(&["node", "--url", &url]);
    assert_eq!(exit, Exit::Done, "{err}");
    assert!(out.contains("UNAVAILABLE") && out.contains("not known"), "{out}");
    assert_eq!(ran(&["shards", "--url", &url]).exit, Exit::Refused);
}

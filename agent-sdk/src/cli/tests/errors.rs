//! What is said when something is wrong, and what is exited with.

use super::super::Exit;
use super::stage::{Ran, agent, asked, configured, problem, ran};
use crate::client::canned::{Canned, Reply};
use crate::ledger::StateDirectory;

#[test]
fn the_configuration_tells_the_address_and_the_token_lies_beside_the_state() {
    let agent = agent();
    let port = agent.address.port();
    let (place, file) = configured(&format!("0.0.0.0:{port}"), Some("t0ken\n"));
    let shown = || agent.asked().last().unwrap().headers.to_lowercase();
    let Ran { exit, err, .. } = ran(&["node", "--config", &file]);
    assert_eq!(exit, Exit::Done, "{err}");
    assert!(
        !shown().contains("authorization"),
        "no agent holds the state directory: somebody else listens"
    );
    let _held = StateDirectory::acquire(place.path(), "toy-agent").unwrap();
    let Ran { exit, err, .. } = ran(&["node", "--config", &file]);
    assert_eq!(exit, Exit::Done, "{err}");
    assert!(shown().contains("authorization: bearer t0ken"));
    // Another address could be anybody's: the local token stays here.
    asked(&agent, &["shards", "--config", &file]);
    assert!(!shown().contains("authorization"));
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

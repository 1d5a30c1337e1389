//! Tokens and headers reach the agent, and nobody else, not even by way of an agent that repeats them.

use std::fs;

use crate::agent::{Agent, Reply, good};
use crate::program::{Ended, command, program};

const TOKEN: &str = "canary-of-the-token";
const HEADER: &str = "canary-of-the-header";

/// Repeats the whole head of each request in its answers.
fn echo() -> Agent {
    Agent::with(|asked| match asked.path.as_str() {
        "/api/v1/info/store" => {
            let body = serde_json::json!({"cluster_id": [asked.head], "attributes": {}});
            Some(good(body.to_string()))
        }
        path if path.contains("no/such") => Some(Reply::Whole(404, "text/plain", asked.head.clone())),
        _ => None,
    })
}

#[test]
fn they_are_in_nothing_that_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    fs::write(&token, format!("{TOKEN}\n")).unwrap();
    let formats = ["text", "json", "junit", "html"];
    let agent = echo();
    let mut words = vec![
        "run".to_owned(),
        agent.url.clone(),
        "--token-file".to_owned(),
        token.display().to_string(),
        "--header".to_owned(),
        format!("X-Team: {HEADER}"),
    ];
    for format in formats {
        words.extend([
            "--report".to_owned(),
            format!("{format}={}/{format}", directory.path().display()),
        ]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = program(&words);
    assert_eq!(ended.code, 1, "{}", ended.all());
    let mut told = ended.all();
    for format in formats {
        told.push_str(&fs::read_to_string(directory.path().join(format)).unwrap());
    }
    assert!(told.contains("***"), "they were sent, and came back");
    assert!(!told.contains(TOKEN) && !told.contains(HEADER), "{told}");
}

/// Repeats what it was sent where texts are cut, escaped, and made part of a path.
fn sly() -> Agent {
    Agent::with(|asked| {
        let sent = asked
            .head
            .lines()
            .find_map(|line| line.strip_prefix("authorization: Bearer "))?;
        let cut = |before: usize| format!("{}{sent}", "x".repeat(before));
        match asked.path.as_str() {
            "/api/v1/info/node" => Some(good(format!(
                r#"{{"node_id": [{:?}], "node_status": {sent:?}}}"#,
                cut(106)
            ))),
            "/api/v1/info/store" => Some(good(
                serde_json::json!({"cluster_id": [cut(103)], "attributes": {}}).to_string(),
            )),
            "/api/v1/info/shards" => Some(good(format!("{:?}", cut(281)))),
            "/api/v1/actions/finished" => {
                let action = serde_json::json!({"id": sent, "kind": sent, "state": "DONE"});
                Some(good(serde_json::json!({"actions": [action], "next": sent}).to_string()))
            }
            path if path.contains("no/such") => Some(Reply::Whole(404, "text/plain", cut(285))),
            path if path.contains("cursor=canary") => Some(good("{}")),
            path if path.contains("/canary") => Some(good(r#"{"id": 1}"#)),
            _ => None,
        }
    })
}

#[test]
fn they_are_in_nothing_that_is_written_however_an_agent_puts_it() {
    let agent = sly();
    for format in ["text", "json", "junit", "html"] {
        let child = command(&["run", &agent.url, "--report", &format!("{format}=-")])
            .env("SPEC_TESTS_TOKEN", TOKEN)
            .output();
        let ended = Ended::from(child.unwrap());
        assert_eq!(ended.code, 1, "{}", ended.all());
        assert!(ended.all().contains("***"), "they were sent, and came back");
        assert!(!ended.all().contains("cana"), "{}", ended.all());
    }
}

#[test]
fn they_are_not_in_what_is_said_of_no_agent_either() {
    let agent = Agent::with(|asked| {
        let sent = asked
            .head
            .lines()
            .find_map(|line| line.strip_prefix("authorization: Bearer "))?;
        Some(Reply::Bytes(
            format!("HTTP/1.1 200 OK\r\ncontent-length: {sent}\r\n\r\n").into_bytes(),
        ))
    });
    let child = command(&["run", &agent.url]).env("SPEC_TESTS_TOKEN", TOKEN).output();
    let ended = Ended::from(child.unwrap());
    assert_eq!(ended.code, 3, "{}", ended.all());
    assert!(
        ended.err.contains("***") && !ended.all().contains(TOKEN),
        "{}",
        ended.all()
    );
}

#[test]
fn a_short_value_that_is_no_secret_hides_nothing() {
    let agent = Agent::but("info/node", crate::agent::node("test"));
    let ended = program(&["run", &agent.url, "--header", "X-Env: test"]);
    assert_eq!(ended.code, 1, "{}", ended.all());
    assert!(ended.out.contains("\"test\""), "{}", ended.out);
}

#[test]
fn a_token_is_taken_from_the_environment() {
    let agent = Agent::with(|asked| {
        let is_shown = asked.head.contains(&format!("authorization: Bearer {TOKEN}\r\n"));
        (!is_shown).then(|| Reply::Whole(401, "text/plain", String::new()))
    });
    let ended = Ended::from(
        command(&["run", &agent.url])
            .env("SPEC_TESTS_TOKEN", TOKEN)
            .output()
            .unwrap(),
    );
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(!ended.all().contains(TOKEN));
}

#[test]
fn a_faulty_one_is_not_told_either() {
    for words in [
        ["run", "http://127.0.0.1:1", "--header", TOKEN],
        ["run", "http://127.0.0.1:1", "--header", "host: canary-of-the-token"],
    ] {
        let ended = program(&words);
        assert_eq!(ended.code, 2);
        assert!(
            ended.err.contains("--header") && !ended.err.contains(TOKEN),
            "{}",
            ended.err
        );
    }
    let ended = program(&["run", &format!("http://me:{TOKEN}@127.0.0.1:1")]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("127.0.0.1") && !ended.err.contains(TOKEN),
        "{}",
        ended.err
    );
    let ended = command(&["run", "http://127.0.0.1:1"])
        .env("SPEC_TESTS_TOKEN", format!("{TOKEN} {TOKEN}"))
        .output();
    let ended = Ended::from(ended.unwrap());
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("SPEC_TESTS_TOKEN") && !ended.err.contains(TOKEN),
        "{}",
        ended.err
    );
}

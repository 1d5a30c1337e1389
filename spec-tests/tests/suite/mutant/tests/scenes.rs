//! The questions of a portrait, a scene for each subject.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::portrait::Portrait;
use super::scenes_refused;
use super::talk::{ask_with, id};
use crate::mutant::book::{Book, State};
use crate::mutant::{Agent, Fault, Options};

pub const TREES: [(&str, &str); 2] = [("/api/v1", "actions"), ("/api/unstable", "action")];
pub const BLOCKER: &str = r#"{"kind":"agent.replicante.io/test.loop","args":{"target":2,"delay_ms":60000},"id":"ID"}"#;

/// Without keeping what comes, if anything does.
fn ask(at: &str, line: &str) -> Value {
    ask_with(at, line, "", None).map_or(Value::Null, |came| came.json())
}

pub fn get(at: &str, path: &str) -> Value {
    ask(at, &format!("GET {path}"))
}

pub fn post(at: &str, path: &str, body: &str) -> u16 {
    let json = "content-type: application/json\r\n";
    ask_with(at, &format!("POST {path}"), json, Some(body.as_bytes())).map_or(0, |came| came.status)
}

pub fn success(number: usize) -> String {
    format!(r#"{{"kind":"agent.replicante.io/test.success","id":"{}"}}"#, id(number))
}

fn idle(book: &Book) -> bool {
    book.actions.iter().all(|action| action.state.is_final())
}

pub fn start(faults: &[Fault]) -> Agent {
    Agent::start(Options {
        faults: faults.to_vec(),
        ..Options::default()
    })
}

/// An agent with these faults, from all sides.
pub fn portrait(faults: &[Fault]) -> Portrait {
    let mut portrait = Portrait::default();
    node(&mut portrait, faults);
    records(&mut portrait, faults);
    lists(&mut portrait, faults);
    order(&mut portrait, faults);
    scenes_refused::refusals(&mut portrait, faults);
    scenes_refused::access(&mut portrait, faults);
    scenes_refused::load(&mut portrait, faults);
    portrait
}

fn node(portrait: &mut Portrait, faults: &[Fault]) {
    let options = Options {
        faults: faults.to_vec(),
        ..Options::default()
    };
    for options in [options.clone(), options.peer("node-2")] {
        let agent = Agent::start(options);
        for (tree, _) in TREES {
            let mut before = i64::MIN;
            for _ in 0..3 {
                // Shorter than the slow node takes: that is shown elsewhere.
                portrait.get(&agent.address, &format!("{tree}/info/node"));
                portrait.get(&agent.address, &format!("{tree}/info/store"));
                let shards = portrait.get(&agent.address, &format!("{tree}/info/shards"));
                let offset = shards["shards"][0]["commit_offset"]["value"].as_i64().unwrap_or(before);
                portrait.keep("an offset not before the last", offset >= before);
                before = offset;
            }
        }
        for path in ["kinds", "openapi.json"] {
            portrait.get(&agent.address, &format!("/api/v1/{path}"));
        }
    }
}

fn records(portrait: &mut Portrait, faults: &[Fault]) {
    let agent = start(faults);
    let at = agent.address.as_str();
    let v1 = r#""headers":{"Up":"Down"},"requester":"Ann""#;
    let unstable = r#""metadata":{"Up":"Down"},"created_time":"2001-02-03T04:05:06.000000007Z""#;
    let mut number = 0;
    for ((tree, action), more) in TREES.into_iter().zip([v1, unstable]) {
        let path = format!("{tree}/{action}");
        for (kind, args) in [
            ("test.success", "null"),
            ("test.fail", "{}"),
            ("test.loop", r#"{"target":3, "delay_ms":0}"#),
            ("cluster.remove", r#"{"node":"gone"}"#),
            ("cluster.remove", r#"{"node":"gone"}"#),
        ] {
            number += 1;
            let body = format!(
                r#"{{"kind":"agent.replicante.io/{kind}","args":{args},"id":"{}",{more}}}"#,
                id(number)
            );
            portrait.post(at, &path, &body);
            portrait.keep("it ends", agent.wait(idle));
            for _ in 0..2 {
                portrait.get(at, &format!("{path}/{}", id(number)));
            }
            let time = || {
                let record = get(at, &format!("{path}/{}", id(number)));
                record
                    .get("finished_ts")
                    .or_else(|| record.get("finished_time"))
                    .cloned()
            };
            portrait.keep("its end stays", time() == time());
            portrait.get(at, &format!("/api/v1/actions/{}/history", id(number)));
            portrait.post(at, &path, &body.replace(", ", ","));
            portrait.post(at, &path, &body.replace("test.", "rest."));
            agent.wait(idle);
        }
        portrait.post(
            at,
            &path,
            r#"{"kind":"agent.replicante.io/test.loop","args":{"target":1000001}}"#,
        );
    }
    portrait.ask(at, &format!("DELETE /api/v1/actions/{}", id(1)), "", None);
    let shards =
        r#"{"kind":"agent.replicante.io/test.success","preconditions":{"shards":{"no":["PRIMARY"]}},"id":"ID"}"#;
    portrait.post(at, "/api/v1/actions", &shards.replace("ID", &id(90)));
    agent.wait(idle);
    portrait.get(at, &format!("/api/v1/actions/{}", id(90)));
}

fn lists(portrait: &mut Portrait, faults: &[Fault]) {
    let agent = start(faults);
    let at = agent.address.as_str();
    let both = |portrait: &mut Portrait| {
        for (tree, _) in TREES {
            portrait.get(at, &format!("{tree}/actions/queue"));
            portrait.get(at, &format!("{tree}/actions/finished"));
            portrait.get(at, &format!("{tree}/actions/queue"));
        }
    };
    for number in 1..=60 {
        post(at, "/api/v1/actions", &success(number));
    }
    post(at, "/api/v1/actions", &success(61).replace("success", "fail"));
    agent.wait(idle);
    both(portrait);
    for list in ["queue", "finished"] {
        let mut next = String::new();
        for _ in 0..5 {
            let page = portrait.get(at, &format!("/api/v1/actions/{list}?limit=20{next}"));
            let Some(cursor) = page["next"].as_str() else { break };
            next = format!("&cursor={cursor}");
        }
    }
    for query in ["cursor=x", "limit=0", "more=1"] {
        portrait.get(at, &format!("/api/v1/actions/finished?{query}"));
    }
    post(at, "/api/v1/actions", &BLOCKER.replace("ID", &id(70)));
    for number in 71..=73 {
        post(at, "/api/v1/actions", &success(number));
    }
    agent.wait(|book| book.actions.iter().any(|action| action.payload.is_some()));
    both(portrait);
    portrait.get(at, "/api/v1/info/node");
    portrait.get(at, &format!("/api/v1/actions/{}", id(70)));
    portrait.get(at, &format!("/api/unstable/action/{}", id(70)));
}

fn order(portrait: &mut Portrait, faults: &[Fault]) {
    for (tree, action) in TREES {
        let agent = start(faults);
        let at = agent.address.as_str();
        post(at, "/api/v1/actions", &BLOCKER.replace("ID", &id(1)));
        agent.wait(|book| {
            book.actions
                .iter()
                .any(|action| action.payload.is_some() && action.state == State::Running)
        });
        for number in [9, 5, 7] {
            let body = success(number).replace('}', &format!(r#","created_time":"2001-01-01T00:00:0{number}Z"}}"#));
            let body = if tree == "/api/v1" { success(number) } else { body };
            post(at, &format!("{tree}/{action}"), &body);
        }
        let queue = get(at, "/api/unstable/actions/queue");
        portrait.keep("three wait", queue);
        portrait.ask(at, &format!("DELETE /api/v1/actions/{}", id(5)), "", None);
        let waiting = format!("/api/v1/actions/{}", id(1));
        let version = get(at, &waiting)["version"].as_u64().unwrap_or(0);
        portrait.get(at, &format!("{waiting}?wait=0&after={version}"));
        let began = Instant::now();
        let address = agent.address.clone();
        let line = format!("GET {waiting}?wait=3&after={version}");
        let poll = std::thread::spawn(move || ask(&address, &line));
        // Whether the poll or the news comes first: it is answered at once.
        portrait.ask(at, &format!("DELETE {waiting}"), "", None);
        let polled = poll.join().unwrap();
        portrait.keep(
            "a poll tells of news",
            polled["version"].as_u64().unwrap_or(0) > version || version == 0,
        );
        portrait.keep("a poll tells at once", began.elapsed() < Duration::from_millis(2500));
        portrait.keep("all end", agent.wait(idle));
        portrait.get(at, "/api/unstable/actions/finished");
    }
}

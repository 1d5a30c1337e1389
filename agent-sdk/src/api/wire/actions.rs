//! Scheduling actions, following them and ending them, in both dialects.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::Value;

use super::golden::Transcript;
use super::stage::{Setting, Stage};

const GATE: &str = r#"{"kind":"example.org/gate"}"#;

/// An id that no golden file hides.
pub(super) fn id(number: u8) -> String {
    format!("00000000-0000-0000-0000-0000000000{number:02}")
}

/// Polls until the action has ended.
fn ended(transcript: &mut Transcript, id: &str) -> Value {
    until(transcript, id, |record| record["finished_ts"].is_string())
}

fn until(transcript: &mut Transcript, id: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut version = 0;
    for _ in 0..100 {
        let path = format!("/api/v1/actions/{id}?wait=20&after={version}");
        let record = transcript.quietly(&path).json();
        if holds(&record) {
            return record;
        }
        version = record["version"].as_u64().unwrap();
    }
    panic!("{id} never gets there");
}

#[test]
fn actions_that_wait() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    transcript.get("/api/v1/actions/queue");
    transcript.get("/api/v1/actions/finished");
    transcript.get("/api/unstable/actions/queue");
    transcript.get("/api/unstable/actions/finished");
    let full = format!(
        r#"{{"kind":"agent.replicante.io/test.loop","args":{{"target": 1e1,  "delay_ms":0}},"id":"{}","headers":{{"b":"2","a":"\u00e9"}},"requester":"Ann","deadline_s":60,"preconditions":{{"node_status":["HEALTHY"],"shards":{{"a":["PRIMARY","SECONDARY"]}}}}}}"#,
        id(1)
    );
    transcript.post("/api/v1/actions", &full.replace("1e1", "3"));
    transcript.post("/api/v1/actions", GATE);
    let unstable = format!(
        r#"{{"args":null,"created_time":"2001-02-03T04:05:06.000000007Z","id":"{}","kind":"example.org/gate","metadata":{{"k":"v"}},"later":[1]}}"#,
        id(2)
    );
    transcript.post("/api/unstable/action", &unstable);
    transcript.get(&format!("/api/v1/actions/{}", id(1)));
    transcript.get(&format!("/api/v1/actions/{}", id(2)));
    transcript.get(&format!("/api/v1/actions/{}/history", id(1)));
    transcript.get(&format!("/api/unstable/action/{}", id(1)));
    transcript.get(&format!("/api/unstable/action/{}", id(2)));
    transcript.get("/api/v1/actions/queue");
    transcript.get("/api/unstable/actions/queue");
    transcript.delete(&format!("/api/v1/actions/{}", id(1)));
    transcript.delete(&format!("/api/v1/actions/{}", id(1)));
    transcript.get("/api/v1/actions/finished");
    // What was not shown as finished yet is still in this dialect's queue.
    transcript.get("/api/unstable/actions/queue");
    transcript.get("/api/unstable/actions/finished");
    transcript.get("/api/unstable/actions/queue");
    transcript.get(&format!("/api/unstable/action/{}", id(1)));
    assert_snapshot!(transcript.finish());
}

#[test]
fn actions_that_end() {
    let stage = Stage::running();
    let mut transcript = Transcript::new(stage.address);
    let kinds = ["agent.replicante.io/test.success", "agent.replicante.io/test.fail"];
    for (number, kind) in (1..).zip(kinds) {
        transcript.post(
            "/api/v1/actions",
            &format!(r#"{{"kind":"{kind}","id":"{}"}}"#, id(number)),
        );
        ended(&mut transcript, &id(number));
        transcript.get(&format!("/api/v1/actions/{}", id(number)));
        transcript.get(&format!("/api/unstable/action/{}", id(number)));
    }
    let looping = format!(
        r#"{{"kind":"agent.replicante.io/test.loop","args":{{"target":2}},"id":"{}"}}"#,
        id(3)
    );
    transcript.post("/api/v1/actions", &looping);
    ended(&mut transcript, &id(3));
    transcript.get(&format!("/api/v1/actions/{}", id(3)));
    transcript.get(&format!("/api/v1/actions/{}/history", id(3)));
    transcript.get("/api/v1/actions/finished");
    transcript.get("/api/unstable/actions/finished");
    assert_snapshot!(transcript.finish());
}

#[test]
fn a_running_action_is_asked_to_stop() {
    let stage = Stage::running();
    let mut transcript = Transcript::new(stage.address);
    transcript.post(
        "/api/v1/actions",
        &format!(r#"{{"kind":"example.org/gate","id":"{}"}}"#, id(1)),
    );
    until(&mut transcript, &id(1), |record| record["state"] == "RUNNING");
    transcript.get(&format!("/api/v1/actions/{}", id(1)));
    transcript.get("/api/unstable/actions/queue");
    let asked = transcript.delete(&format!("/api/v1/actions/{}", id(1)));
    assert_eq!(asked.json()["cancel_requested"], true);
    let record = ended(&mut transcript, &id(1));
    assert_eq!(record["error"]["code"], "cancelled");
    assert_snapshot!(transcript.finish());
}

#[test]
fn an_id_is_used_once() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    let body = |args: &str| {
        format!(
            r#"{{"kind":"agent.replicante.io/test.loop","id":"{}","args":{args}}}"#,
            id(1)
        )
    };
    transcript.post("/api/v1/actions", &body(r#"{"target":3,"delay_ms":1}"#));
    for args in [
        r#"{ "delay_ms": 1, "target": 3 }"#,
        r#"{"target":4,"delay_ms":1}"#,
        // An id that was used is told before anything else is found wrong.
        r#"{"target":"many"}"#,
        "null",
    ] {
        transcript.post("/api/v1/actions", &body(args));
    }
    transcript.post(
        "/api/v1/actions",
        &format!(r#"{{"kind":"no/such","id":"{}"}}"#, id(1).to_uppercase()),
    );
    transcript.post("/api/unstable/action", &body(r#"{"target":3,"delay_ms":1}"#));
    assert_snapshot!(transcript.finish());
}

#[test]
fn a_full_queue_refuses_but_still_knows_its_ids() {
    let stage = Stage::set(Setting {
        max_queued: 1,
        ..Setting::default()
    });
    let mut transcript = Transcript::new(stage.address);
    transcript.post(
        "/api/v1/actions",
        &format!(r#"{{"kind":"example.org/gate","id":"{}"}}"#, id(1)),
    );
    transcript.post("/api/v1/actions", GATE);
    transcript.post("/api/unstable/action", GATE);
    transcript.post(
        "/api/v1/actions",
        &format!(r#"{{"kind":"example.org/gate","id":"{}"}}"#, id(1)),
    );
    assert_snapshot!(transcript.finish());
}

#[test]
fn lists_are_read_page_by_page() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    for number in 1..=5 {
        transcript.post(
            "/api/v1/actions",
            &format!(r#"{{"kind":"example.org/gate","id":"{}"}}"#, id(number)),
        );
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/actions/queue?limit=2".to_owned();
    loop {
        let page = transcript.get(&path).json();
        let actions = page["actions"].as_array().unwrap();
        seen.extend(actions.iter().map(|action| action["id"].as_str().unwrap().to_owned()));
        // Written meanwhile: what was there is read once all the same.
        transcript.delete(&format!("/api/v1/actions/{}", seen[0]));
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/actions/queue?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, (1..=5).map(id).collect::<Vec<_>>());
    let first = transcript.get("/api/v1/actions/queue?limit=1").json();
    let cursor = first["next"].as_str().unwrap();
    let other = transcript.get(&format!("/api/v1/actions/finished?cursor={cursor}"));
    assert_eq!(other.code(), "bad_cursor");
    let steps = transcript
        .get(&format!("/api/v1/actions/{}/history?limit=1", id(1)))
        .json();
    let cursor = steps["next"].as_str().unwrap();
    assert_eq!(
        transcript
            .get(&format!("/api/v1/actions/{}/history?cursor={cursor}", id(1)))
            .json()["next"],
        Value::Null
    );
    assert_eq!(
        transcript
            .get(&format!("/api/v1/actions/{}/history?cursor={cursor}", id(2)))
            .code(),
        "bad_cursor"
    );
}

#[test]
fn who_waits_is_answered_when_the_version_is_another() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    transcript.post(
        "/api/v1/actions",
        &format!(r#"{{"kind":"example.org/gate","id":"{}"}}"#, id(1)),
    );
    let path = format!("/api/v1/actions/{}", id(1));
    assert_eq!(transcript.get(&format!("{path}?wait=60&after=0")).json()["version"], 1);
    assert_eq!(transcript.get(&format!("{path}?wait=60&after=7")).json()["version"], 1);
    assert_eq!(
        transcript.get(&format!("{path}?wait=0&after=1")).json()["version"],
        1,
        "nothing to wait for"
    );
    let address = stage.address;
    let waiting = std::thread::spawn(move || {
        let ask = format!("GET {path}?wait=60&after=1 HTTP/1.1\r\nhost: localhost\r\n\r\n");
        super::talk::exchange(address, ask.as_bytes())
    });
    transcript.delete(&format!("/api/v1/actions/{}", id(1)));
    let answer = waiting.join().unwrap();
    assert_eq!((answer.status, &answer.json()["version"]), (200, &2.into()));
}

/// A waiting client does not keep the agent from stopping.
#[test]
fn who_waits_is_answered_when_the_agent_stops() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    transcript.post(
        "/api/v1/actions",
        &format!(r#"{{"kind":"example.org/gate","id":"{}"}}"#, id(1)),
    );
    let begun = Instant::now();
    let waiting = stage
        .service
        .record_after(id(1).parse().unwrap(), 1, Duration::from_secs(60));
    let (record, ()) = stage
        .runtime
        .block_on(async { tokio::join!(waiting, async { stage.stop.cancel() }) });
    assert_eq!(record.unwrap().version, 1);
    assert!(begun.elapsed() < Duration::from_secs(30));
}

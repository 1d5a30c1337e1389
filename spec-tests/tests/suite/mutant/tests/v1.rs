//! The right agent in `/api/v1`.

use serde_json::{Value, json};

use super::talk::{ask, ask_with, ended, get, id, post, until};
use crate::mutant::{Agent, Options, Role};

const LOOP: &str = "agent.replicante.io/test.loop";

fn schedule(agent: &Agent, body: &str) -> u16 {
    post(&agent.address, "/api/v1/actions", body).status
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn a_healthy_node() {
    let agent = Agent::right();
    let node = get(&agent.address, "/api/v1/info/node");
    assert_eq!(node.status, 200);
    let node = node.json();
    assert_eq!(
        keys(&node),
        [
            "addresses",
            "agent_version",
            "attributes",
            "node_id",
            "node_status",
            "node_status_reason",
            "store_id",
            "store_version"
        ]
    );
    assert_eq!(
        (node["node_status"].as_str(), node["node_id"].as_str()),
        (Some("HEALTHY"), Some("node-1"))
    );
    assert_eq!(
        node["attributes"],
        json!({"example.org/rack": "a", "replicante.io/zone": "z1"})
    );
    assert_eq!(
        get(&agent.address, "/api/v1/info/store").json()["cluster_id"],
        "cluster-1"
    );
    let peer = Agent::start(Options::default().peer("node-2"));
    for (agent, role) in [(&agent, "PRIMARY"), (&peer, "SECONDARY")] {
        let shards = get(&agent.address, "/api/v1/info/shards").json();
        let shard = &shards["shards"][0];
        assert_eq!(
            keys(shard),
            [
                "commit_offset",
                "replication_lag",
                "replication_state",
                "replication_state_reason",
                "shard_id"
            ]
        );
        assert_eq!(
            (shard["shard_id"].as_str(), shard["replication_state"].as_str()),
            (Some("shard-0"), Some(role))
        );
        assert_eq!(shard["commit_offset"]["unit"], "entries");
        assert_eq!(shard["replication_lag"].is_null(), role == "PRIMARY");
    }
    let only = Options {
        unstable: false,
        role: Role::Secondary,
        token: Some("canary".to_owned()),
        ..Options::default()
    };
    let only = Agent::start(only);
    get(&only.address, "/api/unstable/info/node").refused(404, "unknown_route");
    get(&only.address, "/api/v1/info/node").refused(401, "unauthenticated");
    let token = |token: &str| {
        let head = format!("authorization: Bearer {token}\r\n");
        ask_with(&only.address, "GET /api/v1/info/node", &head, None).unwrap()
    };
    assert_eq!(token("canary").status, 200);
    token("wrong").refused(401, "unauthenticated");
}

#[test]
fn an_action_from_its_request_to_its_end() {
    let agent = Agent::right();
    let at = agent.address.as_str();
    let body = format!(
        r#"{{"kind": "{LOOP}", "args": {{"target": 2,  "delay_ms": 0}}, "id": "{}", "headers": {{"B": "2"}}, "requester": "Ann",
            "preconditions": {{"node_status": ["HEALTHY"], "shards": {{"shard-0": ["PRIMARY"]}}}}, "deadline_s": 9}}"#,
        id(1)
    );
    let accepted = post(at, "/api/v1/actions", &body);
    assert_eq!((accepted.status, accepted.json()), (201, json!({"id": id(1)})));
    assert!(accepted.head.contains(&format!("location: /api/v1/actions/{}", id(1))));
    let record = ended(at, &id(1));
    assert_eq!(keys(&record).len(), 18, "{record}");
    let text = get(at, &format!("/api/v1/actions/{}", id(1))).text();
    assert!(text.contains(r#""args":{"target": 2,  "delay_ms": 0}"#), "{text}");
    for (key, value) in [
        ("state", json!("DONE")),
        ("headers", json!({"B": "2"})),
        ("requester", json!("Ann")),
        ("state_payload", json!({"count": 2, "target": 2})),
        ("output", json!({"count": 2, "target": 2})),
        ("error", Value::Null),
        ("attempt", json!(1)),
        ("deadline_s", json!(9)),
        ("version", json!(5)),
    ] {
        assert_eq!(record[key], value, "{key}");
    }
    for key in ["created_ts", "scheduled_ts", "started_ts", "finished_ts"] {
        let time = record[key].as_str().unwrap();
        assert!(time.len() == 30 && time.ends_with('Z'), "{time}");
    }
    let history = get(at, &format!("/api/v1/actions/{}/history", id(1))).json();
    let states: Vec<&str> = history["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| step["state"].as_str())
        .collect();
    assert_eq!(states, ["NEW", "RUNNING", "RUNNING", "RUNNING", "DONE"]);
    assert_eq!(history["next"], Value::Null);
    let first = get(at, &format!("/api/v1/actions/{}/history?limit=2", id(1))).json();
    let path = format!(
        "/api/v1/actions/{}/history?cursor={}",
        id(1),
        first["next"].as_str().unwrap()
    );
    assert_eq!(get(at, &path).json()["transitions"][0]["version"], 3);

    let again = post(at, "/api/v1/actions", &body.replace("2,  ", "2 ,"));
    again.refused(409, "id_used");
    assert_eq!(again.json()["same_request"], true);
    assert!(again.head.contains("location: "));
    let other = post(at, "/api/v1/actions", &format!(r#"{{"kind":"none","id":"{}"}}"#, id(1)));
    assert_eq!(other.json()["same_request"], false);
    ask(at, &format!("DELETE /api/v1/actions/{}", id(1))).refused(409, "action_finished");

    for (number, kind, args, state) in [
        (2, "test.success", "null", "DONE"),
        (3, "test.fail", "{}", "FAILED"),
        (4, "cluster.remove", r#"{"node":"gone"}"#, "DONE"),
        (5, "cluster.remove", r#"{"node":"gone"}"#, "DONE"),
    ] {
        let body = format!(
            r#"{{"kind":"agent.replicante.io/{kind}","args":{args},"id":"{}"}}"#,
            id(number)
        );
        assert_eq!(schedule(&agent, &body), 201);
        let record = ended(at, &id(number));
        assert_eq!(
            (record["state"].as_str(), record["version"].as_u64()),
            (Some(state), Some(3)),
            "{record}"
        );
        assert_eq!(record["error"].is_null(), state == "DONE");
    }
}

#[test]
fn one_at_a_time_and_cancelled_as_asked() {
    let agent = Agent::right();
    let at = agent.address.as_str();
    for number in 1..=3 {
        let body = format!(
            r#"{{"kind":"{LOOP}","args":{{"target":2,"delay_ms":60000}},"id":"{}"}}"#,
            id(number)
        );
        assert_eq!(schedule(&agent, &body), 201);
    }
    until(at, &id(1), |record| record["state_payload"]["count"] == 1);
    let queue = get(at, "/api/v1/actions/queue").json();
    let states: Vec<&Value> = queue["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| &action["state"])
        .collect();
    assert_eq!(states, ["RUNNING", "NEW", "NEW"]);
    let still = get(at, &format!("/api/v1/actions/{}?wait=0&after=1", id(2)));
    assert_eq!((still.status, still.json()["state"].as_str()), (200, Some("NEW")));
    let cancelled = ask(at, &format!("DELETE /api/v1/actions/{}", id(2)));
    assert_eq!(cancelled.status, 202);
    let record = cancelled.json();
    assert_eq!(
        (record["state"].as_str(), record["error"]["code"].as_str()),
        (Some("FAILED"), Some("cancelled"))
    );
    let asked = ask(at, &format!("DELETE /api/v1/actions/{}", id(1)));
    assert_eq!(
        (asked.status, asked.json()["cancel_requested"].as_bool()),
        (202, Some(true))
    );
    assert_eq!(ended(at, &id(1))["error"]["code"], "cancelled");
    until(at, &id(3), |record| record["state"] == "RUNNING");
    let unmet =
        r#"{"kind":"agent.replicante.io/test.success","preconditions":{"shards":{"none":["PRIMARY"]}},"id":"ID"}"#;
    assert_eq!(schedule(&agent, &unmet.replace("ID", &id(4))), 201);
    let slow = format!(
        r#"{{"kind":"{LOOP}","args":{{"delay_ms":60000}},"deadline_s":1,"id":"{}"}}"#,
        id(5)
    );
    assert_eq!(schedule(&agent, &slow), 201);
    ask(at, &format!("DELETE /api/v1/actions/{}", id(3)));
    assert_eq!(ended(at, &id(4))["error"]["code"], "precondition_unmet");
    assert_eq!(ended(at, &id(5))["error"]["code"], "deadline");
}

#[test]
fn everything_is_read_once_page_by_page() {
    let agent = Agent::right();
    let at = agent.address.as_str();
    for number in 1..=7 {
        let body = format!(r#"{{"kind":"agent.replicante.io/test.success","id":"{}"}}"#, id(number));
        assert_eq!(schedule(&agent, &body), 201);
    }
    ended(at, &id(7));
    let mut read = Vec::new();
    let mut path = "/api/v1/actions/finished?limit=3".to_owned();
    loop {
        let page = get(at, &path).json();
        assert_eq!(keys(&page["actions"][0]).len(), 13);
        read.extend(
            page["actions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|action| action["id"].as_str().unwrap().to_owned()),
        );
        // What comes meanwhile is not in the way.
        schedule(&agent, r#"{"kind":"agent.replicante.io/test.success"}"#);
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/actions/finished?limit=3&cursor={next}"),
            None => break,
        }
    }
    let newest_first: Vec<String> = (1..=7).rev().map(id).collect();
    assert_eq!(read, newest_first);
    for cursor in ["", "q-1", "f1", "f-x", "x", "f-+1", "%00"] {
        get(at, &format!("/api/v1/actions/finished?cursor={cursor}")).refused(400, "bad_cursor");
    }
}

#[test]
fn a_full_queue_and_what_is_told_of_kinds() {
    let full = Agent::start(Options {
        max_queued: 1,
        ..Options::default()
    });
    let slow = format!(r#"{{"kind":"{LOOP}","args":{{"delay_ms":60000}}}}"#);
    assert_eq!(schedule(&full, &slow), 201);
    let refused = post(&full.address, "/api/v1/actions", &slow);
    refused.refused(429, "queue_full");
    assert!(refused.head.contains("retry-after: 5"));

    let kinds = get(&full.address, "/api/v1/kinds").json();
    assert_eq!(kinds["kinds"].as_array().unwrap().len(), 4);
    assert!(
        kinds["kinds"]
            .as_array()
            .unwrap()
            .iter()
            .all(|kind| kind["args"]["type"] == "object")
    );
    assert_eq!(kinds["absent"].as_array().unwrap().len(), 3);
    let document = get(&full.address, "/api/v1/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["paths"]["/api/v1/actions/{id}"].as_object().unwrap().len(), 2);
}

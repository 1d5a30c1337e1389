//! The right agent in `/api/unstable`.

use serde_json::{Value, json};

use super::talk::{ask, ask_with, ended, get, id, post};
use crate::mutant::{Agent, Options};

#[test]
fn a_healthy_node() {
    let agent = Agent::right();
    let peer = Agent::start(Options::default().peer("node-2"));
    assert_eq!(
        get(&agent.address, "/api/unstable/info/node?any=1").json(),
        json!({
            "node_id": "node-1",
            "store_id": "invented",
            "node_status": "HEALTHY",
            "agent_version": {"number": "1.2.3", "checkout": "11a24d9", "taint": "not tainted"},
            "store_version": {"number": "3.9.0", "checkout": null, "extra": null},
            "address": {"client": "node-1:7000", "member": "node-1:7001"},
            "attributes": {"example.org/rack": "a", "replicante.io/zone": "z1"},
        })
    );
    assert_eq!(
        get(&agent.address, "/api/unstable/info/store").json()["cluster_id"],
        "cluster-1"
    );
    let mut before = i64::MIN;
    for (agent, role, lag) in [
        (&agent, "Primary", Value::Null),
        (&agent, "Primary", Value::Null),
        (&peer, "Secondary", json!({"unit": {"unit": "entries"}, "value": 1})),
    ] {
        let shards = get(&agent.address, "/api/unstable/info/shards").json();
        let shard = &shards["shards"][0];
        assert_eq!(
            (shard["id"].as_str(), shard["role"].as_str(), &shard["lag"]),
            (Some("shard-0"), Some(role), &lag)
        );
        assert_eq!(shard["commit_offset"]["unit"], json!({"unit": "entries"}));
        let offset = shard["commit_offset"]["value"].as_i64().unwrap();
        assert!(role == "Secondary" || offset >= before);
        before = offset;
    }
}

#[test]
fn what_ends_between_two_lists_is_in_one_of_them() {
    let agent = Agent::right();
    let at = agent.address.as_str();
    let body = format!(
        r#"{{"args":null,"created_time":"2001-02-03T04:05:06.000000007Z","id":"{}","kind":"agent.replicante.io/test.fail",
            "metadata":{{"K":"v"}},"later":[1],"deadline_s":0,"requester":7,"headers":3,"preconditions":{{}}}}"#,
        id(1)
    );
    let accepted = post(at, "/api/unstable/action", &body);
    assert_eq!((accepted.status, accepted.json()), (200, json!({"id": id(1)})));
    let record = ended(at, &id(1));
    assert_eq!(
        get(at, &format!("/api/unstable/action/{}", id(1))).json(),
        json!({
            "id": id(1),
            "kind": "agent.replicante.io/test.fail",
            "args": null,
            "metadata": {"K": "v"},
            "created_time": "2001-02-03T04:05:06.000000007Z",
            "scheduled_time": record["scheduled_ts"],
            "finished_time": record["finished_ts"],
            "state": {"phase": "FAILED", "error": record["error"], "payload": null},
        })
    );
    let listed = json!({"actions": [{"id": id(1), "kind": "agent.replicante.io/test.fail", "phase": "FAILED"}]});
    assert_eq!(get(at, "/api/unstable/actions/queue").json(), listed);
    assert_eq!(get(at, "/api/unstable/actions/queue").json(), listed);
    assert_eq!(get(at, "/api/unstable/actions/finished").json(), listed);
    assert_eq!(get(at, "/api/unstable/actions/queue").json(), json!({"actions": []}));

    let again = post(at, "/api/unstable/action", &body);
    again.refused(409, "id_used");
    assert_eq!(
        (again.json()["error"].as_bool(), again.json()["same_request"].as_bool()),
        (Some(true), Some(true))
    );
    assert!(
        again
            .head
            .contains(&format!("location: /api/unstable/action/{}", id(1)))
    );

    let body = r#"{"kind":"agent.replicante.io/test.loop","args":{"target":3},"id":"ID"}"#.replace("ID", &id(2));
    assert_eq!(post(at, "/api/unstable/action", &body).status, 200);
    ended(at, &id(2));
    let record = get(at, &format!("/api/unstable/action/{}", id(2))).json();
    assert_eq!(record["state"]["payload"], json!({"count": 3, "target": 3}));
    assert_eq!(record["created_time"], record["scheduled_time"]);
    let finished = get(at, "/api/unstable/actions/finished").json();
    assert_eq!(finished["actions"][0]["id"], id(2));
}

#[test]
fn bad_requests_are_refused_with_their_codes() {
    let agent = Agent::right();
    let at = agent.address.as_str();
    let refused = |body: &str, code: &str| {
        let answer = post(at, "/api/unstable/action", body);
        answer.refused(400, code);
        let body = answer.json();
        assert_eq!((&body["error"], &body["error_msg"]), (&json!(true), &body["detail"]));
    };
    for (body, code) in [
        ("{", "malformed_body"),
        ("null", "bad_value"),
        (r#"{"kind":"none"}"#, "unknown_kind"),
        (r#"{"kind":"x","kind":"x"}"#, "duplicate_key"),
        (r#"{"kind":"x","id":"7"}"#, "bad_id"),
        (r#"{"kind":"x","metadata":{"a":1}}"#, "bad_value"),
        (
            r#"{"kind":"x","created_time":"2001-02-03T04:05:06+02:00"}"#,
            "bad_value",
        ),
        (
            r#"{"kind":"agent.replicante.io/test.loop","args":{"target":-1}}"#,
            "bad_arguments",
        ),
    ] {
        refused(body, code);
    }
    get(at, "/api/unstable/none").refused(404, "unknown_route");
    get(at, "/api/unstable/action/no-uuid").refused(400, "bad_id");
    get(at, &format!("/api/unstable/action/{}", id(1))).refused(404, "unknown_action");
    ask(at, "DELETE /api/unstable/action").refused(405, "method_not_allowed");
    let plain = ask_with(
        at,
        "POST /api/unstable/action",
        "content-type: text/plain\r\n",
        Some(b"{}"),
    );
    plain.unwrap().refused(415, "unsupported_media_type");
}

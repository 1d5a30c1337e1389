//! What the existing control plane does: one action by the dialect `unstable`, in its own words.

use agent_sdk::client::{Method, wait};
use agent_sdk::spec::NodeState;
use agent_sdk::testing::TestAgent;
use serde_json::{Value, json};

use crate::rig::{JOIN, Rig, await_state, blank, config_version, until};

fn asked(agent: &TestAgent, method: Method, path: &str, body: &Value) -> Value {
    let body = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    let answer = wait(agent.client().raw(method, &format!("/api/unstable/{path}"), body)).unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).unwrap()
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn the_control_plane_joins_a_server_by_the_dialect_unstable() {
    let rig = Rig::start(blank(2));
    await_state(rig.agent(1), NodeState::Healthy);
    await_state(rig.agent(2), NodeState::NotInCluster);
    let before = config_version(rig.agent(1));
    let get = |agent, path: &str| asked(agent, Method::Get, path, &Value::Null);

    // It targets a healthy node that has a member address and a primary shard.
    let target = get(rig.agent(1), "info/node");
    assert_eq!(target["node_status"], "HEALTHY");
    assert_eq!(get(rig.agent(1), "info/shards")["shards"][0]["role"], "Primary");
    let joiner = rig.agent(2);
    assert_eq!(get(joiner, "info/node")["node_status"], "NOT_IN_CLUSTER");
    assert_eq!(get(joiner, "info/store")["cluster_id"], "ensemble", "a string always");

    let args = json!({ "node": target["address"]["member"] });
    let body = json!({
        "args": args, "created_time": "2024-10-01T10:00:00.123456789Z", "kind": JOIN, "metadata": {"by": "core"}
    });
    let id = asked(joiner, Method::Post, "action", &body)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut action = Value::Null;
    until("the action to end", || {
        action = get(joiner, &format!("action/{id}"));
        ["DONE", "FAILED"].contains(&action["state"]["phase"].as_str().unwrap())
    });
    assert_eq!(action["state"]["phase"], "DONE", "{action}");
    assert_eq!((&action["args"], &action["metadata"]["by"]), (&args, &json!("core")));
    assert!(action["finished_time"].is_string(), "{action}");
    let payload = &action["state"]["payload"];
    assert_eq!((&payload["server_id"], &payload["changed"]), (&json!(2), &json!(true)));
    assert_eq!(
        get(joiner, "info/node")["node_status"],
        "HEALTHY",
        "by the time it is done"
    );
    assert_eq!(get(joiner, "info/shards")["shards"][0]["role"], "Secondary");
    assert_eq!(payload["config_version"], config_version(rig.agent(1)));
    assert_ne!(payload["config_version"], before);
    let finished = get(joiner, "actions/finished");
    assert_eq!(
        finished["actions"][0],
        json!({ "id": id, "kind": JOIN, "phase": "DONE" })
    );
}

//! The node, its cluster and its shards, in both dialects.

use insta::assert_snapshot;

use super::golden::Transcript;
use super::stage::{Setting, Stage};
use crate::spec::{Identity, NodeStatus};

const PATHS: [&str; 6] = [
    "/api/v1/info/node",
    "/api/unstable/info/node",
    "/api/v1/info/store",
    "/api/unstable/info/store",
    "/api/v1/info/shards",
    "/api/unstable/info/shards",
];

#[test]
fn a_node_that_is_well() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    for path in PATHS {
        transcript.get(path);
    }
    assert_snapshot!(transcript.finish());
}

#[test]
fn a_node_in_no_cluster() {
    for (name, cluster_id) in [("not_configured", None), ("configured", Some("planned"))] {
        let stage = Stage::set(Setting {
            cluster_id,
            ..Setting::default()
        });
        stage.play(|scene| {
            scene.status = NodeStatus::not_in_cluster();
            scene.identity = Identity::default();
            scene.cluster_id = Ok(None);
            scene.shards = Ok(Vec::new());
        });
        let mut transcript = Transcript::new(stage.address);
        for path in PATHS {
            transcript.get(path);
        }
        assert_snapshot!(format!("a_node_in_no_cluster_{name}"), transcript.finish());
    }
}

#[test]
fn a_store_that_cannot_be_asked() {
    let stage = Stage::new();
    stage.play(|scene| {
        scene.status = NodeStatus::unknown("nobody knows");
        scene.cluster_id = Err("no such user");
        scene.shards = Err("connection refused");
    });
    let mut transcript = Transcript::new(stage.address);
    for path in PATHS {
        transcript.get(path);
    }
    assert_snapshot!(transcript.finish());
}

#[test]
fn a_store_that_hangs() {
    let stage = Stage::new();
    stage.play(|scene| scene.hangs = true);
    let mut transcript = Transcript::new(stage.address);
    for path in PATHS {
        transcript.get(path);
    }
    assert_snapshot!(transcript.finish());
}

/// The control plane cannot do without an offset: the last one seen stands in, and -1 for one never seen.
#[test]
fn an_offset_that_cannot_be_read_just_now() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    transcript.get("/api/unstable/info/shards");
    stage.play(|scene| {
        for shard in scene.shards.as_mut().unwrap() {
            shard.commit_offset = None;
        }
    });
    let values = |answer: serde_json::Value| -> Vec<i64> {
        let shards = answer["shards"].as_array().unwrap().clone();
        shards
            .iter()
            .map(|shard| shard["commit_offset"]["value"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(
        values(transcript.get("/api/unstable/info/shards").json()),
        [i64::MAX, 7, -1, -1]
    );
    let own = transcript.get("/api/v1/info/shards").json();
    assert!(
        own["shards"]
            .as_array()
            .unwrap()
            .iter()
            .all(|shard| shard["commit_offset"].is_null())
    );
}

#[test]
fn every_state_of_a_node() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    for status in [
        NodeStatus::unavailable("down"),
        NodeStatus::not_in_cluster(),
        NodeStatus::joining(),
        NodeStatus::leaving(),
        NodeStatus::unhealthy("slow disk"),
        NodeStatus::healthy(),
        NodeStatus::unknown("why"),
    ] {
        let name = status.state().name();
        let reason = status.reason().map(str::to_owned);
        stage.play(|scene| scene.status = status);
        let own = transcript.get("/api/v1/info/node").json();
        assert_eq!(
            (&own["node_status"], &own["node_status_reason"]),
            (&name.into(), &serde_json::json!(reason))
        );
        let unstable = transcript.get("/api/unstable/info/node").json();
        if name == "UNKNOWN" {
            assert_eq!(unstable["node_status"], serde_json::json!({"UNKNOWN": "why"}));
        } else {
            assert_eq!(unstable["node_status"], name);
        }
    }
}

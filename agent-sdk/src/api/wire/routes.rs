//! What is served and what is not: health, unknown paths, wrong methods, parameters.

use insta::assert_snapshot;

use super::super::route::Table;
use super::golden::Transcript;
use super::stage::{Setting, Stage};
use crate::config::{Api, Tree};

#[test]
fn health_and_metrics() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    transcript.get("/healthz");
    transcript.get("/readyz");
    let metrics = transcript.get("/metrics");
    assert!(metrics.headers["content-type"].starts_with("text/plain"));
    assert_eq!(transcript.get("/api/v1/openapi.json").json()["openapi"], "3.1.0");
}

#[test]
fn nothing_is_served_that_is_not_in_the_table() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    for path in [
        "/",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/info",
        "/api/v1/info/node/",
        "//api/v1/info/node",
        "/api/v1//info/node",
        "/api/v1/actions/",
        "/api/v1/kinds/a/b/c/plan",
        "/api/v2/info/node",
        "/api/unstable",
        "/api/unstable/info/node/",
        "/api/unstable/actions",
        "/api/unstable/kinds",
        "/favicon.ico",
        "/healthz/",
        "/..%2f..%2fetc/passwd",
    ] {
        assert_eq!(transcript.get(path).code(), "unknown_route", "{path}");
    }
    assert_snapshot!(transcript.finish());
}

#[test]
fn every_other_method_is_refused_with_those_that_are_served() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    for place in Table::new(&[Tree::V1, Tree::Unstable]).places() {
        let path = place
            .path
            .replace("{id}", &super::actions::id(1))
            .replace("{scope}", "a")
            .replace("{name}", "b");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            if place.routes.iter().any(|route| route.method.as_str() == method) {
                continue;
            }
            let answer = transcript.ask(method, &path, &[], "");
            assert_eq!(
                (answer.code().as_str(), &answer.headers["allow"]),
                ("method_not_allowed", &place.allow)
            );
        }
    }
    let mut sample = Transcript::new(stage.address);
    sample.ask("PUT", "/api/v1/actions/x", &[], "");
    sample.ask("DELETE", "/api/unstable/action", &[], "");
    sample.ask("POST", "/healthz", &[], "");
    assert_snapshot!(sample.finish());
}

/// HEAD is the GET without its body, problems included.
#[test]
fn head_is_get_without_a_body() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    for path in [
        "/healthz",
        "/api/v1/info/node",
        "/api/unstable/info/shards",
        "/api/v1/kinds",
        "/nowhere",
    ] {
        let get = transcript.get(path);
        let head = transcript.ask("HEAD", path, &[], "");
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.headers["content-length"], get.headers["content-length"], "{path}");
    }
    assert_eq!(transcript.ask("HEAD", "/api/v1/actions", &[], "").status, 405);
}

#[test]
fn a_tree_that_is_switched_off_is_not_there() {
    for (tree, there, away) in [
        (Tree::V1, "/api/v1/info/node", "/api/unstable/info/node"),
        (Tree::Unstable, "/api/unstable/info/node", "/api/v1/info/node"),
    ] {
        let setting = Setting::default();
        let stage = Stage::set(Setting {
            api: Api {
                trees: vec![tree],
                ..setting.api
            },
            ..setting
        });
        let mut transcript = Transcript::new(stage.address);
        assert_eq!(transcript.get(there).status, 200);
        assert_eq!(transcript.get(away).code(), "unknown_route");
        assert_eq!(transcript.get("/healthz").status, 200);
    }
}

#[test]
fn parameters_are_known_and_in_range() {
    let stage = Stage::new();
    let mut transcript = Transcript::new(stage.address);
    let action = format!("/api/v1/actions/{}", super::actions::id(1));
    for path in [
        "/api/v1/info/node?verbose=1",
        "/api/v1/actions/queue?limit=0",
        "/api/v1/actions/queue?limit=1001",
        "/api/v1/actions/queue?limit=",
        "/api/v1/actions/queue?limit=+5",
        "/api/v1/actions/queue?limit=5&limit=5",
        "/api/v1/actions/finished?cursor=",
        "/api/v1/actions/finished?cursor=q1",
        "/api/v1/actions/finished?cursor=f%00",
        "/api/v1/actions/queue?Limit=5",
        &format!("{action}?wait=61&after=1"),
        &format!("{action}?wait=-1&after=1"),
        &format!("{action}?wait=1"),
        &format!("{action}?after=x"),
        &format!("{action}?a~b/c=1"),
        &format!("{action}/history?limit=9999"),
        "/api/v1/actions/no-uuid",
        "/api/v1/actions/00000000000000000000000000000001",
        "/api/v1/actions/no-uuid/history",
        "/api/unstable/action/no-uuid",
    ] {
        assert_eq!(transcript.get(path).status, 400, "{path}");
    }
    assert_eq!(transcript.delete("/api/v1/actions/no-uuid").status, 400);
    assert_eq!(transcript.delete(&format!("{action}?force=true")).status, 400);
    // This dialect passes over what it does not know.
    assert_eq!(transcript.get("/api/unstable/info/node?verbose=1").status, 200);
    for path in [
        &action,
        &format!("{action}/history"),
        &format!("/api/unstable/action/{}", super::actions::id(1)),
    ] {
        assert_eq!(transcript.get(path).code(), "unknown_action");
    }
    assert_eq!(transcript.delete(&action).code(), "unknown_action");
    assert_snapshot!(transcript.finish());
}

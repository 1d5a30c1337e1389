//! A small document that is true: every route with its methods, and what a success is.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::fault::Fault;
use super::options::Faults;

/// Path, method, status of a success, what it is for.
const ROUTES: [(&str, &str, &str, &str); 12] = [
    ("/api/v1/info/node", "get", "200", "Who the node is and how it is."),
    ("/api/v1/info/store", "get", "200", "The node's cluster."),
    ("/api/v1/info/shards", "get", "200", "The shards on the node."),
    ("/api/v1/actions", "post", "201", "Schedules an action."),
    (
        "/api/v1/actions/queue",
        "get",
        "200",
        "Actions that have not ended, oldest first.",
    ),
    (
        "/api/v1/actions/finished",
        "get",
        "200",
        "Actions that have ended, newest first.",
    ),
    ("/api/v1/actions/{id}", "get", "200", "An action."),
    ("/api/v1/actions/{id}", "delete", "202", "Cancels an action."),
    ("/api/v1/actions/{id}/history", "get", "200", "The steps of an action."),
    ("/api/v1/kinds", "get", "200", "The kinds of action."),
    (
        "/api/v1/kinds/{scope}/{name}/plan",
        "post",
        "200",
        "What an action would do now.",
    ),
    ("/api/v1/openapi.json", "get", "200", "This document."),
];

/// `GET /openapi.json`.
pub fn answer(faults: &Faults) -> Answer {
    let mut paths = Map::new();
    for (path, method, status, summary) in ROUTES {
        let named = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters =
            named.map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
        let parameters: Vec<Value> = parameters.collect();
        let mut operation = json!({
            "summary": summary,
            "parameters": parameters,
            "responses": {
                status: {"description": "It went well.", "content": {"application/json": {"schema": {"type": "object"}}}},
                "default": {"description": "It did not.", "content": {"application/problem+json": {"schema": {"type": "object"}}}},
            },
        });
        if method == "post" {
            operation["requestBody"] =
                json!({"required": true, "content": {"application/json": {"schema": {"type": "object"}}}});
        }
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[method] = operation;
    }
    if faults.has(Fault::OpenapiEmpty) {
        paths.clear();
    }
    let body = json!({
        "openapi": "3.1.0",
        "info": {"title": "An agent beside an invented store", "version": "1.2.3"},
        "paths": paths,
    });
    Answer::json(200, &body)
}

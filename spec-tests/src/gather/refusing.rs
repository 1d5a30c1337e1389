//! Requests that an agent has to refuse.

use std::collections::BTreeMap;

use super::acting::{LOOP, SUCCESS};
use super::looking::record;
use super::patience::Patient;
use super::{Told, id};
use crate::client::{Exchange, Request};
use crate::dialect::Dialect;

/// A kind that no agent has.
pub(super) const UNKNOWN: &str = "example.org/no-such-kind";

/// Requests that have to be refused, and must leave nothing behind.
pub(super) async fn ask_all(
    client: &Patient,
    dialect: Dialect,
) -> BTreeMap<&'static str, (Exchange, Told<crate::model::Record>)> {
    let path = dialect.schedule_path();
    let mut refused = BTreeMap::new();
    let with = |id: &str, rest: &str| format!(r#"{{"id":"{id}",{rest}}}"#);
    let success = format!(r#""kind":"{SUCCESS}","args":{{}}"#);
    let mut requests: Vec<(&'static str, String, Request)> = Vec::new();
    let mut add = |name, make: &dyn Fn(&str) -> Request| {
        let id = id();
        let request = make(&id);
        requests.push((name, id, request));
    };
    let post = |body: String| Request::post_text(path.clone(), body);
    add("unknown_kind", &|id| {
        post(with(id, &format!(r#""kind":"{UNKNOWN}","args":{{}}"#)))
    });
    add("bad_arguments", &|id| {
        post(with(id, &format!(r#""kind":"{LOOP}","args":{{"target":"many"}}"#)))
    });
    add("malformed", &|id| post(format!(r#"{{"id":"{id}",{success}"#)));
    add("not_an_object", &|id| post(format!("[{}]", with(id, &success))));
    add("bad_uuid", &|_| post(format!(r#"{{"id":"no-uuid",{success}}}"#)));
    add("media_type", &|id| {
        let body = with(id, &success).into_bytes();
        Request {
            headers: vec![("content-type", "text/plain".to_owned())],
            ..Request::post_text(path.clone(), body)
        }
    });
    if dialect == Dialect::V1 {
        add("unknown_key", &|id| {
            post(with(id, &format!(r#"{success},"no_such_key":1"#)))
        });
        add("no_preconditions", &|id| {
            post(with(id, &format!(r#"{success},"preconditions":{{}}"#)))
        });
        add("deadline", &|id| {
            post(with(id, &format!(r#"{success},"deadline_s":4294967295"#)))
        });
        add("requester", &|id| {
            let long = "x".repeat(201);
            post(with(id, &format!(r#"{success},"requester":"{long}""#)))
        });
    } else {
        add("created_time", &|id| {
            post(with(
                id,
                &format!(r#"{success},"created_time":"2020-01-01T00:00:00+02:00""#),
            ))
        });
    }
    for (name, id, request) in requests {
        let exchange = client.ask(request).await;
        refused.insert(name, (exchange, record(client, dialect, &id).await));
    }
    if dialect == Dialect::Unstable {
        // Not refused there: unknown keys are ignored.
        let id = id();
        let exchange = client
            .ask(post(with(&id, &format!(r#"{success},"no_such_key":1"#))))
            .await;
        refused.insert("unknown_key", (exchange, record(client, dialect, &id).await));
    }
    refused
}

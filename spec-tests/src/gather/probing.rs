//! Questions of level `read` that have one right answer each.

use std::collections::BTreeMap;

use super::id;
use super::patience::Patient;
use crate::client::{Exchange, Request};
use crate::dialect::Dialect;

/// Asks them.
pub(super) async fn probe(client: &Patient, dialect: Dialect) -> BTreeMap<&'static str, Exchange> {
    let mut asked = vec![
        ("unknown_route", Request::get(dialect.path("no/such/route"))),
        ("wrong_method", put_nothing(dialect.path("info/node"))),
        ("unknown_action", Request::get(dialect.record_path(&id()))),
        ("bad_id", Request::get(dialect.record_path("not-a-uuid"))),
    ];
    if dialect == Dialect::V1 {
        asked.extend([
            (
                "unknown_parameter",
                Request::get(dialect.path("actions/queue?no-such=1")),
            ),
            ("bad_limit", Request::get(dialect.path("actions/finished?limit=0"))),
            (
                "bad_cursor",
                Request::get(dialect.path("actions/finished?cursor=no-such-cursor")),
            ),
            ("openapi", Request::get(dialect.path("openapi.json"))),
            ("kinds", Request::get(dialect.path("kinds"))),
        ]);
    }
    let mut probes = BTreeMap::new();
    for (name, request) in asked {
        probes.insert(name, client.ask(request).await);
    }
    probes
}

/// A PUT that says that nothing comes: without a length it could be refused for that.
fn put_nothing(path: String) -> Request {
    Request {
        body: Some(Vec::new()),
        ..Request::new("PUT", path)
    }
}

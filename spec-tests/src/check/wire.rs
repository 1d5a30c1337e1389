//! The contract of the dialects: what `wire.md` lays down beside the specification.

use super::judge::{Case, Judge, value};
use super::{Check, V1, read};
use crate::client::{Answer, Exchange};
use crate::dialect::{Dialect, problem};
use crate::gather::{Sample, Told};
use crate::verdict::Severity::Wire;

pub(super) const CHECKS: &[Check] = &[
    read(
        "wire.node",
        Wire,
        "info/node has the shape of its dialect",
        "docs/wire.md#the-node",
        |case, judge| {
            shape(case, judge, |sample| &sample.node);
        },
    ),
    read(
        "wire.store",
        Wire,
        "info/store has the shape of its dialect",
        "docs/wire.md#the-store",
        |case, judge| {
            shape(case, judge, |sample| &sample.store);
        },
    ),
    read(
        "wire.shards",
        Wire,
        "info/shards has the shape of its dialect",
        "docs/wire.md#the-shards",
        |case, judge| {
            shape(case, judge, |sample| &sample.shards);
        },
    ),
    read(
        "wire.unknown_route",
        Wire,
        "an unknown route is a problem with 404",
        "docs/wire.md#problems",
        |case, judge| {
            refused(case, judge, "unknown_route", &[404]);
        },
    ),
    read(
        "wire.wrong_method",
        Wire,
        "a wrong method is a problem with 405 that names the right ones",
        "docs/wire.md#problems",
        |case, judge| {
            for exchange in probes(case, "wrong_method") {
                if is_refused(case, judge, exchange, &[405])
                    && let Ok(answer) = &exchange.outcome
                {
                    let lines = answer.headers.iter().filter(|(name, _)| name == "allow");
                    let allow: Vec<_> = lines
                        .flat_map(|(_, methods)| methods.split(','))
                        .map(str::trim)
                        .collect();
                    if allow.contains(&"GET") {
                        judge.holds();
                    } else {
                        judge.broken(exchange, "GET in the header Allow", format!("{allow:?}"));
                    }
                }
            }
        },
    ),
    read(
        "wire.unknown_action",
        Wire,
        "an action that is not there is a 404",
        "docs/wire.md#problems",
        |case, judge| {
            not_found(case, judge, "unknown_action", &[404]);
        },
    ),
    read(
        "wire.bad_id",
        Wire,
        "an id that is no UUID is a problem with 400, or the id of no action",
        "docs/wire.md#problems",
        |case, judge| {
            not_found(case, judge, "bad_id", &[400, 404]);
        },
    ),
    read(
        "wire.unknown_parameter",
        Wire,
        "an unknown parameter is a problem with 400",
        "docs/wire.md#problems",
        |case, judge| {
            refused(case, judge, "unknown_parameter", &[400]);
            refused(case, judge, "bad_limit", &[400]);
        },
    )
    .only(V1),
    read(
        "wire.bad_cursor",
        Wire,
        "a cursor that was not given out is a problem with 400",
        "docs/wire.md#lists",
        |case, judge| {
            refused(case, judge, "bad_cursor", &[400]);
        },
    )
    .only(V1),
    read(
        "wire.openapi",
        Wire,
        "the interface describes itself by OpenAPI",
        "docs/wire.md#openapi",
        |case, judge| {
            for exchange in probes(case, "openapi") {
                let document = good(exchange).and_then(|answer| answer.json().ok()).unwrap_or_default();
                let version = document["openapi"]
                    .as_str()
                    .is_some_and(|version| version.starts_with("3."));
                let paths = document["paths"].as_object().is_some_and(|paths| {
                    ["info/node", "info/store", "info/shards", "actions"]
                        .iter()
                        .all(|path| paths.keys().any(|known| known.ends_with(path)))
                });
                judge.expect(version && paths, exchange, "OpenAPI 3 with the paths of /api/v1");
            }
        },
    )
    .only(V1),
];

/// What was asked under this name, of every agent.
pub(super) fn probes<'a>(case: &Case<'a>, name: &'static str) -> impl Iterator<Item = &'a Exchange> + use<'a> {
    case.agents.iter().filter_map(move |agent| agent.probes.get(name))
}

pub(super) fn good(exchange: &Exchange) -> Option<&Answer> {
    exchange.outcome.as_ref().ok().filter(|answer| answer.status == 200)
}

fn refused(case: &Case<'_>, judge: &mut Judge, name: &'static str, status: &[u16]) {
    for exchange in probes(case, name) {
        if is_refused(case, judge, exchange, status) {
            judge.holds();
        }
    }
}

/// The same, but for `unstable`, whose client takes any 404, whatever is in it, for an action that is not there.
fn not_found(case: &Case<'_>, judge: &mut Judge, name: &'static str, status: &[u16]) {
    for exchange in probes(case, name) {
        let bare =
            case.dialect == Dialect::Unstable && exchange.outcome.as_ref().is_ok_and(|answer| answer.status == 404);
        if bare || is_refused(case, judge, exchange, status) {
            judge.holds();
        }
    }
}

/// Whether this is a problem document with one of these statuses; tells it where it is not.
pub(super) fn is_refused(case: &Case<'_>, judge: &mut Judge, exchange: &Exchange, status: &[u16]) -> bool {
    let is_meant = exchange
        .outcome
        .as_ref()
        .is_ok_and(|answer| status.contains(&answer.status));
    if !is_meant && judge.is_put_off(exchange) {
        return false;
    }
    let wrong = match &exchange.outcome {
        Ok(answer) => problem(case.dialect, answer, status).err(),
        Err(_) => Some("a problem document".to_owned()),
    };
    match wrong {
        None => true,
        Some(expected) => {
            judge.broken(exchange, expected, exchange.came());
            false
        }
    }
}

/// An answer is JSON with 200, and what is wrong with its shape alone is told here.
fn shape<T>(case: &Case<'_>, judge: &mut Judge, of: impl Fn(&Sample) -> &Told<T>) {
    for told in case.agents.iter().flat_map(|agent| &agent.samples).map(of) {
        match (&told.exchange.outcome, told.status()) {
            // Allowed where the store's process cannot be asked; in `unstable` wherever there is no cluster's id.
            (Ok(answer), Some(status @ 500..=599))
                if !told.exchange.request.path.ends_with("/node")
                    && (status == 503 || case.dialect == Dialect::Unstable) =>
            {
                match problem(case.dialect, answer, &[status]) {
                    Ok(_) => judge.blind("the store's process cannot be asked"),
                    Err(expected) => judge.broken(&told.exchange, expected, told.exchange.came()),
                }
            }
            (Ok(answer), Some(200)) if answer.media().as_deref() == Some("application/json") && told.read.is_some() => {
                value(judge, told);
                judge.holds();
            }
            _ => judge.broken(&told.exchange, "200 with application/json", told.exchange.came()),
        }
    }
}

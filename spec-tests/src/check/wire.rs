//! The contract of the dialects: what `wire.md` lays down beside the specification.

use super::judge::{Case, Judge, value};
use super::{Check, V1, read};
use crate::client::{Answer, Exchange};
use crate::dialect::{Dialect, problem};
use crate::gather::{Sample, Told};
use crate::verdict::Severity::{Must, Should, Wire};

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
        "wire.trailing_slash",
        Wire,
        "a path with a slash at its end is unknown",
        "docs/wire.md#problems",
        |case, judge| {
            refused(case, judge, "trailing_slash", &[404]);
        },
    ),
    read(
        "wire.kinds",
        Wire,
        "kinds has the shape of its dialect",
        "docs/wire.md#kinds",
        |case, judge| {
            for exchange in probes(case, "kinds") {
                let document = good(exchange).and_then(|answer| answer.json().ok()).unwrap_or_default();
                let all = |list: &str, right: &dyn Fn(&serde_json::Value) -> bool| {
                    document[list].as_array().is_some_and(|list| list.iter().all(right))
                };
                let kinds = all("kinds", &|kind| {
                    kind["kind"].is_string() && kind["deadline_s"].is_u64() && kind["plan"].is_boolean()
                });
                judge.expect(
                    kinds,
                    exchange,
                    "a list under /kinds, each with kind, deadline_s and plan",
                );
                let absent = all("absent", &|kind| {
                    ["kind", "reason", "instead"].iter().all(|key| kind[key].is_string())
                });
                judge.expect(
                    absent,
                    exchange,
                    "a list under /absent, each with kind, reason and instead",
                );
            }
        },
    )
    .only(V1),
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
                    let allow = answer.header("allow").unwrap_or_default();
                    if allow.split(',').any(|method| method.trim() == "GET") {
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
            refused(case, judge, "unknown_action", &[404]);
        },
    ),
    read(
        "wire.bad_id",
        Wire,
        "an id that is no UUID is a problem with 400",
        "docs/wire.md#problems",
        |case, judge| {
            refused(case, judge, "bad_id", &[400]);
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
    read(
        "kinds.documented",
        Should,
        "an agent documents its actions, their arguments and their outputs",
        "docs/wire.md#kinds",
        |case, judge| {
            for exchange in probes(case, "kinds") {
                let document = good(exchange).and_then(|answer| answer.json().ok()).unwrap_or_default();
                let kinds = document["kinds"].as_array().cloned().unwrap_or_default();
                let whole = |kind: &serde_json::Value| {
                    kind["kind"].is_string()
                        && kind["summary"].as_str().is_some_and(|summary| !summary.is_empty())
                        && schema(&kind["args"])
                        && schema(&kind["output"])
                };
                judge.expect(
                    !kinds.is_empty() && kinds.iter().all(whole),
                    exchange,
                    "kinds, each with a summary and the JSON Schemas of its arguments and its output",
                );
            }
        },
    )
    .only(V1),
    read(
        "kinds.remove",
        Must,
        "an agent offers to remove a node, or says why its store has no use for it",
        "docs/wire.md#kinds",
        |case, judge| {
            for exchange in probes(case, "kinds") {
                let document = good(exchange).and_then(|answer| answer.json().ok()).unwrap_or_default();
                let named = |list: &str| {
                    let all = document[list].as_array().cloned().unwrap_or_default();
                    all.into_iter()
                        .find(|kind| kind["kind"] == "agent.replicante.io/cluster.remove")
                };
                let reason = |absent: serde_json::Value| absent["reason"].is_string() && absent["instead"].is_string();
                let offered = named("kinds").is_some() || named("absent").is_some_and(reason);
                judge.expect(
                    offered,
                    exchange,
                    "agent.replicante.io/cluster.remove among the kinds, or the absent ones",
                );
            }
        },
    )
    .only(V1),
    read(
        "dialects.agree",
        Wire,
        "both dialects tell the same of the node",
        "docs/wire.md#the-node",
        |case, judge| {
            for agent in case.agents {
                let Some(across) = &agent.across else {
                    judge.unasked("the agent has one dialect");
                    continue;
                };
                let told = |sample: &Sample| {
                    let node = sample.node.value()?;
                    let shards = sample.shards.value().and_then(|shards| shards.value()).map(|shards| {
                        let of = |shard: &crate::model::Shard| (shard.id.clone(), shard.role.clone());
                        shards.iter().map(of).collect::<Vec<_>>()
                    });
                    // What could not be read is another check's.
                    let (id, state, version) = (node.id.value()?, node.state.value()?, node.store_version.value()?);
                    Some((id.clone(), *state, version.clone(), shards))
                };
                let (before, other, after) = (told(&across.before), told(&across.other), told(&across.after));
                if before.is_none() || other.is_none() || before != after {
                    judge.blind("the node changed while it was looked at in both dialects");
                } else if before == other {
                    judge.holds();
                } else {
                    let exchanges = [
                        &across.before.node.exchange,
                        &across.other.node.exchange,
                        &across.other.shards.exchange,
                    ];
                    judge.broken_by(&exchanges, format!("{before:?}"), format!("{other:?}"));
                }
            }
        },
    )
    .only(V1),
];

fn schema(value: &serde_json::Value) -> bool {
    value.is_object() || value.is_boolean()
}

/// What was asked under this name, of every agent.
fn probes<'a>(case: &Case<'a>, name: &'static str) -> impl Iterator<Item = &'a Exchange> + use<'a> {
    case.agents.iter().filter_map(move |agent| agent.probes.get(name))
}

fn good(exchange: &Exchange) -> Option<&Answer> {
    exchange.outcome.as_ref().ok().filter(|answer| answer.status == 200)
}

fn refused(case: &Case<'_>, judge: &mut Judge, name: &'static str, status: &[u16]) {
    for exchange in probes(case, name) {
        if is_refused(case, judge, exchange, status) {
            judge.holds();
        }
    }
}

/// Whether this is a problem document with one of these statuses; tells it where it is not.
pub(super) fn is_refused(case: &Case<'_>, judge: &mut Judge, exchange: &Exchange, status: &[u16]) -> bool {
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

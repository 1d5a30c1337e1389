//! What an agent says of the actions that it offers.

use serde_json::Value;

use super::judge::{Case, Judge};
use super::wire::{good, probes};
use super::{Check, V1, read};
use crate::client::Exchange;
use crate::verdict::Severity::{Must, Should, Wire};

const WHERE: &str = "docs/wire.md#kinds";

/// Rules that ask for one of the actions of fixed names: check, severity, name, rule.
macro_rules! offers {
    ($id:literal, $severity:expr, $name:literal, $rule:literal) => {
        read($id, $severity, $rule, WHERE, |case, judge| {
            offers(case, judge, concat!("agent.replicante.io/cluster.", $name))
        })
        .only(V1)
    };
}

pub(super) const CHECKS: &[Check] = &[
    read(
        "wire.kinds",
        Wire,
        "kinds has the shape of its dialect",
        WHERE,
        |case, judge| {
            for exchange in probes(case, "kinds") {
                let document = good(exchange).and_then(|answer| answer.json().ok()).unwrap_or_default();
                let all = |list: &str, right: &dyn Fn(&Value) -> bool| {
                    document[list].as_array().is_some_and(|list| list.iter().all(right))
                };
                // Null where something is not told: a kind may have no deadline, and nothing in place of it.
                let or_null = |kind: &Value, key, right: fn(&Value) -> bool| {
                    kind.get(key).is_some_and(|value| value.is_null() || right(value))
                };
                let kinds = all("kinds", &|kind| {
                    kind["kind"].is_string()
                        && or_null(kind, "deadline_s", Value::is_number)
                        && kind["plan"].is_boolean()
                });
                judge.expect(
                    kinds,
                    exchange,
                    "a list under /kinds, each with kind, deadline_s and plan",
                );
                let absent = all("absent", &|kind| {
                    kind["kind"].is_string() && kind["reason"].is_string() && or_null(kind, "instead", Value::is_string)
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
        "kinds.documented",
        Should,
        "an agent documents its actions, their arguments and their outputs",
        WHERE,
        |case, judge| {
            told(case, judge, |exchange, kinds, _, judge| {
                if kinds.is_empty() {
                    judge.idle("the agent offers no action");
                }
                for kind in kinds {
                    let whole = kind["kind"].is_string()
                        && kind["summary"].as_str().is_some_and(|summary| !summary.is_empty())
                        && is_schema(&kind["args"])
                        && is_schema(&kind["output"]);
                    if whole {
                        judge.holds();
                    } else {
                        judge.broken(
                            exchange,
                            "a kind with a summary and the JSON Schemas of its arguments and its output",
                            kind.to_string(),
                        );
                    }
                }
            });
        },
    )
    .only(V1),
    offers!(
        "kinds.init",
        Wire,
        "init",
        "an agent offers to make a cluster, or says why its store has no use for it"
    ),
    offers!(
        "kinds.add",
        Wire,
        "add",
        "an agent offers to add a node, or says why its store has no use for it"
    ),
    offers!(
        "kinds.join",
        Wire,
        "join",
        "an agent offers to join a cluster, or says why its store has no use for it"
    ),
    offers!(
        "kinds.remove",
        Must,
        "remove",
        "an agent offers to remove a node, or says why its store has no use for it"
    ),
];

fn is_schema(value: &Value) -> bool {
    value.is_object() || value.is_boolean()
}

/// What each agent tells of its kinds, and of those that it has not. What could not be read is a finding of `wire.kinds`.
fn told(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Exchange, &[Value], &[Value], &mut Judge)) {
    for exchange in probes(case, "kinds") {
        let document = good(exchange).and_then(|answer| answer.json().ok()).unwrap_or_default();
        match (document["kinds"].as_array(), document["absent"].as_array()) {
            (Some(kinds), Some(absent)) => look(exchange, kinds, absent, judge),
            _ => judge.blind("what kinds there are could not be read"),
        }
    }
}

fn offers(case: &Case<'_>, judge: &mut Judge, name: &str) {
    told(case, judge, |exchange, kinds, absent, judge| {
        let is_it = |kind: &&Value| kind["kind"] == name;
        let excused = absent.iter().filter(is_it).any(|kind| kind["reason"].is_string());
        if excused || kinds.iter().any(|kind| is_it(&kind)) {
            judge.holds();
        } else {
            judge.broken(
                exchange,
                format!("{name} among the kinds, or among the absent ones with a reason"),
                exchange.came(),
            );
        }
    });
}

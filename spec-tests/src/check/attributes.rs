//! The two maps of attributes, and the cluster's id.

use std::collections::BTreeMap;

use serde_json::Value;

use super::judge::{Case, Judge, value};
use super::{Check, read};
use crate::client::Exchange;
use crate::gather::Sample;
use crate::model::Field;
use crate::verdict::Severity::{Must, Should};

const WHERE: &str = "docs/wire.md#the-store";

/// The scope of the project that wrote the specification, and the names that are known in it.
const RESERVED: (&str, &[&str]) = ("replicante.io", &["replicante.io/zone"]);

pub(super) const CHECKS: &[Check] = &[
    read(
        "node.attributes",
        Must,
        "attributes known without the store's process are told",
        WHERE,
        |case, judge| {
            for sample in samples(case) {
                if value(judge, &sample.node).is_some_and(|node| node.attributes.value().is_some()) {
                    judge.holds();
                }
            }
        },
    ),
    read(
        "store.attributes",
        Must,
        "attributes that only the store's process knows are told",
        WHERE,
        |case, judge| {
            for sample in samples(case) {
                if value(judge, &sample.store).is_some_and(|store| store.attributes.value().is_some()) {
                    judge.holds();
                }
            }
        },
    ),
    read(
        "attributes.values",
        Must,
        "an attribute is a string, a number, true or false, or null",
        WHERE,
        |case, judge| {
            each(case, judge, |exchange, name, value, judge| {
                if value.is_object() || value.is_array() {
                    judge.broken(exchange, format!("one value under {name:?}"), value.to_string());
                } else {
                    judge.holds();
                }
            });
        },
    ),
    read(
        "attributes.scope",
        Should,
        "an attribute's name has a scope",
        WHERE,
        |case, judge| {
            each(case, judge, |exchange, name, _, judge| {
                let scope = name
                    .split_once('/')
                    .map(|(scope, rest)| !scope.is_empty() && !rest.is_empty());
                if scope == Some(true) {
                    judge.holds();
                } else {
                    judge.broken(exchange, "a name such as example.org/name", format!("{name:?}"));
                }
            });
        },
    ),
    read(
        "attributes.reserved",
        Must,
        "no attribute takes a name under replicante.io but those that are laid down",
        WHERE,
        |case, judge| {
            each(case, judge, |exchange, name, _, judge| {
                let (reserved, known) = RESERVED;
                let scope = name.split('/').next().unwrap_or_default();
                let inside = scope == reserved || scope.ends_with(&format!(".{reserved}"));
                if inside && !known.contains(&name) {
                    judge.broken(exchange, "no name of its own under replicante.io", format!("{name:?}"));
                } else {
                    judge.holds();
                }
            });
        },
    ),
    read(
        "store.cluster_id",
        Must,
        "a node in a cluster tells the cluster's id, and always the same",
        WHERE,
        |case, judge| {
            for agent in case.agents {
                let mut first: Option<(&Exchange, &String)> = None;
                for sample in &agent.samples {
                    let Some(store) = value(judge, &sample.store) else {
                        continue;
                    };
                    match &store.cluster_id {
                        Field::Value(now) => match first {
                            Some((before, was)) if was != now => {
                                judge.broken_by(
                                    &[before, &sample.store.exchange],
                                    format!("{was:?} again"),
                                    format!("{now:?}"),
                                );
                            }
                            _ => {
                                judge.holds();
                                first.get_or_insert((&sample.store.exchange, now));
                            }
                        },
                        Field::Null => judge.idle("the node is in no cluster"),
                        // Told as a misfit.
                        Field::Missing | Field::Wrong => {}
                    }
                }
            }
        },
    ),
];

fn samples<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Sample> + use<'a> {
    case.agents.iter().flat_map(|agent| &agent.samples)
}

/// Every attribute of either map.
fn each(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Exchange, &str, &Value, &mut Judge)) {
    let mut found = false;
    let mut all = |exchange: &Exchange, map: Option<&BTreeMap<String, Value>>, judge: &mut Judge| {
        for (name, value) in map.into_iter().flatten() {
            found = true;
            look(exchange, name, value, judge);
        }
    };
    for sample in samples(case) {
        let node = sample.node.value().and_then(|node| node.attributes.value());
        all(&sample.node.exchange, node, judge);
        let store = sample.store.value().and_then(|store| store.attributes.value());
        all(&sample.store.exchange, store, judge);
    }
    if !found {
        judge.idle("no attribute is told");
    }
}

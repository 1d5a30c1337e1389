//! The two maps of attributes, and the cluster's id.

use std::collections::BTreeMap;

use serde_json::Value;

use super::judge::{Case, Judge, value};
use super::{Check, read};
use crate::client::Exchange;
use crate::gather::{Sample, Seen};
use crate::model::Field;
use crate::verdict::Severity::{Must, Should, Wire};

const WHERE: &str = "docs/wire.md#the-store";

/// The scope of the project that wrote the specification.
const RESERVED: &str = "replicante.io";

/// The names that the project itself has given in it.
const OFFICIAL: [&str; 3] = [
    "replicante.io/zone",
    "client.agent.replicante.io/address",
    "client.agent.replicante.io/port",
];

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
        Wire,
        "no attribute takes a name under replicante.io but those that are laid down",
        WHERE,
        |case, judge| {
            each(case, judge, |exchange, name, _, judge| {
                let scope = name.split('/').next().unwrap_or_default();
                let inside = scope == RESERVED || scope.ends_with(&format!(".{RESERVED}"));
                if inside && !OFFICIAL.contains(&name) {
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
                told(agent, judge);
                kept(agent, judge);
            }
        },
    ),
];

fn samples<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Sample> + use<'a> {
    case.agents.iter().flat_map(|agent| &agent.samples)
}

/// A healthy node is in a cluster, and tells which: there is another state for one that is in none.
fn told(agent: &Seen, judge: &mut Judge) {
    let afterwards = agent.samples.iter().skip(1).map(Some).chain([None]);
    for (sample, after) in agent.samples.iter().zip(afterwards) {
        let Some(store) = value(judge, &sample.store) else {
            continue;
        };
        // It may have left its cluster since it was asked for its state: it counts where it is healthy once more.
        let stays = sample.is_healthy() && after.is_some_and(Sample::is_healthy);
        match &store.cluster_id {
            Field::Value(_) => judge.holds(),
            Field::Null if stays => judge.broken_by(
                &[&sample.node.exchange, &sample.store.exchange],
                "the cluster's id under /cluster_id of a healthy node",
                "null",
            ),
            Field::Null => judge.idle("the node is in no cluster"),
            // Told as a misfit.
            Field::Missing | Field::Wrong => {}
        }
    }
}

/// While a node stays healthy it stays in its cluster. One that is not may have been put into another.
fn kept(agent: &Seen, judge: &mut Judge) {
    let mut known: Option<(&Exchange, &String)> = None;
    for sample in &agent.samples {
        let store = sample.store.value().filter(|_| sample.is_healthy());
        let now = store.and_then(|store| store.cluster_id.value());
        if let (Some((before, was)), Some(is)) = (known, now)
            && was != is
        {
            judge.broken_by(
                &[before, &sample.store.exchange],
                format!("{was:?} again"),
                format!("{is:?}"),
            );
        }
        known = now.map(|id| (&sample.store.exchange, id));
    }
}

/// Every attribute of either map.
fn each(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Exchange, &str, &Value, &mut Judge)) {
    let mut all = |exchange: &Exchange, map: &Field<BTreeMap<String, Value>>, judge: &mut Judge| match map {
        Field::Value(map) if map.is_empty() => judge.idle("no attribute is told"),
        Field::Value(map) => map.iter().for_each(|(name, value)| look(exchange, name, value, judge)),
        // Another check's finding.
        Field::Null | Field::Missing | Field::Wrong => judge.blind("there is no map of attributes"),
    };
    for sample in samples(case) {
        if let Some(node) = value(judge, &sample.node) {
            all(&sample.node.exchange, &node.attributes, judge);
        }
        if let Some(store) = value(judge, &sample.store) {
            all(&sample.store.exchange, &store.attributes, judge);
        }
    }
}

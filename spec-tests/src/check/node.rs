//! `info/node`: who the node is and how.

use std::time::Duration;

use super::judge::{Case, Judge, value};
use super::{Check, read};
use crate::client::Exchange;
use crate::dialect::Dialect;
use crate::gather::Sample;
use crate::model::{Field, Node, NodeState};
use crate::verdict::Severity::{Must, Should, Wire};

const WHERE: &str = "docs/wire.md#the-node";

/// How long an answer about the node may take: two seconds of a deadline that agents have by default, and half of one.
const PROMPT: Duration = Duration::from_millis(2500);

pub(super) const CHECKS: &[Check] = &[
    read(
        "node.id",
        Must,
        "a node has an id, and keeps it",
        WHERE,
        |case, judge| {
            steady(case, judge, |node| node.id.value().map(String::as_str));
        },
    ),
    read(
        "node.status",
        Must,
        "a node's status is one of the seven",
        WHERE,
        |case, judge| {
            each(case, judge, |_, node, judge| {
                if node.state.value().is_some() {
                    judge.holds();
                }
            });
        },
    ),
    read(
        "node.status.reason",
        Must,
        "a status that is unknown says why",
        WHERE,
        |case, judge| {
            each(case, judge, |sample, node, judge| {
                let unknown = node.state.value() == Some(&NodeState::Unknown);
                match &node.reason {
                    _ if !unknown => judge.idle("the node's status was never unknown"),
                    Some(reason) if !reason.trim().is_empty() => judge.holds(),
                    _ => judge.broken(
                        &sample.node.exchange,
                        "a reason beside UNKNOWN",
                        sample.node.exchange.came(),
                    ),
                }
            });
        },
    ),
    read(
        "node.agent_version",
        Must,
        "the agent's version is SemVer",
        WHERE,
        |case, judge| {
            each(case, judge, |sample, node, judge| {
                version(sample, node.agent_version.value(), judge);
            });
        },
    ),
    read(
        "node.store_version",
        Must,
        "the store's version is SemVer",
        WHERE,
        |case, judge| {
            each(case, judge, |sample, node, judge| {
                version(sample, node.store_version.value(), judge);
            });
        },
    ),
    read(
        "node.not_in_cluster",
        Wire,
        "a node that is in no cluster tells of none, and holds no shard",
        WHERE,
        |case, judge| {
            for looks in case.agents.iter().flat_map(|agent| agent.samples.windows(2)) {
                let [sample, after] = looks else { continue };
                if value(judge, &sample.node).is_none() {
                    continue;
                }
                // It may have gone into a cluster since it was asked for its state.
                if !(sample.is_outside() && after.is_outside()) {
                    judge.idle("the node did not stay outside of a cluster");
                    continue;
                }
                if let Some(store) = sample.store.value().filter(|_| case.dialect == Dialect::V1) {
                    let none = store.cluster_id == Field::Null;
                    judge.expect(none, &sample.store.exchange, "null under /cluster_id");
                }
                if let Some(Field::Value(shards)) = sample.shards.value() {
                    judge.expect(shards.is_empty(), &sample.shards.exchange, "no shard");
                }
            }
        },
    ),
    read(
        "info.prompt",
        Should,
        "attributes are cheap to look up: within 2.5 s",
        WHERE,
        |case, judge| {
            let of: [fn(&Sample) -> &Exchange; 3] = [
                |sample| &sample.node.exchange,
                |sample| &sample.store.exchange,
                |sample| &sample.shards.exchange,
            ];
            for (agent, of) in case.agents.iter().flat_map(|agent| of.map(|of| (agent, of))) {
                let answered = agent.samples.iter().map(of).filter(|exchange| exchange.outcome.is_ok());
                // What is late now and then was kept up by something else.
                match answered.min_by_key(|exchange| exchange.took) {
                    None => judge.blind("an answer did not come at all"),
                    Some(fastest) if fastest.took <= PROMPT => judge.holds(),
                    Some(fastest) => judge.broken(
                        fastest,
                        "an answer within 2.5 s",
                        format!("an answer after {:.1} s, each time", fastest.took.as_secs_f64()),
                    ),
                }
            }
        },
    ),
];

/// Every look at every node.
pub(super) fn each(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Sample, &Node, &mut Judge)) {
    for sample in case.agents.iter().flat_map(|agent| &agent.samples) {
        if let Some(node) = value(judge, &sample.node) {
            look(sample, node, judge);
        }
    }
}

fn version(sample: &Sample, version: Option<&String>, judge: &mut Judge) {
    match version {
        Some(version) if semver::Version::parse(version).is_ok() => judge.holds(),
        Some(version) => judge.broken(&sample.node.exchange, "a version such as 1.2.3", format!("{version:?}")),
        // Told as a misfit.
        None => {}
    }
}

/// What has to be the same in every answer of one agent.
fn steady<'a>(case: &Case<'a>, judge: &mut Judge, of: impl Fn(&'a Node) -> Option<&'a str>) {
    for agent in case.agents {
        let mut first: Option<(&Sample, &str)> = None;
        for sample in &agent.samples {
            let Some(now) = value(judge, &sample.node).and_then(&of) else {
                continue;
            };
            match first {
                Some((before, was)) if was != now => judge.broken_by(
                    &[&before.node.exchange, &sample.node.exchange],
                    format!("{was:?} again"),
                    format!("{now:?}"),
                ),
                _ => judge.holds(),
            }
            first.get_or_insert((sample, now));
        }
    }
}

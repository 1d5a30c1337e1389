//! What several agents tell of one cluster.

use std::collections::BTreeMap;

use super::judge::{Case, Judge, value};
use super::{Check, read};
use crate::client::Exchange;
use crate::gather::{Sample, Seen};
use crate::model::{NodeState, Role, Shard};
use crate::verdict::Severity::{Must, Should};

const WHERE: &str = "docs/wire.md#the-shards";
const ALONE: &str = "fewer than two of the agents tell of a node in a cluster";

pub(super) const CHECKS: &[Check] = &[
    read(
        "cluster.id",
        Must,
        "all nodes of a cluster tell the same cluster id",
        "docs/wire.md#the-store",
        |case, judge| {
            let mut first: Option<(&Exchange, &String)> = None;
            let mut nodes = 0;
            for sample in ends(case) {
                let Some(id) = sample.store.value().and_then(|store| store.cluster_id.value()) else {
                    continue;
                };
                nodes += 1;
                match first {
                    Some((other, was)) if was != id => {
                        judge.broken_by(
                            &[other, &sample.store.exchange],
                            format!("{was:?} on every node"),
                            format!("{id:?}"),
                        );
                    }
                    _ => judge.holds(),
                }
                first.get_or_insert((&sample.store.exchange, id));
            }
            if nodes < 2 {
                judge.blind(ALONE);
            }
        },
    )
    .with_agents(2),
    read(
        "cluster.node_ids",
        Must,
        "no two nodes of a cluster have the same id",
        "docs/wire.md#the-node",
        |case, judge| {
            let mut known: BTreeMap<&String, &Exchange> = BTreeMap::new();
            for sample in ends(case) {
                let Some(id) = value(judge, &sample.node).and_then(|node| node.id.value()) else {
                    continue;
                };
                match known.insert(id, &sample.node.exchange) {
                    Some(other) => judge.broken_by(
                        &[other, &sample.node.exchange],
                        "an id of its own for each node",
                        format!("{id:?} on two"),
                    ),
                    None => judge.holds(),
                }
            }
        },
    )
    .with_agents(2),
    read(
        "cluster.shard_ids",
        Must,
        "all nodes call a shard by the same id",
        WHERE,
        |case, judge| {
            let copies = shards(case, judge);
            for (exchange, agent, shard) in &copies {
                // A copy has an original, which another of the nodes has to know by the same id.
                let follows = matches!(shard.role.value(), Some(Role::Secondary | Role::Recovering));
                let Some(id) = shard.id.value().filter(|_| follows) else {
                    continue;
                };
                let known = copies
                    .iter()
                    .any(|(_, other, shard)| other != agent && shard.id.value() == Some(id));
                if known {
                    judge.holds();
                } else {
                    judge.broken(
                        exchange,
                        "a shard that another node lists too",
                        format!("{id:?} on this node alone"),
                    );
                }
            }
            judge.idle("no node holds a copy of a shard");
        },
    )
    .with_agents(2),
    read(
        "cluster.primary",
        Must,
        "each shard has at least one primary in regular operation",
        WHERE,
        |case, judge| {
            let mut primaries: BTreeMap<String, (usize, usize, Exchange)> = BTreeMap::new();
            for (exchange, _, shard) in shards(case, judge) {
                let Some(id) = shard.id.value() else { continue };
                let known = primaries.entry(id.clone()).or_insert_with(|| (0, 0, exchange.clone()));
                known.0 += 1;
                known.1 += usize::from(shard.role.value() == Some(&Role::Primary));
            }
            for (id, (nodes, primary, exchange)) in primaries {
                if primary > 0 {
                    judge.holds();
                } else if nodes > 1 {
                    // On a single node its primary may be a node that nobody was asked of.
                    judge.broken(
                        &exchange,
                        format!("a primary of {id:?}"),
                        format!("none on {nodes} nodes"),
                    );
                }
            }
            judge.idle("no shard is on more than one node");
        },
    )
    .with_agents(2),
    read(
        "cluster.offset_units",
        Should,
        "a shard's commit offset has the same unit on all nodes",
        WHERE,
        |case, judge| {
            let mut units: BTreeMap<String, (Exchange, String)> = BTreeMap::new();
            for (exchange, _, shard) in shards(case, judge) {
                let unit = shard.offset.value().and_then(|offset| offset.unit.value());
                let (Some(id), Some(unit)) = (shard.id.value(), unit) else {
                    continue;
                };
                match units.get(id) {
                    Some((other, was)) if was != unit => {
                        judge.broken_by(
                            &[other, exchange],
                            format!("{was:?} on every node"),
                            format!("{unit:?}"),
                        );
                    }
                    Some(_) => judge.holds(),
                    None => drop(units.insert(id.clone(), (exchange.clone(), unit.clone()))),
                }
            }
            judge.idle("no shard on two nodes tells a commit offset");
        },
    )
    .with_agents(2),
    read(
        "cluster.shards",
        Must,
        "a cluster has at least one shard",
        WHERE,
        |case, judge| {
            let shards = shards(case, judge);
            match (shards.is_empty(), ends(case).last()) {
                (false, _) => judge.holds(),
                (true, Some(last)) => judge.broken(&last.shards.exchange, "a shard on one of the nodes", "none on any"),
                (true, None) => {}
            }
        },
    )
    .with_agents(2),
    read(
        "cluster.action_ids",
        Must,
        "no action of one node has the id of another node's",
        "docs/wire.md#lists",
        |case, judge| {
            let mut known: BTreeMap<String, &Exchange> = BTreeMap::new();
            for agent in case.agents {
                for pages in [&agent.finished, &agent.queue] {
                    let Some(first) = pages.pages.first() else { continue };
                    for id in pages.ids() {
                        match known.get(&id) {
                            Some(other) if other.agent != first.exchange.agent => {
                                judge.broken_by(&[other, &first.exchange], "an id on one node", format!("{id} on two"));
                            }
                            _ => {
                                judge.holds();
                                known.insert(id, &first.exchange);
                            }
                        }
                    }
                }
            }
            judge.idle("no node has an action");
        },
    )
    .with_agents(2),
];

/// The last look at each node.
fn ends<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Sample> + use<'a> {
    case.agents.iter().filter_map(|agent| agent.samples.last())
}

/// The shards of every healthy node, as it was seen last.
fn shards<'a>(case: &Case<'a>, judge: &mut Judge) -> Vec<(&'a Exchange, &'a str, &'a Shard)> {
    let mut found = Vec::new();
    let mut nodes = 0;
    for agent in case.agents {
        let Seen {
            agent: name, samples, ..
        } = agent;
        let Some(sample) = samples.last() else { continue };
        let state = sample.node.value().and_then(|node| node.state.value());
        if state != Some(&NodeState::Healthy) {
            judge.blind(format!("the node at {name} is not healthy"));
            continue;
        }
        let Some(shards) = value(judge, &sample.shards).and_then(|shards| shards.value()) else {
            continue;
        };
        nodes += 1;
        found.extend(
            shards
                .iter()
                .map(|shard| (&sample.shards.exchange, name.as_str(), shard)),
        );
    }
    if nodes < 2 {
        judge.blind(ALONE);
    }
    found
}

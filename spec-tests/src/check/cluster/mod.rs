//! What several agents tell of one cluster.
//!
//! Agents are not all asked at one moment, and a shard may be handed over in between. So nothing is said of a cluster's shards
//! unless every node was healthy, and readable, whenever it was looked at; and nothing is broken that any look at any of
//! the nodes contradicts.
//!
//! Nobody tells a client of how many nodes a cluster is. Where something is missing that a further node may have, and what is
//! there suggests that there is one, the rule cannot be seen to hold or not.

mod together;

use std::collections::BTreeMap;

use together::{ALONE, Said, agree, regular};

use super::judge::value;
use super::{Check, at, read};
use crate::client::{Answer, Exchange};
use crate::gather::Sample;
use crate::verdict::Level;
use crate::verdict::Severity::{Must, Should};

const WHERE: &str = "docs/wire.md#the-shards";

pub(super) const CHECKS: &[Check] = &[
    read(
        "cluster.id",
        Must,
        "all nodes of a cluster tell the same cluster id",
        "docs/wire.md#the-store",
        |case, judge| {
            let mut told = Vec::new();
            for agent in case.agents {
                let healthy = agent.samples.iter().filter(|sample| sample.is_healthy());
                let mut said = Said::default();
                for sample in healthy {
                    if let Some(id) = value(judge, &sample.store).and_then(|store| store.cluster_id.value()) {
                        said.add(&sample.store.exchange, id);
                    }
                }
                if said.words.is_empty() {
                    judge.blind(format!(
                        "the node at {} never told of its cluster while it was healthy",
                        agent.agent
                    ));
                }
                told.push(said);
            }
            agree(&told, judge);
        },
    )
    .with_agents(2),
    read(
        "cluster.node_ids",
        Must,
        "no two nodes of a cluster have the same id",
        "docs/wire.md#the-node",
        |case, judge| {
            let mut known: Vec<(&String, &Sample)> = Vec::new();
            let ends = case.agents.iter().filter_map(|agent| agent.samples.last());
            for sample in ends.filter(|sample| !sample.is_outside()) {
                let Some(id) = value(judge, &sample.node).and_then(|node| node.id.value()) else {
                    continue;
                };
                match known.iter().find(|(other, at)| *other == id && !are_apart(at, sample)) {
                    Some((_, other)) => judge.broken_by(
                        &[&other.node.exchange, &sample.node.exchange],
                        "an id of its own for each node",
                        format!("{id:?} on two"),
                    ),
                    None => judge.holds(),
                }
                known.push((id, sample));
            }
            if known.len() < 2 {
                judge.blind(ALONE);
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
            let Some(shards) = regular(case, judge) else { return };
            let shared = shards.values().any(|shard| shard.nodes.len() > 1);
            for (id, shard) in &shards {
                // A copy has an original, which another of the nodes has to know by the same id.
                let Some(copy) = shard.copy.filter(|_| !shard.primary) else {
                    continue;
                };
                if shard.nodes.len() > 1 {
                    judge.holds();
                } else if shared {
                    judge.blind(format!(
                        "{id:?} is a copy of what none of these agents has: name all of the cluster"
                    ));
                } else {
                    judge.broken(
                        copy,
                        "a shard that another node lists too, if these are all agents of the cluster",
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
            let Some(shards) = regular(case, judge) else { return };
            let some = shards.values().any(|shard| shard.primary);
            for (id, shard) in &shards {
                if shard.primary {
                    judge.holds();
                } else if some {
                    judge.blind(format!(
                        "{id:?} has no primary at these agents: name all of the cluster"
                    ));
                } else {
                    judge.broken(
                        shard.seen,
                        format!("a primary of {id:?}, if these are all agents of the cluster"),
                        format!("none on {} node(s), whenever they were looked at", shard.nodes.len()),
                    );
                }
            }
            judge.idle("no node holds a shard");
        },
    )
    .with_agents(2),
    read(
        "cluster.offset_units",
        Should,
        "a shard's commit offset has the same unit on all nodes",
        WHERE,
        |case, judge| {
            let Some(shards) = regular(case, judge) else { return };
            for shard in shards.values() {
                let units: Vec<_> = shard.units.values().cloned().collect();
                agree(&units, judge);
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
            let Some(shards) = regular(case, judge) else { return };
            let last = case.agents.iter().filter_map(|agent| agent.samples.last()).next_back();
            match last {
                Some(last) if shards.is_empty() => judge.broken(
                    &last.shards.exchange,
                    "a shard on one of the nodes, if these are all agents of the cluster",
                    "none on any, whenever they were looked at",
                ),
                Some(_) => judge.holds(),
                None => {}
            }
        },
    )
    .with_agents(2),
    // Ids that clients give may be given to several agents, and what a list has does not tell who gave its id.
    at(
        Level::Actions,
        "cluster.action_ids",
        Must,
        "no two nodes give two actions the same id",
        "docs/wire.md#scheduling",
        |case, judge| {
            let mut known: BTreeMap<String, &Exchange> = BTreeMap::new();
            for agent in case.agents {
                let made = agent.acted.as_ref().map(|acted| &acted.unnamed);
                let Some((exchange, id)) = made.and_then(|exchange| Some((exchange, made_id(exchange)?))) else {
                    judge.blind(format!("the agent at {} gave no action an id", agent.agent));
                    continue;
                };
                if let Some(other) = known.get(&id) {
                    judge.broken_by(&[other, exchange], "an id on one node", format!("{id} on two"));
                } else {
                    judge.holds();
                    known.insert(id, exchange);
                }
            }
        },
    )
    .with_agents(2),
];

/// The id that an agent has given to an action.
fn made_id(exchange: &Exchange) -> Option<String> {
    let answer = exchange
        .outcome
        .as_ref()
        .ok()
        .filter(|answer| Answer::is_good(answer))?;
    answer.json().ok()?["id"].as_str().map(str::to_owned)
}

/// Whether two nodes are known to be of different clusters, which may have an id in common.
fn are_apart(one: &Sample, other: &Sample) -> bool {
    let [one, other] = [one, other].map(|sample| sample.store.value().and_then(|store| store.cluster_id.value()));
    one.zip(other).is_some_and(|(one, other)| one != other)
}

//! What all looks at all nodes say together.

use std::collections::{BTreeMap, BTreeSet};

use super::super::judge::{Case, Judge, value};
use crate::client::Exchange;
use crate::model::{Role, Shard};

/// Why nothing can be said of a cluster.
pub(super) const ALONE: &str = "fewer than two of the agents tell of a node in a cluster";

/// What one agent said of a thing, in whatever looks.
#[derive(Clone, Default)]
pub(super) struct Said<'a> {
    pub(super) words: BTreeSet<&'a str>,
    last: Option<&'a Exchange>,
}

impl<'a> Said<'a> {
    pub(super) fn add(&mut self, exchange: &'a Exchange, word: &'a str) {
        self.words.insert(word);
        self.last = Some(exchange);
    }
}

/// Agents that never said the same of one thing do not agree on it.
pub(super) fn agree(told: &[Said<'_>], judge: &mut Judge) {
    let mut told = told.iter().filter_map(|said| Some((said.last?, &said.words)));
    let Some((first, words)) = told.next() else { return };
    for (exchange, others) in told {
        if words.is_disjoint(others) {
            judge.broken_by(
                &[first, exchange],
                format!("{words:?} on every node"),
                format!("{others:?}"),
            );
        } else {
            judge.holds();
        }
    }
}

/// A shard, as all nodes told of it in all looks.
pub(super) struct Known<'a> {
    /// The nodes that hold it, by their number.
    pub(super) nodes: BTreeSet<usize>,
    /// Where it was seen.
    pub(super) seen: &'a Exchange,
    /// Where it was seen as a copy.
    pub(super) copy: Option<&'a Exchange>,
    /// Whether it was seen with a primary.
    pub(super) primary: bool,
    /// The units of its commit offset, by node.
    pub(super) units: BTreeMap<usize, Said<'a>>,
}

/// The shards of the cluster; none, and told as not to be seen, unless all was well with every node in every look.
pub(super) fn regular<'a>(case: &Case<'a>, judge: &mut Judge) -> Option<BTreeMap<&'a String, Known<'a>>> {
    let mut known = BTreeMap::new();
    let mut whole = case.agents.len() > 1;
    for (number, agent) in case.agents.iter().enumerate() {
        for sample in &agent.samples {
            let shards = value(judge, &sample.shards).and_then(|shards| shards.value());
            let read = shards.is_some_and(|shards| {
                shards
                    .iter()
                    .all(|shard| add(&mut known, number, &sample.shards.exchange, shard).is_some())
            });
            if !read {
                judge.blind(format!("the shards at {} could not be read throughout", agent.agent));
            }
            if !sample.is_healthy() {
                judge.blind(format!("the node at {} was not healthy throughout", agent.agent));
            }
            whole &= read && sample.is_healthy();
        }
    }
    if !whole {
        judge.blind(ALONE);
    }
    whole.then_some(known)
}

/// Adds what one look tells of a shard; none where it cannot be told which it is, or what the node is to it.
fn add<'a>(
    known: &mut BTreeMap<&'a String, Known<'a>>,
    number: usize,
    seen: &'a Exchange,
    shard: &'a Shard,
) -> Option<()> {
    let (id, role) = (shard.id.value()?, shard.role.value()?);
    let known = known.entry(id).or_insert_with(|| Known {
        nodes: BTreeSet::new(),
        seen,
        copy: None,
        primary: false,
        units: BTreeMap::new(),
    });
    known.nodes.insert(number);
    match role {
        Role::Primary => known.primary = true,
        Role::Secondary | Role::Recovering => known.copy = Some(seen),
        Role::Other => {}
    }
    if let Some(unit) = shard.offset.value().and_then(|offset| offset.unit.value()) {
        known.units.entry(number).or_default().add(seen, unit);
    }
    Some(())
}

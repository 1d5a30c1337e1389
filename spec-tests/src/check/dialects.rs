//! What the two dialects of one agent say of the same node.

use std::collections::BTreeMap;

use super::judge::Judge;
use super::{Check, V1, read};
use crate::gather::{Across, Sample};
use crate::model::{NodeState, Role};
use crate::verdict::Severity::Wire;

pub(super) const CHECKS: &[Check] = &[read(
    "dialects.agree",
    Wire,
    "both dialects tell the same of the node",
    "docs/wire.md#the-node",
    |case, judge| {
        for agent in case.agents {
            match &agent.across {
                Some(across) => agree(across, judge),
                None => judge.unasked("the agent has one dialect"),
            }
        }
    },
)
.only(V1)];

/// What has to be the same in both, the shards in any order.
#[derive(Debug, PartialEq)]
struct Said<'a> {
    id: &'a str,
    state: NodeState,
    store_version: &'a str,
    shards: BTreeMap<&'a str, Role>,
}

impl<'a> Said<'a> {
    /// None where something of it could not be read, which is another check's finding.
    fn of(sample: &'a Sample) -> Option<Self> {
        let node = sample.node.value()?;
        let shards = sample.shards.value()?.value()?.iter();
        Some(Self {
            id: node.id.value()?,
            state: *node.state.value()?,
            store_version: node.store_version.value()?,
            shards: shards
                .map(|shard| Some((shard.id.value()?.as_str(), *shard.role.value()?)))
                .collect::<Option<_>>()?,
        })
    }
}

fn agree(across: &Across, judge: &mut Judge) {
    let Across { before, other, after } = across;
    let (Some(was), Some(told), Some(is)) = (Said::of(before), Said::of(other), Said::of(after)) else {
        return judge.blind("what the node is could not be read in both dialects");
    };
    if was != is {
        judge.blind("the node changed while it was looked at in both dialects");
    } else if was == told {
        judge.holds();
    } else {
        let exchanges = [&before.node.exchange, &other.node.exchange, &other.shards.exchange];
        judge.broken_by(&exchanges, format!("{was:?}"), format!("{told:?}"));
    }
}

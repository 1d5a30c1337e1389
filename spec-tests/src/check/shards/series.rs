//! How a shard's commit offset goes from look to look.

use std::collections::BTreeMap;

use super::super::judge::{Case, Judge, value};
use super::list;
use crate::client::Exchange;
use crate::model::{Amount, Role};

/// A shard's commit offset in one look.
#[derive(Clone, Copy)]
pub(super) struct Mark<'a> {
    pub(super) exchange: &'a Exchange,
    role: Option<Role>,
    pub(super) offset: &'a Amount,
}

impl Mark<'_> {
    /// Whether an offset that goes back between these two has gone back: they count the same, and the node was the same to
    /// the shard. Who follows a new primary, or is brought up to date, may have to take back what nobody was told of.
    pub(super) fn compares_with(&self, other: &Self) -> bool {
        let follows = matches!(self.role, Some(Role::Primary | Role::Secondary));
        follows && self.role == other.role && self.offset.unit == other.offset.unit
    }
}

/// Each two offsets of a shard that follow each other while the node is healthy.
pub(super) fn series(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Mark<'_>, &Mark<'_>, &mut Judge)) {
    for agent in case.agents {
        let mut last: BTreeMap<&String, Mark<'_>> = BTreeMap::new();
        for sample in &agent.samples {
            let node = value(judge, &sample.node).is_some();
            let shards = list(judge, sample);
            // Where a node is not healthy, writes may have been lost.
            if !node || !sample.is_healthy() {
                last.clear();
                continue;
            }
            for shard in shards.into_iter().flatten() {
                let (Some(id), Some(offset)) = (shard.id.value(), shard.offset.value()) else {
                    continue;
                };
                let now = Mark {
                    exchange: &sample.shards.exchange,
                    role: shard.role.value().copied(),
                    offset,
                };
                if let Some(before) = last.insert(id, now) {
                    look(&before, &now, judge);
                }
            }
        }
    }
    judge.idle("no shard of a healthy node tells a commit offset");
}

//! Removing a node that is not there.

use super::super::Check;
use super::acted;
use super::ending::ends;
use crate::gather::Sample;
use crate::model::State;
use crate::verdict::Severity::Must;

pub(super) const CHECKS: &[Check] = &[acted(
    "cluster.remove",
    Must,
    "removing a node that is not in the cluster does nothing, however often",
    "docs/actions.md",
    |case, judge| {
        let mut asked = false;
        for removed in case.agents.iter().filter_map(|agent| agent.removed.as_ref()) {
            asked = true;
            for time in &removed.times {
                ends(time, State::Done, judge);
            }
            let (before, after) = (&removed.before, &removed.after);
            let id = |sample: &Sample| sample.store.value().map(|store| store.cluster_id.clone());
            let held = |sample: &Sample| {
                let shards = sample.shards.value()?.value()?;
                Some(
                    shards
                        .iter()
                        .map(|shard| (shard.id.clone(), shard.role.clone()))
                        .collect::<Vec<_>>(),
                )
            };
            for (same, exchange) in [
                (id(before) == id(after), &after.store.exchange),
                (held(before) == held(after), &after.shards.exchange),
            ] {
                judge.expect(same, exchange, "the cluster as it was");
            }
        }
        if !asked {
            judge.blind("it was not asked for: --cluster-actions --absent-node ID");
        }
    },
)];

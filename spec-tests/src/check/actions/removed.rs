//! Removing a node that is not there.

use super::super::Check;
use super::acted;
use super::ending::ends;
use crate::model::{NodeState, State};
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
            let (before, after) = (&removed.before, &removed.after);
            let state = before.node.value().and_then(|node| node.state.value());
            if state != Some(&NodeState::Healthy) {
                judge.blind("the node was not HEALTHY when it was asked to");
                continue;
            }
            for time in &removed.times {
                ends(time, State::Done, judge);
            }
            for (same, exchange) in [
                (removed.same_cluster(), &after.store.exchange),
                (removed.same_shards(), &after.shards.exchange),
            ] {
                match same {
                    Some(same) => judge.expect(same, exchange, "the cluster as it was"),
                    None => judge.blind("the cluster could not be looked at before and after"),
                }
            }
        }
        if !asked {
            judge.blind("it was not asked for: --cluster-actions --absent-node ID");
        }
    },
)];

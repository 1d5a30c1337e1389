//! Removing a node that is not there, twice: the one thing that is asked of a cluster, and only by name.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::acting::ask;
use super::following::{follow_for, schedule};
use super::looking::sample;
use super::patience::Patient;
use super::{Offered, Removed, Sample};
use crate::dialect::Dialect;

const REMOVE: &str = "agent.replicante.io/cluster.remove";

/// How long one removal may take at least, whatever the agent says of it.
const LONG: Duration = Duration::from_secs(120);

/// Looks at a cluster that seems changed: it may be on its way back to what it was.
const LOOKS: usize = 10;

/// Between two of them.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn remove(client: &Patient, dialect: Dialect, node: &str, offered: Option<&Offered>) -> Removed {
    let before = sample(client, dialect).await;
    let patience = offered
        .and_then(|offered| offered.deadline(REMOVE))
        .unwrap_or(LONG)
        .max(LONG);
    let mut times = Vec::new();
    for _ in 0..2 {
        let mut time = schedule(client, dialect, ask(REMOVE, json!({"node": node}))).await;
        follow_for(client, dialect, &mut time, patience).await;
        times.push(time);
    }
    let mut removed = Removed {
        times,
        before,
        after: sample(client, dialect).await,
    };
    for _ in 1..LOOKS {
        if removed.same_cluster() != Some(false) && removed.same_shards() != Some(false) {
            break;
        }
        client.rest(PAUSE).await;
        removed.after = sample(client, dialect).await;
    }
    removed
}

impl Removed {
    /// Whether the node is in the same cluster as before; none where that could not be read.
    pub fn same_cluster(&self) -> Option<bool> {
        let id = |sample: &Sample| sample.store.value()?.cluster_id.value().cloned();
        Some(id(&self.before)? == id(&self.after)?)
    }

    /// Whether the node has the same shards as before, whatever it is to them; none where that could not be read.
    pub fn same_shards(&self) -> Option<bool> {
        let held = |sample: &Sample| {
            let shards = sample.shards.value()?.value()?.iter();
            shards
                .map(|shard| shard.id.value().cloned())
                .collect::<Option<BTreeSet<_>>>()
        };
        Some(held(&self.before)? == held(&self.after)?)
    }
}

//! Removing a node that is not there, twice: the one thing that is asked of a cluster, and only by name.

use serde_json::json;

use super::Removed;
use super::acting::{ask, follow, schedule};
use super::looking::sample;
use crate::client::Client;
use crate::dialect::Dialect;

const REMOVE: &str = "agent.replicante.io/cluster.remove";

pub(super) async fn remove(client: &Client, dialect: Dialect, node: &str) -> Removed {
    let before = sample(client, dialect).await;
    let mut times = Vec::new();
    for _ in 0..2 {
        let mut time = schedule(client, dialect, ask(REMOVE, json!({"node": node}))).await;
        follow(client, dialect, &mut time).await;
        times.push(time);
    }
    Removed {
        times,
        before,
        after: sample(client, dialect).await,
    }
}

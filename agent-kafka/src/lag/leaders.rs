//! Lag by asking the leaders: one request to each broker that leads a partition which this one follows.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::Lags;
use crate::ask::cluster::Cluster;
use crate::ask::offsets;
use crate::ask::placement::Placement;
use crate::client::Link;
use crate::config::Way;

/// Asks the leaders, all within this time, and each within half of it. A leader that does not answer leaves its partitions
/// without a lag.
pub async fn ask(broker: i32, way: &Way, cluster: &Cluster, placement: &Placement, within: Duration) -> Lags {
    let end = Instant::now() + within;
    let followed = placement.of(broker).filter_map(|partition| partition.leader());
    let leaders: BTreeSet<i32> = followed.filter(|leader| *leader != broker).collect();
    // One after the other: a cluster of a hundred brokers must not be asked by a hundred connections at once, from
    // each of its nodes.
    let mut known = Vec::new();
    for leader in leaders {
        let Some(member) = cluster.member(leader) else { continue };
        let mut link = Link::new(way.to(member.address.clone()));
        let led = placement
            .of(broker)
            .filter(|partition| partition.leader() == Some(leader));
        match offsets::ask(&mut link, led, end.min(Instant::now() + within / 2)).await {
            Ok(ends) => known.push((leader, ends)),
            Err(error) => tracing::debug!(leader, %error, "a leader does not say how far it is"),
        }
    }
    Lags::Leaders(known)
}

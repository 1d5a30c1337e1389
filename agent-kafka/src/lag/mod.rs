//! How far replicas are behind their leaders, where the configuration says from whom to know it.

pub mod leaders;
pub mod metrics;

use std::collections::HashMap;

use crate::ask::offsets::Ends;
use crate::ask::placement::Partition;

/// What is known of the distance to the leaders.
#[derive(Debug, Default)]
pub enum Lags {
    /// Nothing.
    #[default]
    None,
    /// Messages, by topic and partition, as the node's own metrics tell.
    Metrics(HashMap<String, HashMap<i32, i64>>),
    /// The ends of the logs at their leaders, by the leaders' ids.
    Leaders(Vec<(i32, Ends)>),
}

impl Lags {
    /// How many messages this copy is behind, its own log ending there.
    pub fn of(&self, partition: &Partition<'_>, end: Option<i64>) -> Option<i64> {
        let lag = match self {
            Self::None => None,
            Self::Metrics(topics) => topics.get(partition.topic())?.get(&partition.index()).copied(),
            Self::Leaders(leaders) => {
                let led = partition.leader()?;
                let (_, ends) = leaders.iter().find(|(leader, _)| *leader == led)?;
                Some(ends.of(partition)?.saturating_sub(end?))
            }
        };
        // The leader may have been asked before its follower was.
        lag.map(|lag| lag.max(0))
    }
}

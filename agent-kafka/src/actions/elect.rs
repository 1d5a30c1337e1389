//! `kafka.apache.org/leaders.elect`: has the preferred replica of each partition lead it, where that is alive and in sync.
//! This is how leadership is given back after a restart, and how it is moved on purpose: the first replica is the preferred
//! one.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::outcome::{of_change, unanswered};
use super::reach;
use crate::ask::changes;
use crate::ask::placement::{self, Part, Partition, Placement};
use crate::sight::Sight;

/// Has preferred replicas lead.
pub struct Elect(Arc<Sight>);

/// Of which partitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ElectArgs {
    /// The partitions, as TOPIC/PARTITION. When not given: all of the cluster.
    #[serde(default)]
    pub partitions: Option<BTreeSet<String>>,
}

/// Who leads now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Elected {
    /// How many partitions are led by their preferred replica.
    pub preferred: usize,
    /// How many are not, since that is not alive or not in sync.
    pub unelectable: usize,
    /// Some of those, as TOPIC/PARTITION.
    pub unelectable_partitions: Vec<String>,
    /// Whether this action has changed anything.
    pub changed: bool,
}

/// A round of elections. It repeats nothing: which partitions still need one is read anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// How many partitions needed an election when it began.
    pub pending: usize,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "elect preferred leaders: partitions that need it are {}",
            self.pending
        )
    }
}

/// Partitions in one request.
const BATCH: usize = 1_000;
/// How many partitions are named.
const NAMED: usize = 100;
/// How long the brokers may take to hear of new leaders.
const HEARD: Duration = Duration::from_secs(5);

impl Elect {
    pub(crate) const fn new(sight: Arc<Sight>) -> Self {
        Self(sight)
    }

    async fn placement(&self) -> Result<Placement, ActionError> {
        let Some(link) = self.0.changes() else {
            let message = "only a broker tells who leads: run this beside one";
            return Err(ActionError::last("not_a_broker", message));
        };
        let end = Instant::now() + self.0.process().timeouts.change();
        placement::ask(&mut *link.lock().await, end)
            .await
            .map_err(|error| unanswered(&error))
    }
}

/// How it stands with a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    Preferred,
    Electable,
    Unelectable,
}

fn stand(partition: &Partition<'_>) -> Stand {
    let preferred = partition.replicas().next();
    if partition.leader().is_some() && partition.leader() == preferred {
        Stand::Preferred
    } else if preferred.is_some_and(|preferred| can_lead(partition, preferred)) {
        Stand::Electable
    } else {
        Stand::Unelectable
    }
}

/// Whether this replica is alive and in sync. 3.9 keeps a dead one in the in-sync set where it is the only one.
fn can_lead(partition: &Partition<'_>, replica: i32) -> bool {
    partition.in_sync().any(|id| id == replica) && partition.part_of(replica) != Part::Offline
}

fn name(partition: &Partition<'_>) -> String {
    format!("{}/{}", partition.topic(), partition.index())
}

/// The partitions that are meant.
fn meant<'a>(args: &'a ElectArgs, placement: &'a Placement) -> impl Iterator<Item = Partition<'a>> {
    let wanted = |partition: &Partition<'_>| {
        args.partitions
            .as_ref()
            .is_none_or(|wanted| wanted.contains(&name(partition)))
    };
    placement.partitions().filter(wanted)
}

impl Kind for Elect {
    const KIND: &'static str = "kafka.apache.org/leaders.elect";
    const SUMMARY: &'static str =
        "Has the preferred replica lead, of all partitions or of some: a failover on purpose.";
    const DEADLINE: Duration = Duration::from_secs(300);
    type Args = ElectArgs;
    type Output = Elected;
}

impl Converge for Elect {
    type View = Placement;
    type Step = Round;

    /// Each look asks for all partitions of the cluster.
    const POLL: Duration = Duration::from_secs(1);

    async fn observe(&self, _: &ElectArgs, _: Option<&Round>) -> Result<Placement, ActionError> {
        if let Some(reason) = self.0.facts().await.disagreement() {
            return Err(ActionError::last("other_cluster", reason));
        }
        self.placement().await
    }

    fn decide(
        args: &ElectArgs,
        placement: &Placement,
        last: Option<&Round>,
    ) -> Result<Next<Round, Elected>, ActionError> {
        if let Some(wanted) = &args.partitions {
            let known: BTreeSet<_> = meant(args, placement).map(|partition| name(&partition)).collect();
            let unknown: Vec<_> = wanted.difference(&known).take(NAMED).cloned().collect();
            if !unknown.is_empty() {
                let message = format!(
                    "the cluster has no such partitions, as TOPIC/PARTITION: {}",
                    unknown.join(", ")
                );
                return Err(ActionError::last("partition_unknown", message));
            }
        }
        let count = |of| {
            meant(args, placement)
                .filter(|partition| stand(partition) == of)
                .count()
        };
        let pending = count(Stand::Electable);
        if pending == 0 {
            let unelectable = meant(args, placement).filter(|partition| stand(partition) == Stand::Unelectable);
            return Ok(Next::Done(Elected {
                preferred: count(Stand::Preferred),
                unelectable: count(Stand::Unelectable),
                unelectable_partitions: unelectable.take(NAMED).map(|partition| name(&partition)).collect(),
                changed: last.is_some(),
            }));
        }
        Ok(Next::Do {
            now: Round { pending },
            then: Vec::new(),
        })
    }

    async fn apply(&self, args: &ElectArgs, _: &Round, invocation: &Invocation) -> Result<(), ActionError> {
        let placement = self.placement().await?;
        let electable: Vec<_> = meant(args, &placement)
            .filter(|partition| stand(partition) == Stand::Electable)
            .collect();
        let mut link = reach::for_change(self.0.process(), &*self.0.facts().await).await?;
        let mut why = None;
        for batch in electable.chunks(BATCH) {
            invocation.proceed()?;
            let end = Instant::now() + self.0.process().timeouts.change();
            let named = batch.iter().map(|partition| (partition.topic(), partition.index()));
            let refused = changes::elect(&mut link, named, end)
                .await
                .map_err(|error| of_change(&error))?;
            why = why.or_else(|| refused.into_iter().next());
        }
        // A broker hears of it a moment later.
        let heard = Instant::now() + HEARD;
        loop {
            let placement = self.placement().await?;
            let pending = meant(args, &placement)
                .filter(|partition| stand(partition) == Stand::Electable)
                .count();
            if pending == 0 {
                return Ok(());
            }
            if Instant::now() >= heard {
                let why = why.map_or_else(String::new, |(topic, partition, code)| {
                    format!(": {topic}/{partition} with {code}")
                });
                let message = format!("{pending} partitions are not led by their preferred replicas yet{why}");
                return Err(ActionError::retry("not_elected", message));
            }
            invocation.pause(Self::POLL).await?;
        }
    }
}

#[cfg(test)]
mod tests;

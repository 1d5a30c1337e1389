//! What a drain has ordered, and what has become of it. Pure.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::targets::Target;
use crate::ask::cluster::Cluster;
use crate::ask::placement::Placement;
use crate::ask::reassignments::{Moving, Order};

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// How many replicas were here when the action began.
    pub total: usize,
    /// How many are still here.
    pub left: usize,
    /// What is to be moved now.
    pub moves: Vec<Target>,
    /// What was ordered before and has not been seen to end.
    pub going: Vec<Target>,
    /// What is to be called off: copies that go to a broker which is fenced.
    pub stuck: Vec<Target>,
}

impl Batch {
    /// All that this action has ordered, or is about to.
    pub(super) fn ordered(&self) -> impl Iterator<Item = &Target> {
        self.moves.iter().chain(&self.going).chain(&self.stuck)
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left, moves, stuck, .. } = self;
        write!(f, "move {} of the {left} replicas on this broker", moves.len())?;
        if let Some(first) = moves.first() {
            let Target {
                topic,
                partition,
                replicas,
                ..
            } = first;
            write!(f, ", {topic}/{partition} to {replicas:?}")?;
        }
        if !stuck.is_empty() {
            write!(f, "; call off {} moves to brokers that are fenced", stuck.len())?;
        }
        Ok(())
    }
}

/// What was read.
#[derive(Debug)]
pub(in crate::actions) struct View {
    pub(super) broker: i32,
    pub(super) placement: Placement,
    pub(super) moving: Vec<Moving>,
    pub(super) cluster: Cluster,
    /// Logs that lie here though the agent sees no replica placed here; looked for where none is placed.
    pub(super) strays: Vec<String>,
}

/// What has become of a move that this action has ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The cluster is at it.
    Moving,
    /// It has ended, and this broker has not heard of it yet.
    Arriving,
    /// It has ended, was never begun, or was changed by somebody else.
    Over,
}

impl View {
    pub(super) fn moving(&self, topic: &str, partition: i32) -> Option<&Moving> {
        self.moving
            .iter()
            .find(|moving| moving.topic == topic && moving.partition == partition)
    }

    pub(super) fn fate(&self, target: &Target) -> Fate {
        let same = |one: Vec<i32>| one.iter().collect::<BTreeSet<_>>() == target.replicas.iter().collect();
        if let Some(moving) = self.moving(&target.topic, target.partition) {
            return if same(moving.target()) {
                Fate::Moving
            } else {
                Fate::Over
            };
        }
        // What a broker tells of placement is a moment older than what the controllers tell of moves.
        let mut held = self.placement.of(self.broker);
        let here = held.find(|it| it.topic_id() == target.topic_id && it.index() == target.partition);
        // Before it the replica that is to come is not there. Where none is to come the move may never have been ordered, and
        // to order it again adds no replica.
        let arrived = here.is_some_and(|partition| {
            let replicas: BTreeSet<i32> = partition.replicas().collect();
            target.coming.is_some() && target.replicas.iter().all(|id| replicas.contains(id))
        });
        if arrived { Fate::Arriving } else { Fate::Over }
    }
}

/// The replicas before a move of ours: the one to come has taken the place of the one to go.
pub(super) fn restore(target: &Target, view: &View) -> Option<Order> {
    let coming = target.coming?;
    let before = target
        .replicas
        .iter()
        .map(|id| if *id == coming { view.broker } else { *id });
    Some(Order {
        topic: target.topic.clone(),
        partition: target.partition,
        replicas: Some(before.collect()),
    })
}

pub(super) fn cancel(topic: &str, partition: i32) -> Order {
    Order {
        topic: topic.to_owned(),
        partition,
        replicas: None,
    }
}

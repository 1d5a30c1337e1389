//! A node leaves without loss: its replicas are moved away, and it is stopped.

use std::time::Instant;

use agent_sdk::spec::NodeState;
use rustix::process::Signal;
use serde_json::json;

use super::Kafka;
use super::partitions::are_off;
use crate::demo::Failure;
use crate::demo::seat::Blind;
use crate::demo::story::{SOON, Story};

const DRAIN: &str = "kafka.apache.org/broker.drain";

impl Story<'_, Kafka> {
    /// Moves everything off a node.
    pub(super) async fn drain(&self, place: usize) -> Result<(), Failure> {
        self.step(
            &[place],
            "broker.drain",
            "another one: all replicas of a node are copied to the others, and then given up there",
        );
        self.plan(place, DRAIN, &json!({})).await?;
        self.change(place, DRAIN, None).await?;
        let off = self
            .partitions_are("all copies are on the others", |seen| are_off(seen, place))
            .await?;
        self.shows(place, NodeState::Healthy, None, SOON).await?;
        let name = &self.seats[place].node;
        self.screen
            .seen(&format!("{name} is HEALTHY, holds none; led: {}", self.led(&off)));
        Ok(())
    }

    /// Stops a node.
    pub(super) async fn stop(&self, place: usize) -> Result<(), Failure> {
        let failed = |blind: Blind| Failure::unexpected("all agents answer", blind.reason);
        let before = self.partitions().await.map_err(failed)?.leaders();
        let name = &self.seats[place].node;
        self.step(&[place], "It is stopped", "as an operator would: SIGTERM");
        self.screen.act(&format!("kill -TERM {name}"));
        let began = Instant::now();
        self.play.terminate(place)?;
        self.lost.set(Some(place));
        self.shows(place, NodeState::Unavailable, None, SOON).await?;
        self.screen.seen(&format!(
            "{name} is UNAVAILABLE, {:.1} s later",
            began.elapsed().as_secs_f32()
        ));
        self.one_leads().await?;
        let after = self.partitions().await.map_err(failed)?.leaders();
        if before != after {
            return Err(Failure::unexpected(
                "no leader moves",
                format!("{before:?}, then {after:?}"),
            ));
        }
        self.screen
            .seen("nobody misses it: the others are HEALTHY, and no leader has moved");
        Ok(())
    }
}

impl Kafka {
    /// SIGTERM to the node's process; does not wait for its end.
    fn terminate(&self, place: usize) -> Result<(), Failure> {
        let Some(process) = self.node(place).process() else {
            return Err(Failure::unexpected("the node runs", "it does not"));
        };
        let sent = process.signal(Signal::TERM);
        sent.map(drop)
            .map_err(|error| Failure::setup("SIGTERM cannot be sent", error))
    }
}

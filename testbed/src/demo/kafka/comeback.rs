//! The node that was killed comes back, and the leaders go back to it when they are told to.

use std::time::{Duration, Instant};

use agent_sdk::spec::{NodeState, Role};
use serde_json::json;

use super::Kafka;
use super::partitions::are_preferred;
use crate::demo::Failure;
use crate::demo::play::Play;
use crate::demo::story::{Story, short};

/// For a node to be up: a JVM starts, and has to be let in by the others.
const UP: Duration = Duration::from_secs(60);
const ELECT: &str = "kafka.apache.org/leaders.elect";

impl Story<'_, Kafka> {
    /// Starts the node that was lost.
    pub(super) async fn come_back(&self) -> Result<(), Failure> {
        let place = self.lost.get().unwrap_or_default();
        let name = &self.seats[place].node;
        self.step(
            &[place],
            "It comes back",
            "as an operator would start it; what was written meanwhile it copies from the others",
        );
        self.screen.act(&format!("{name} is started again"));
        let began = Instant::now();
        self.play.start(place)?;
        let joining = self.shows(place, NodeState::JoiningCluster, None, UP).await?;
        self.screen.seen(&format!(
            "{name} is JOINING_CLUSTER: {}",
            short(joining.reason.as_deref().unwrap_or_default(), 60)
        ));
        let back = self.shows(place, NodeState::Healthy, Some(Role::Secondary), UP).await?;
        self.screen.seen(&format!(
            "{name} is {}, {:.1} s after its start",
            back.in_words(),
            began.elapsed().as_secs_f32()
        ));
        self.lost.set(None);
        let whole = self.partitions_are("all copies are in sync", super::partitions::Partitions::is_whole);
        let whole = whole.await?;
        self.screen
            .seen(&format!("all copies are in sync; led: {}", self.led(&whole)));
        Ok(())
    }

    /// Gives the leaders back.
    pub(super) async fn give_back(&self) -> Result<(), Failure> {
        let place = self.primary.get();
        self.step(
            &[place],
            "leaders.elect",
            "an action of Kafka's own: each partition is led by its first replica again",
        );
        self.plan(place, ELECT, &json!({})).await?;
        self.change(place, ELECT, None).await?;
        let back = self
            .partitions_are("each is led by its first replica", are_preferred)
            .await?;
        self.screen.seen(&format!("led: {}", self.led(&back)));
        // Who takes the writes of the partition that is followed.
        self.one_leads().await.map(drop)
    }
}

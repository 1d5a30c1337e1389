//! How the cluster comes to be: three lone nodes, then a cluster of one, two, three.

use std::time::Duration;

use agent_sdk::spec::{NodeState, Role, WellKnown};
use serde_json::json;

use super::Failure;
use super::play::Play;
use super::seat::Sight;
use super::story::{SOON, Story};

/// For processes to come up.
const START: Duration = Duration::from_secs(60);

impl<P: Play> Story<'_, P> {
    pub(super) async fn start(&self) -> Result<(), Failure> {
        self.step(&[0, 1, 2], "Start", P::START);
        for (place, seat) in self.seats.iter().enumerate() {
            self.play.start(place)?;
            self.stage.start(seat.process())?;
            self.screen.act(&format!(
                "{}: {}, its agent on {}",
                seat.node,
                self.play.about(place),
                seat.url()
            ));
        }
        for (place, seat) in self.seats.iter().enumerate() {
            let wanted = if place == 0 { P::BEFORE } else { NodeState::NotInCluster };
            self.shows(place, wanted, None, START).await?;
            self.screen.seen(&format!("{} is {}", seat.node, wanted.name()));
        }
        Ok(())
    }

    pub(super) async fn init(&self) -> Result<(), Failure> {
        self.step(&[0], "cluster.init", P::INIT);
        self.change(0, WellKnown::ClusterInit.kind(), None).await?;
        let sight = self.shows(0, NodeState::Healthy, Some(Role::Primary), SOON).await?;
        self.screen
            .seen(&format!("{} is {}", self.seats[0].node, in_cluster(&sight)));
        Ok(())
    }

    pub(super) async fn join(&self) -> Result<(), Failure> {
        self.step(
            &[0, 1],
            "cluster.join",
            "the second node takes itself in: its agent is told the first one's address",
        );
        let args = json!({ "node": self.member(0).await? });
        self.change(1, WellKnown::ClusterJoin.kind(), Some(args)).await?;
        self.is_secondary(1).await
    }

    pub(super) async fn add(&self, place: usize) -> Result<(), Failure> {
        self.step(
            &[0, place],
            "cluster.add",
            &format!(
                "{} is taken in from the first one, whose agent first tells its plan",
                self.seats[place].node
            ),
        );
        let args = json!({ "node": self.member(place).await? });
        self.plan(0, WellKnown::ClusterAdd.kind(), &args).await?;
        self.change(0, WellKnown::ClusterAdd.kind(), Some(args)).await?;
        self.is_secondary(place).await
    }

    pub(super) async fn is_secondary(&self, place: usize) -> Result<(), Failure> {
        let sight = self
            .shows(place, NodeState::Healthy, Some(Role::Secondary), SOON)
            .await?;
        let first = self.seats[0]
            .see()
            .await
            .map_err(|blind| Failure::unexpected("the first agent answers", blind.reason))?;
        let name = &self.seats[place].node;
        if sight.cluster.is_none() || sight.cluster != first.cluster {
            let seen = format!("{:?} and {:?}", first.cluster, sight.cluster);
            return Err(Failure::unexpected("both are in the same cluster", seen));
        }
        self.screen.seen(&format!("{name} is {}", in_cluster(&sight)));
        Ok(())
    }
}

fn in_cluster(sight: &Sight) -> String {
    format!(
        "{}, in cluster {}",
        sight.in_words(),
        sight.cluster.as_deref().unwrap_or("none")
    )
}

//! How a cluster of three comes to be: the others take themselves in.

use agent_sdk::spec::WellKnown;
use serde_json::{Value, json};

use super::Kafka;
use crate::demo::Failure;
use crate::demo::play::NODES;
use crate::demo::screen::Look;
use crate::demo::seat::Sight;
use crate::demo::story::{SOON, Story};

impl Story<'_, Kafka> {
    /// One after the other, for a quorum changes by one voter at a time.
    pub(super) async fn join_both(&self) -> Result<(), Failure> {
        self.step(
            &[0, 1, 2],
            "cluster.join",
            "each of the others formats its disk, starts, and becomes a voter: told the first one's address",
        );
        let args = json!({ "node": self.member(0).await? });
        for place in 1..NODES {
            self.change(place, WellKnown::ClusterJoin.kind(), Some(args.clone()))
                .await?;
            self.is_secondary(place).await?;
        }
        let look = async || match self.all().await {
            Err(blind) => blind.look(),
            Ok(seen) if seen.iter().all(is_whole) => Look::Yes(()),
            Ok(seen) => Look::NotYet(format!("voters: {:?}", seen.iter().map(voters).collect::<Vec<_>>())),
        };
        self.screen.wait("all agents show three voters", SOON, look).await?;
        self.screen
            .seen(&format!("{NODES} voters, {NODES} unfenced brokers: so say all agents"));
        Ok(())
    }
}

fn voters(sight: &Sight) -> Option<&Value> {
    sight.attributes.get("kafka.apache.org/quorum_voters")
}

/// Whether it knows of all voters, and its own broker is unfenced.
fn is_whole(sight: &Sight) -> bool {
    let fenced = sight.attributes.get("kafka.apache.org/fenced");
    voters(sight) == Some(&json!(NODES)) && fenced == Some(&json!(false))
}

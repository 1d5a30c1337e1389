//! An agent for the toy store: what a vendor writes beside the store's own client (`store`) and the knowledge of what
//! a change of its membership takes (`membership`). `docs/tutorial.md` walks through this file.

mod membership;
mod store;

use agent_sdk::action::{ActionError, Converge, Invocation, Next};
use agent_sdk::agent::Agent;
use agent_sdk::datastore::{DataStore, StoreError};
use agent_sdk::spec::{Attributes, Identity, Map, NodeStatus, ReplicationState, Shard, StoreVersion, Unit};
use membership::{Add, Goal, Init, Join, Reach, Reached, Remove, View};
use store::{Change, Role, Store};

// [configuration]
/// The `store` section of the configuration.
#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ToyConfig {
    /// Where the node beside this agent listens, such as 127.0.0.1:7001.
    #[schemars(example = "127.0.0.1:7001")]
    address: std::net::SocketAddr,
}
// [node]
impl DataStore for Store {
    const STORE_ID: &'static str = "toy";

    async fn status(&self) -> NodeStatus {
        match self.read().await {
            Err(error) => NodeStatus::unavailable(error.to_string()),
            Ok(node) if node.role == Role::None => NodeStatus::not_in_cluster(),
            Ok(node) if node.role == Role::Recovering && !node.is_member() => NodeStatus::joining(),
            Ok(node) if node.primary.is_none() => NodeStatus::unhealthy("the node knows of no primary"),
            Ok(_) => NodeStatus::healthy(),
        }
    }

    async fn identity(&self) -> Identity {
        let node = self.read().await.ok();
        Identity {
            version: node.as_ref().and_then(|node| StoreVersion::parse(&node.version)),
            node_id: node.map(|node| node.name),
            addresses: self.addresses(),
        }
    }

    async fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        Ok(self.read().await?.cluster_id)
    }

    async fn shards(&self) -> Result<Vec<Shard>, StoreError> {
        let node = self.read().await?;
        let (role, lag) = match node.role {
            Role::None => return Ok(Vec::new()),
            Role::Primary => (ReplicationState::Primary, None),
            Role::Secondary => (ReplicationState::Secondary, node.lag),
            Role::Recovering => (ReplicationState::Recovering, node.lag),
        };
        let shard = Shard::new("log", role, Unit::named("entries")).at(node.commit_offset);
        Ok(vec![match lag {
            Some(lag) => shard.behind(lag, Unit::named("entries")),
            None => shard,
        }])
    }

    async fn attributes(&self, which: Map) -> Attributes {
        match (which, self.read().await) {
            (Map::Store, Ok(node)) => Attributes::new().with("toy.example/epoch", node.epoch),
            _ => Attributes::new(),
        }
    }
}
// [actions]
impl<G: Goal> Converge for Reach<G> {
    type View = View;
    type Step = Change;

    async fn observe(&self, args: &G::Args, last: Option<&Change>) -> Result<View, ActionError> {
        let view = View::of(&self.0, G::node(args)).await;
        view.map_err(|error| error.while_reading(last))
    }

    fn decide(args: &G::Args, view: &View, last: Option<&Change>) -> Result<Next<Change, Reached>, ActionError> {
        G::next(args, view, last.is_some())
    }

    async fn apply(&self, _: &G::Args, change: &Change, _: &Invocation) -> Result<(), ActionError> {
        Ok(self.0.make(change).await?)
    }
}
// [main]
fn main() -> std::process::ExitCode {
    agent_sdk::main(agent_sdk::about!(), |ToyConfig { address }| {
        Ok(Agent::new(Store::new(address))
            .cluster_init(Reach(Store::new(address), Init))
            .cluster_join(Reach(Store::new(address), Join))
            .cluster_add(Reach(Store::new(address), Add))
            .cluster_remove(Reach(Store::new(address), Remove)))
    })
}

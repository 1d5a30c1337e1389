//! The mongod as the framework shows it.

use std::sync::Arc;

use agent_sdk::agent::Agent;
use agent_sdk::datastore::{DataStore, StoreError};
use agent_sdk::spec::{Addresses, Attributes, Identity, Map, NodeStatus, Shard, WellKnown};

use crate::actions::{Add, Configure, Init, Remove, StepDown};
use crate::attributes;
use crate::config::{Server, ServerError};
use crate::shards;
use crate::sight::Sight;

/// The agent for a mongod: the node and the actions on it.
///
/// **Errors**: a section that does not hold together, or names files that cannot be read.
pub fn agent(server: Server) -> Result<Agent, ServerError> {
    let sight = Arc::new(Sight::new(server.validated()?));
    let replica_set = sight.server().replica_set.clone();
    Ok(Agent::new(MongoDb(sight.clone()))
        .meant_for(replica_set)
        .cluster_init(Init::new(sight.clone()))
        .cluster_add(Add::new(sight.clone()))
        .cluster_remove(Remove::new(sight.clone()))
        .without(
            WellKnown::ClusterJoin,
            "a replica set takes its members in, a mongod cannot make itself one.",
            "schedule cluster.add on the agent of a member, with the member address of the new node.",
        )
        .action(StepDown::new(sight.clone()))
        .action(Configure::new(sight)))
}

/// A mongod.
pub struct MongoDb(Arc<Sight>);

impl DataStore for MongoDb {
    const STORE_ID: &'static str = "mongodb";

    async fn status(&self) -> NodeStatus {
        let last = self.0.last_summary();
        self.0.facts().await.status(last.as_deref())
    }

    async fn identity(&self) -> Identity {
        let facts = self.0.facts().await;
        let server = self.0.server();
        // As the set knows it; before it is in one, as it is to be known.
        let configured = server.member_address.as_ref().unwrap_or(&server.address);
        let member = facts.name().map_or_else(|| configured.to_string(), str::to_owned);
        Identity {
            node_id: Some(member.clone()),
            version: self.0.version(&facts).await,
            addresses: Addresses {
                client: Some(member.clone()),
                member: Some(member),
                ..Addresses::default()
            },
        }
    }

    async fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        self.0.facts().await.cluster_id()
    }

    async fn shards(&self) -> Result<Vec<Shard>, StoreError> {
        shards::of(&*self.0.facts().await)
    }

    async fn attributes(&self, which: Map) -> Attributes {
        match which {
            Map::Node => Attributes::new(),
            Map::Store => {
                let facts = self.0.facts().await;
                attributes::store(&self.0, &facts).await
            }
        }
    }
}

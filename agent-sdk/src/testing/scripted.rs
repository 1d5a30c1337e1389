//! A store that does as a test says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::datastore::{DataStore, StoreError};
use crate::spec::{Attributes, Identity, Map, NodeStatus, Shard, StoreVersion};

/// A store whose answers a test sets. Clones are the same store. It begins healthy, named `scripted-1`, in no cluster and
/// without shards.
#[derive(Clone)]
pub struct Scripted {
    script: Arc<Mutex<Script>>,
}

struct Script {
    status: NodeStatus,
    identity: Identity,
    cluster_id: Option<String>,
    shards: Vec<Shard>,
    node_attributes: Attributes,
    store_attributes: Attributes,
    mood: Mood,
    calls: usize,
}

#[derive(Clone)]
enum Mood {
    Answers,
    Hangs,
    Unreachable(String),
    Refuses(String),
}

impl Default for Scripted {
    fn default() -> Self {
        Self::new()
    }
}

impl Scripted {
    /// A healthy store.
    pub fn new() -> Self {
        let identity = Identity {
            node_id: Some("scripted-1".to_owned()),
            version: StoreVersion::parse("1.2.3"),
            ..Identity::default()
        };
        let script = Script {
            status: NodeStatus::healthy(),
            identity,
            cluster_id: None,
            shards: Vec::new(),
            node_attributes: Attributes::new(),
            store_attributes: Attributes::new(),
            mood: Mood::Answers,
            calls: 0,
        };
        Self {
            script: Arc::new(Mutex::new(script)),
        }
    }

    /// What the node's status is from now on.
    pub fn set_status(&self, status: NodeStatus) {
        self.script().status = status;
    }

    /// Who the node is from now on.
    pub fn set_identity(&self, identity: Identity) {
        self.script().identity = identity;
    }

    /// The node's cluster from now on.
    pub fn set_cluster_id(&self, cluster_id: Option<&str>) {
        self.script().cluster_id = cluster_id.map(str::to_owned);
    }

    /// The node's shards from now on.
    pub fn set_shards(&self, shards: Vec<Shard>) {
        self.script().shards = shards;
    }

    /// One of the attribute maps from now on.
    pub fn set_attributes(&self, which: Map, attributes: Attributes) {
        let mut script = self.script();
        match which {
            Map::Node => script.node_attributes = attributes,
            Map::Store => script.store_attributes = attributes,
        }
    }

    /// Answers again.
    pub fn answer(&self) {
        self.script().mood = Mood::Answers;
    }

    /// Answers nothing any more, as a stopped process.
    pub fn hang(&self) {
        self.script().mood = Mood::Hangs;
    }

    /// Cannot be reached any more, as a dead process.
    pub fn die(&self, reason: &str) {
        self.script().mood = Mood::Unreachable(reason.to_owned());
    }

    /// Refuses everything, as one that wants other credentials.
    pub fn refuse(&self, reason: &str) {
        self.script().mood = Mood::Refuses(reason.to_owned());
    }

    /// How often it was asked anything.
    pub fn calls(&self) -> usize {
        self.script().calls
    }

    async fn asked<T>(&self, answer: impl FnOnce(&Script) -> T + Send) -> Result<T, StoreError> {
        let mood = {
            let mut script = self.script();
            script.calls += 1;
            script.mood.clone()
        };
        match mood {
            Mood::Answers => Ok(answer(&self.script())),
            Mood::Hangs => std::future::pending().await,
            Mood::Unreachable(reason) => Err(StoreError::unreachable(anyhow::Error::msg(reason))),
            Mood::Refuses(reason) => Err(StoreError::refused(anyhow::Error::msg(reason))),
        }
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DataStore for Scripted {
    const STORE_ID: &'static str = "scripted";

    async fn status(&self) -> NodeStatus {
        match self.asked(|script| script.status.clone()).await {
            Ok(status) => status,
            Err(StoreError::Refused(reason)) => NodeStatus::unknown(reason.to_string()),
            Err(error) => NodeStatus::unavailable(error.to_string()),
        }
    }

    async fn identity(&self) -> Identity {
        self.asked(|script| script.identity.clone()).await.unwrap_or_default()
    }

    async fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        self.asked(|script| script.cluster_id.clone()).await
    }

    async fn shards(&self) -> Result<Vec<Shard>, StoreError> {
        self.asked(|script| script.shards.clone()).await
    }

    async fn attributes(&self, which: Map) -> Attributes {
        let answer = self.asked(|script| match which {
            Map::Node => script.node_attributes.clone(),
            Map::Store => script.store_attributes.clone(),
        });
        answer.await.unwrap_or_default()
    }
}

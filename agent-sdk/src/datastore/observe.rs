//! Looking at the node: one deadline for every endpoint, and an answer in any case where one can be given.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::flight::{Flight, NoAnswer};
use super::{DataStore, Memory, StoreError};
use crate::spec::{Addresses, Attributes, Identity, Map, NodeStatus, Shard, StoreVersion};
use crate::telemetry::{Metrics, Observation, Outcome};

/// How long a caller waits beyond the deadline, so that the call's own degraded answer arrives where it can.
const SLACK: Duration = Duration::from_millis(200);

/// What is said when a vendor's code panics; the panic itself is in the log.
const PANICKED: &str = "the code that looks at the store panicked; the agent's log says where";

/// What the operator has laid down about the node; it goes before what the store says.
#[derive(Debug, Clone)]
pub struct Configured {
    /// Node id.
    pub node_id: Option<String>,
    /// Version of the store.
    pub store_version: Option<StoreVersion>,
    /// The node's address, its id when nothing better is known.
    pub address: Option<String>,
    /// Id of the cluster, for clients that need one before the node is in it.
    pub cluster_id: Option<String>,
    /// Attributes that the operator adds to those of [`Map::Node`].
    pub attributes: Attributes,
    /// How long any endpoint may take.
    pub deadline: Duration,
    /// For how long after it began a look also answers those who ask later.
    pub reuse: Duration,
}

/// What `info/node` shows. It can always be given.
#[derive(Debug, Clone)]
pub struct NodeInfo {
    /// Unique within the cluster.
    pub node_id: String,
    /// How the node is.
    pub status: NodeStatus,
    /// What kind of store it is.
    pub store_id: &'static str,
    /// The store's version, `0.0.0` when nobody knows.
    pub version: StoreVersion,
    /// Where the node is reached.
    pub addresses: Addresses,
    /// What is known without the store's process.
    pub attributes: Attributes,
}

/// What `info/store` shows.
#[derive(Debug, Clone)]
pub struct StoreInfo {
    /// The cluster that the running process is in.
    pub cluster_id: Option<String>,
    /// The cluster that the operator has laid down.
    pub configured_cluster_id: Option<String>,
    /// What only the store's process knows.
    pub attributes: Attributes,
}

/// What `info/shards` shows.
#[derive(Debug, Clone)]
pub struct ShardsInfo {
    /// Each shard, with the last commit offset that this agent saw of it, the present one included.
    pub shards: Vec<(Shard, Option<i64>)>,
}

/// Why an endpoint that needs the store's process has no answer.
#[derive(Debug, Error)]
pub enum ObserveError {
    /// No answer within the deadline.
    #[error("the store did not answer within {} ms", .0.as_millis())]
    Deadline(Duration),
    /// The vendor's code panicked.
    #[error("{PANICKED}")]
    Panicked,
    /// The store, or the way to it, said no.
    #[error(transparent)]
    Store(Arc<StoreError>),
}

/// Looks at the node for everybody who asks.
///
/// **Guarantees**: every method returns within the deadline and a fraction of a second, whatever the store does; at
/// most one query of each kind is in flight, and none begins within `reuse` of the last; who asks after [`Observer::look_anew`] gets what was seen after it.
pub struct Observer {
    eyes: Arc<Eyes>,
    runtime: Handle,
    epoch: AtomicU64,
    node: Flight<Arc<NodeInfo>>,
    store: Flight<Result<Arc<StoreInfo>, Arc<StoreError>>>,
    shards: Flight<Result<Arc<ShardsInfo>, Arc<StoreError>>>,
}

impl Observer {
    pub(crate) fn new<D: DataStore>(
        store: Arc<D>,
        configured: Configured,
        memory: Memory,
        metrics: Arc<Metrics>,
        runtime: &Handle,
    ) -> Self {
        let reuse = configured.reuse;
        let eyes = Eyes {
            store,
            store_id: D::STORE_ID,
            configured,
            memory: Mutex::new(memory),
            offsets: Mutex::new(HashMap::new()),
            metrics,
        };
        Self {
            eyes: Arc::new(eyes),
            runtime: runtime.clone(),
            epoch: AtomicU64::new(0),
            node: Flight::new(runtime.clone(), reuse),
            store: Flight::new(runtime.clone(), reuse),
            shards: Flight::new(runtime.clone(), reuse),
        }
    }

    /// Says that the node has to be looked at anew: an action has changed it, or is about to rely on how it is. No later
    /// reader is given what was seen before.
    pub fn look_anew(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Where the store is looked at.
    pub(crate) const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Who the node is and how it is. A store that does not answer in time is `Unavailable`.
    pub async fn node(&self) -> Arc<NodeInfo> {
        let eyes = || self.eyes.clone().see_node();
        match self.node.answer(self.epoch(), self.patience(), eyes).await {
            Ok(info) => info,
            Err(no_answer) => Arc::new(self.eyes.blind(no_answer)),
        }
    }

    /// The node's cluster and what only its process knows.
    pub async fn store(&self) -> Result<Arc<StoreInfo>, ObserveError> {
        let answer = self
            .store
            .answer(self.epoch(), self.patience(), || self.eyes.clone().see_store())
            .await;
        self.answered(answer)
    }

    /// The node's shards.
    pub async fn shards(&self) -> Result<Arc<ShardsInfo>, ObserveError> {
        let answer = self
            .shards
            .answer(self.epoch(), self.patience(), || self.eyes.clone().see_shards())
            .await;
        self.answered(answer)
    }

    fn answered<T>(&self, answer: Result<Result<T, Arc<StoreError>>, NoAnswer>) -> Result<T, ObserveError> {
        match answer {
            Ok(answer) => answer.map_err(ObserveError::Store),
            Err(NoAnswer::Deadline) => Err(ObserveError::Deadline(self.eyes.configured.deadline)),
            Err(NoAnswer::Panicked) => Err(ObserveError::Panicked),
        }
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// The longest that one of these answers takes.
    pub(crate) fn patience(&self) -> Duration {
        self.eyes.configured.deadline + SLACK
    }
}

/// What a call in flight needs, whoever waits for it.
struct Eyes {
    store: Arc<dyn AnyStore>,
    store_id: &'static str,
    configured: Configured,
    memory: Mutex<Memory>,
    offsets: Mutex<HashMap<String, i64>>,
    metrics: Arc<Metrics>,
}

impl Eyes {
    async fn see_node(self: Arc<Self>) -> Arc<NodeInfo> {
        let (status, identity, attributes) = tokio::join!(
            self.timed(Observation::Status, self.store.status()),
            self.timed(Observation::Identity, self.store.identity()),
            self.timed(Observation::NodeAttributes, self.store.attributes(Map::Node)),
        );
        let status = status.unwrap_or_else(|| self.silent());
        Arc::new(self.node_info(status, identity.unwrap_or_default(), attributes.unwrap_or_default()))
    }

    async fn see_store(self: Arc<Self>) -> Result<Arc<StoreInfo>, Arc<StoreError>> {
        let (cluster_id, attributes) = tokio::join!(
            self.timed_result(Observation::ClusterId, self.store.cluster_id()),
            self.timed(Observation::StoreAttributes, self.store.attributes(Map::Store)),
        );
        Ok(Arc::new(StoreInfo {
            cluster_id: cluster_id?,
            configured_cluster_id: self.configured.cluster_id.clone(),
            attributes: lawful(attributes.unwrap_or_default()),
        }))
    }

    async fn see_shards(self: Arc<Self>) -> Result<Arc<ShardsInfo>, Arc<StoreError>> {
        let shards = self.timed_result(Observation::Shards, self.store.shards()).await?;
        let mut known = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = HashMap::with_capacity(shards.len());
        let shards = shards
            .into_iter()
            .map(|shard| {
                let last = shard.commit_offset.or_else(|| known.get(&shard.id).copied());
                if let Some(offset) = last {
                    seen.insert(shard.id.clone(), offset);
                }
                (shard, last)
            })
            .collect();
        *known = seen;
        Ok(Arc::new(ShardsInfo { shards }))
    }

    /// What is said of a node whose call does not even end by itself.
    fn blind(&self, no_answer: NoAnswer) -> NodeInfo {
        let status = match no_answer {
            NoAnswer::Deadline => self.silent(),
            NoAnswer::Panicked => NodeStatus::unknown(PANICKED),
        };
        self.node_info(status, Identity::default(), Attributes::default())
    }

    fn silent(&self) -> NodeStatus {
        let deadline = self.configured.deadline.as_millis();
        NodeStatus::unavailable(format!("the store did not answer within {deadline} ms"))
    }

    fn node_info(&self, status: NodeStatus, identity: Identity, mut attributes: Attributes) -> NodeInfo {
        let identity = self
            .memory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .complete(identity);
        let Identity {
            node_id,
            version,
            addresses,
        } = identity;
        let configured = &self.configured;
        attributes.extend(
            configured
                .attributes
                .iter()
                .map(|(name, value)| (name.to_owned(), value.clone())),
        );
        NodeInfo {
            node_id: configured
                .node_id
                .clone()
                .or(node_id)
                .or_else(|| configured.address.clone())
                .or_else(|| addresses.member.clone())
                .or_else(|| addresses.client.clone())
                .unwrap_or_else(|| "unknown".to_owned()),
            status,
            store_id: self.store_id,
            version: configured
                .store_version
                .clone()
                .or(version)
                .unwrap_or_else(StoreVersion::unknown),
            addresses,
            attributes: lawful(attributes),
        }
    }

    /// The answer within the deadline, or nothing, with a log line.
    async fn timed<T>(&self, what: Observation, call: impl Future<Output = T>) -> Option<T> {
        let begun = Instant::now();
        let answer = timeout(self.configured.deadline, call).await.ok();
        let outcome = if answer.is_some() {
            Outcome::Answered
        } else {
            Outcome::Deadline
        };
        self.metrics.observed(what, outcome, begun.elapsed());
        if answer.is_none() {
            tracing::warn!(observation = what.name(), "the store did not answer in time");
        }
        answer
    }

    async fn timed_result<T>(
        &self,
        what: Observation,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Arc<StoreError>> {
        let begun = Instant::now();
        let answer = timeout(self.configured.deadline, call).await.unwrap_or_else(|_| {
            let deadline = self.configured.deadline.as_millis();
            Err(StoreError::Unreachable(anyhow::anyhow!(
                "no answer within {deadline} ms"
            )))
        });
        let outcome = match &answer {
            Ok(_) => Outcome::Answered,
            Err(error) => {
                tracing::warn!(observation = what.name(), %error, "the store cannot be observed");
                Outcome::Failed
            }
        };
        self.metrics.observed(what, outcome, begun.elapsed());
        answer.map_err(Arc::new)
    }
}

fn lawful(mut attributes: Attributes) -> Attributes {
    for (name, reason) in attributes.retain_lawful() {
        tracing::warn!(attribute = name, %reason, "attribute left out");
    }
    attributes
}

/// [`DataStore`] without its type.
trait AnyStore: Send + Sync {
    fn status(&self) -> BoxFuture<'_, NodeStatus>;
    fn identity(&self) -> BoxFuture<'_, Identity>;
    fn cluster_id(&self) -> BoxFuture<'_, Result<Option<String>, StoreError>>;
    fn shards(&self) -> BoxFuture<'_, Result<Vec<Shard>, StoreError>>;
    fn attributes(&self, which: Map) -> BoxFuture<'_, Attributes>;
}

impl<D: DataStore> AnyStore for D {
    fn status(&self) -> BoxFuture<'_, NodeStatus> {
        Box::pin(DataStore::status(self))
    }

    fn identity(&self) -> BoxFuture<'_, Identity> {
        Box::pin(DataStore::identity(self))
    }

    fn cluster_id(&self) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        Box::pin(DataStore::cluster_id(self))
    }

    fn shards(&self) -> BoxFuture<'_, Result<Vec<Shard>, StoreError>> {
        Box::pin(DataStore::shards(self))
    }

    fn attributes(&self, which: Map) -> BoxFuture<'_, Attributes> {
        Box::pin(DataStore::attributes(self, which))
    }
}

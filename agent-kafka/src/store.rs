//! The process as the framework shows it.

use std::collections::HashSet;
use std::sync::Arc;

use agent_sdk::agent::Agent;
use agent_sdk::datastore::{DataStore, StoreError};
use agent_sdk::spec::{Addresses, Attributes, Identity, Map, NodeStatus, Shard, StoreVersion};
use kafka_protocol::messages::DescribeLogDirsResponse;
use tokio::sync::Mutex as Turn;
use tokio::time::Instant;

use crate::actions::{Add, Drain, Elect, Init, Join, Remove};
use crate::ask::offsets::Ends;
use crate::ask::placement::{Partition, Placement};
use crate::ask::{AskError, directories, offsets, placement};
use crate::attributes;
use crate::client::Link;
use crate::config::{LagFrom, Process, ProcessError, Validated};
use crate::lag::{self, Lags};
use crate::node::{Facts, store_error};
use crate::shards;
use crate::sight::Sight;
use crate::version;

/// The agent for a process: the node and the actions on it.
///
/// **Errors**: a section that does not hold together, or names files that are of no use.
pub fn agent(process: Process) -> Result<Agent, ProcessError> {
    let sight = Arc::new(Sight::new(process.validated()?));
    Ok(Agent::new(Kafka(sight.clone()))
        .cluster_init(Init::new(sight.clone()))
        .cluster_join(Join::new(sight.clone()))
        .cluster_add(Add::new(sight.clone()))
        .cluster_remove(Remove::new(sight.clone()))
        .action(Elect::new(sight.clone()))
        .action(Drain::new(sight)))
}

/// A Kafka process.
pub struct Kafka(Arc<Sight>);

impl Kafka {
    fn process(&self) -> &Validated {
        self.0.process()
    }

    /// The exact version: as configured, else as the process's files say, else its release line.
    async fn version(&self, facts: &Facts) -> Option<StoreVersion> {
        if let Some(configured) = &self.process().version {
            return Some(configured.clone());
        }
        let versions = facts.versions()?;
        let sight = self.0.clone();
        let of_broker = facts.live_broker().and(self.process().broker.as_ref());
        let port = of_broker.or(self.process().controller.as_ref())?.own().address.port();
        let exact = tokio::task::spawn_blocking(move || sight.version(|| version::of_listener(port)));
        exact.await.ok().flatten().or_else(|| version::line(versions))
    }

    fn addresses(&self, facts: &Facts) -> Addresses {
        // Only what the process tells: as long as it tells nothing, the framework shows what it told last. The address in
        // the agent's own configuration is none for others.
        let client = || {
            facts
                .live_broker()?
                .cluster
                .member(facts.id()?)
                .map(|member| member.address.clone())
        };
        let client = client();
        // By the listener that the agent itself asks: another agent asks as this one does.
        let controller = || {
            let (own, way) = (facts.configuration()?, self.process().controller.as_ref()?);
            own.controller_address(own.controller_listener(way.own().address.port())?)
                .cloned()
        };
        let controller = controller();
        let member = controller.clone().or_else(|| client.clone());
        Addresses {
            client: client.map(|address| address.to_string()),
            member: member.map(|address| address.to_string()),
            others: controller
                .map(|address| ("controller".to_owned(), address.to_string()))
                .into_iter()
                .collect(),
        }
    }

    /// The replicas of partitions, from what three requests told; asked for here where they were not before.
    async fn partitions(
        &self,
        facts: &Facts,
        before: Option<Result<Asked, AskError>>,
    ) -> Result<Vec<Shard>, StoreError> {
        let Some(id) = facts.id() else { return Ok(Vec::new()) };
        let asked = match before.filter(|asked| !matches!(asked, Ok(asked) if asked.broker != id)) {
            Some(asked) => asked,
            None => self.ask_partitions(id).await.ok_or_else(|| {
                let reason = "the process is a broker, and store.broker does not say where it listens";
                StoreError::refused(anyhow::anyhow!(reason))
            })?,
        };
        let asked = asked.map_err(|error| store_error(&error))?;
        let Asked {
            placement,
            lying,
            ends,
            measured,
            ..
        } = asked;
        let lags = match (&self.process().lag, &self.process().broker, facts.live_broker()) {
            (LagFrom::Leaders, Some(way), Some(broker)) => {
                lag::leaders::ask(
                    id,
                    way,
                    &broker.cluster,
                    &placement,
                    self.process().timeouts.answer() / 2,
                )
                .await
            }
            _ => measured,
        };
        Ok(shards::of_partitions(id, &placement, &lying, &ends, &lags))
    }

    /// The three requests, whatever the number of partitions, and the node's metrics meanwhile where they are to be asked;
    /// none where there is no broker to ask.
    async fn ask_partitions(&self, broker: i32) -> Option<Result<Asked, AskError>> {
        let link = self.0.partitions()?;
        let (asked, measured) = tokio::join!(self.three_requests(link, broker), self.measured());
        Some(asked.map(|asked| Asked { measured, ..asked }))
    }

    async fn three_requests(&self, link: &Turn<Link>, broker: i32) -> Result<Asked, AskError> {
        let end = || Instant::now() + self.process().timeouts.answer();
        let mut link = link.lock().await;
        let placement = placement::ask(&mut link, end()).await?;
        self.0.notice(broker, &placement);
        let lying = match directories::all(&mut link, true, end()).await {
            Ok(lying) => Some(lying),
            // Where the agent may not see the directories, what the cluster places here is all there is to list.
            Err(error @ AskError::Answered { .. }) => {
                tracing::debug!(%error, "the broker does not tell which logs lie in its directories");
                None
            }
            Err(error) => return Err(error),
        };
        let here: Option<HashSet<_>> = lying.as_ref().map(|lying| shards::logs(lying).collect());
        let lies = |partition: &Partition<'_>| {
            here.as_ref()
                .is_none_or(|here| here.contains(&(partition.topic(), partition.index())))
        };
        let ends = offsets::ask(&mut link, placement.of(broker).filter(lies), end()).await?;
        drop(here);
        Ok(Asked {
            broker,
            placement,
            lying: lying.unwrap_or_default(),
            ends,
            measured: Lags::None,
        })
    }

    /// Lag as the node's own metrics tell it, where they are to be asked.
    async fn measured(&self) -> Lags {
        let LagFrom::Metrics(address) = &self.process().lag else {
            return Lags::None;
        };
        let told = lag::metrics::ask(address, self.process().timeouts.answer()).await;
        told.unwrap_or_else(|error| {
            tracing::warn!(%address, error, "the metrics tell no lag: it is left out");
            Lags::None
        })
    }
}

/// What was told of a broker's partitions.
struct Asked {
    broker: i32,
    placement: Placement,
    lying: DescribeLogDirsResponse,
    ends: Ends,
    measured: Lags,
}

impl DataStore for Kafka {
    const STORE_ID: &'static str = "kafka";

    async fn status(&self) -> NodeStatus {
        let last = self.0.last_summary();
        self.0.facts().await.status(last.as_deref())
    }

    async fn identity(&self) -> Identity {
        let facts = self.0.facts().await;
        Identity {
            node_id: facts.id().map(|id| id.to_string()),
            version: self.version(&facts).await,
            addresses: self.addresses(&facts),
        }
    }

    async fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        self.0.facts().await.cluster_id()
    }

    async fn shards(&self) -> Result<Vec<Shard>, StoreError> {
        // A node's id seldom changes: by the last one both are asked at the same time.
        let asked = async {
            match self.0.last_id() {
                Some(id) => self.ask_partitions(id).await,
                None => None,
            }
        };
        let (facts, asked) = tokio::join!(self.0.facts(), asked);
        // Nobody answers, or another: there is nothing to list, or nothing that could be.
        if facts.cluster_id()?.is_none() {
            return Ok(Vec::new());
        }
        let lag = self.process().lag != LagFrom::Nowhere;
        let own = match (facts.id(), &facts.quorum) {
            (Some(id), Ok(quorum)) => shards::of_metadata_log(id, facts.directory(), quorum, lag),
            _ => None,
        };
        // A list without the partitions of a broker that starts would look like one that has lost them.
        let mut all = if facts.is_broker() {
            self.partitions(&facts, asked).await?
        } else {
            Vec::new()
        };
        all.extend(own);
        Ok(all)
    }

    async fn attributes(&self, which: Map) -> Attributes {
        match which {
            Map::Node => Attributes::new(),
            Map::Store => {
                let facts = self.0.facts().await;
                let placement = match (self.0.partitions(), facts.live_broker()) {
                    (Some(link), Some(_)) => {
                        let end = Instant::now() + self.process().timeouts.answer();
                        placement::ask(&mut *link.lock().await, end).await.ok()
                    }
                    _ => None,
                };
                attributes::store(&facts, placement.as_ref())
            }
        }
    }
}

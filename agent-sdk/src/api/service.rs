//! What the agent does for its clients, without HTTP: the one service behind both dialects.
//!
//! Every method answers with the rooms' own types or with a [`Problem`]; how either looks on the wire is the dialects'
//! business. Scheduling and planning have their own files.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::problem::{Code, Problem};
use super::shared::Shared;
use crate::action::Catalogue;
use crate::datastore::{NodeInfo, ObserveError, Observer, ShardsInfo, StoreInfo};
use crate::ledger::{Brief, CancelError, Cursor, Ledger, Page, ReadError, Status, Summary, WriteError};
use crate::spec::{AgentVersion, Record, Transition};
use crate::telemetry::Metrics;

/// Plans that may be made at once. A plan asks the store, and one that hangs holds its place until it ends.
const PLANS: usize = 2;

/// What the service is made of.
pub struct Parts {
    /// Looks at the node.
    pub observer: Arc<Observer>,
    /// Holds the records.
    pub ledger: Ledger,
    /// What the agent offers.
    pub catalogue: Arc<Catalogue>,
    /// The agent's own version.
    pub version: AgentVersion,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// The runtime of observations, where plans are made: a vendor's code that blocks holds no HTTP worker there.
    pub runtime: Handle,
}

/// The service.
pub(super) struct Service {
    parts: Parts,
    pub(super) planning: Arc<Semaphore>,
    stopping: CancellationToken,
    /// What `info/node` and `info/shards` of `v1` last answered.
    pub(super) node_shown: Shared<NodeInfo>,
    pub(super) shards_shown: Shared<ShardsInfo>,
}

impl Service {
    /// A service of these parts. Once `stopping` is cancelled nobody is kept waiting for a change any more.
    pub(super) fn new(parts: Parts, stopping: CancellationToken) -> Self {
        Self {
            parts,
            planning: Arc::new(Semaphore::new(PLANS)),
            stopping,
            node_shown: Shared::default(),
            shards_shown: Shared::default(),
        }
    }

    /// Who the node is and how it is. There is always an answer.
    pub(super) async fn node(&self) -> Arc<NodeInfo> {
        self.parts.observer.node().await
    }

    /// The node's cluster.
    pub(super) async fn store(&self) -> Result<Arc<StoreInfo>, Problem> {
        Ok(self.parts.observer.store().await?)
    }

    /// The node's shards.
    pub(super) async fn shards(&self) -> Result<Arc<ShardsInfo>, Problem> {
        Ok(self.parts.observer.shards().await?)
    }

    /// The record with this id.
    pub(super) async fn record(&self, id: Uuid) -> Result<Record, Problem> {
        self.ledger().record(id).await?.ok_or_else(|| unknown(id))
    }

    /// The record with this id once its version is not `after`, or as it is after `patience`.
    pub(super) async fn record_after(&self, id: Uuid, after: u64, patience: Duration) -> Result<Record, Problem> {
        tokio::select! {
            biased;
            record = self.ledger().wait(id, after, patience) => record?.ok_or_else(|| unknown(id)),
            () = self.stopping.cancelled() => self.record(id).await,
        }
    }

    /// The steps of a record, oldest first.
    pub(super) async fn history(
        &self,
        id: Uuid,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Transition>, Problem> {
        self.ledger().history(id, from, limit).await?.ok_or_else(|| unknown(id))
    }

    /// Actions that have not ended, oldest first.
    pub(super) async fn queue(&self, from: Option<Cursor>, limit: usize) -> Result<Page<Summary>, Problem> {
        Ok(self.ledger().queue(from, limit).await?)
    }

    /// Actions that have ended, newest first.
    pub(super) async fn finished(&self, from: Option<Cursor>, limit: usize) -> Result<Page<Summary>, Problem> {
        Ok(self.ledger().finished(from, limit).await?)
    }

    /// See [`Ledger::queue_brief`].
    pub(super) async fn queue_brief(&self) -> Result<Vec<Brief>, Problem> {
        Ok(self.ledger().queue_brief().await?)
    }

    /// See [`Ledger::finished_brief`].
    pub(super) async fn finished_brief(&self) -> Result<Vec<Brief>, Problem> {
        Ok(self.ledger().finished_brief().await?)
    }

    /// Asks for an action's end. The request is on disk once this returns.
    pub(super) async fn cancel(&self, id: Uuid) -> Result<Record, Problem> {
        self.ledger().cancel(id).await.map_err(|error| match error {
            CancelError::Unknown(id) => unknown(id),
            CancelError::Finished => Problem::new(Code::ActionFinished, "the action has ended already"),
            CancelError::Write(error) => error.into(),
        })
    }

    /// Whether the agent can record actions.
    pub(super) fn ready(&self) -> Result<(), Problem> {
        match self.ledger().health() {
            Status::Recording => Ok(()),
            Status::NoSpace => Err(Problem::new(
                Code::NotRecording,
                "the disk that holds the state directory is full",
            )),
            Status::Failed(reason) => Err(Problem::new(Code::NotRecording, reason.to_string())),
        }
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.parts.ledger
    }

    pub(super) fn catalogue(&self) -> &Arc<Catalogue> {
        &self.parts.catalogue
    }

    pub(super) fn version(&self) -> &AgentVersion {
        &self.parts.version
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.parts.metrics
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.parts.runtime
    }
}

fn unknown(id: Uuid) -> Problem {
    Problem::new(Code::UnknownAction, format!("no action has the id {id}"))
}

impl From<ObserveError> for Problem {
    fn from(error: ObserveError) -> Self {
        Self::new(Code::StoreUnavailable, error.to_string())
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Cursor => Self::new(Code::BadCursor, "the cursor was not given out for this list").at("/cursor"),
            ReadError::Busy => Self::new(Code::Busy, "the agent is busy: try again shortly"),
            ReadError::Closed => Self::new(Code::NotRecording, "the agent stops"),
            ReadError::Database(_) => Self::internal(error),
        }
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::NoSpace => Self::new(
                Code::NoSpace,
                "the disk that holds the state directory is full; nothing was recorded",
            ),
            WriteError::Busy => Self::new(Code::Busy, "the agent is busy: try again shortly"),
            WriteError::Closed(reason) => Self::new(Code::NotRecording, reason.to_string()),
            WriteError::Refused(_) | WriteError::Unlawful(_) => Self::internal(error),
        }
    }
}

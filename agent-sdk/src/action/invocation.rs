//! One attempt at one action, as its handler sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use super::{ActionError, Fault};

/// Why a handler is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// A client cancelled the action.
    Cancelled,
    /// The action's running time is over.
    Deadline,
    /// The agent stops; the action goes on when it starts again.
    Stopping,
}

/// Where checkpoints go.
pub(crate) trait CheckpointSink: Send + Sync {
    /// Returns once the checkpoint is on disk.
    fn save(&self, payload: Box<RawValue>) -> BoxFuture<'_, Result<(), SaveError>>;
}

/// A checkpoint that is not on disk.
#[derive(Debug, Error)]
#[error("the checkpoint cannot be recorded: {0}")]
pub(crate) struct SaveError(pub(crate) String);

/// What an attempt is given by the runner.
pub(crate) struct Seat {
    pub(crate) id: Uuid,
    pub(crate) attempt: u32,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) requester: String,
    pub(crate) last_checkpoint: Option<Box<RawValue>>,
    pub(crate) ends_at: Instant,
    pub(crate) interrupt: watch::Receiver<Option<Interrupt>>,
    pub(crate) sink: Arc<dyn CheckpointSink>,
}

/// One attempt at one action.
pub struct Invocation {
    seat: Seat,
}

impl Invocation {
    pub(crate) fn new(seat: Seat) -> Self {
        Self { seat }
    }

    /// The record's id.
    pub fn id(&self) -> Uuid {
        self.seat.id
    }

    /// 1 for the first attempt, one more for each that follows a retry, a crash or a restart.
    pub fn attempt(&self) -> u32 {
        self.seat.attempt
    }

    /// What the client keeps with the action.
    pub fn headers(&self) -> &BTreeMap<String, String> {
        &self.seat.headers
    }

    /// Who asked.
    pub fn requester(&self) -> &str {
        &self.seat.requester
    }

    /// Running time that is left before the deadline.
    pub fn remaining(&self) -> Duration {
        self.seat.ends_at.saturating_duration_since(Instant::now())
    }

    /// The last checkpoint of this or an earlier attempt.
    ///
    /// **Errors**: a checkpoint that does not fit `T` (made by another version of the agent) is final.
    pub fn last_checkpoint<T: DeserializeOwned>(&self) -> Result<Option<T>, ActionError> {
        let read = |text: &RawValue| {
            serde_json::from_str(text.get()).map_err(|error| {
                ActionError::Final(
                    Fault::new("checkpoint_unreadable", "the action's last checkpoint cannot be read").caused_by(error),
                )
            })
        };
        self.seat.last_checkpoint.as_deref().map(read).transpose()
    }

    /// Records how far the action has come.
    ///
    /// **Guarantees**: the checkpoint is on disk when this returns, also when it returns [`ActionError::Interrupted`].
    ///
    /// **Errors**: [`ActionError::Interrupted`] when the handler has to end now: hand it on with `?`.
    /// [`ActionError::Retry`] when the checkpoint cannot be recorded: do not go on without it.
    pub async fn checkpoint<T: Serialize + Sync>(&mut self, progress: &T) -> Result<(), ActionError> {
        let payload = to_raw_value(progress).map_err(|error| {
            ActionError::Final(Fault::new("checkpoint_unwritable", "a checkpoint is no JSON").caused_by(error))
        })?;
        self.seat.sink.save(payload.clone()).await.map_err(|error| {
            ActionError::Retry(Fault::new("checkpoint_unwritable", "a checkpoint was not recorded").caused_by(error))
        })?;
        self.seat.last_checkpoint = Some(payload);
        self.proceed()
    }

    /// [`ActionError::Interrupted`] when the handler has to end now.
    pub fn proceed(&self) -> Result<(), ActionError> {
        match self.interrupt() {
            None => Ok(()),
            Some(_) => Err(ActionError::Interrupted),
        }
    }

    /// Why the handler has to end, when it has to.
    pub fn interrupt(&self) -> Option<Interrupt> {
        *self.seat.interrupt.borrow()
    }

    /// Returns when the handler has to end, and why.
    pub async fn interrupted(&self) -> Interrupt {
        let mut interrupt = self.seat.interrupt.clone();
        let reason = interrupt
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|reason| *reason);
        // The runner holds the sender for as long as the handler lives; without it nobody waits for the outcome.
        reason.unwrap_or(Interrupt::Stopping)
    }

    /// Waits, but no longer than until the handler has to end.
    pub async fn pause(&self, length: Duration) -> Result<(), ActionError> {
        tokio::select! {
            biased;
            _ = self.interrupted() => Err(ActionError::Interrupted),
            () = tokio::time::sleep(length) => Ok(()),
        }
    }
}

//! The ledger as the rest of the agent holds it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::command::{Command, Ending, Taker, Task};
use super::health::{Health, Status};
use super::page::List;
use super::reader::Readers;
use super::watchers::Watchers;
use super::{AcceptError, Brief, CancelError, Cursor, Page, ReadError, Submission, Summary, WriteError};
use crate::spec::{ErrorRecord, Record, Transition};

/// Commands that may wait for the writer. More than the HTTP workers can have in flight on two cores, and little
/// enough that what waits is written within one or two transactions.
pub(super) const COMMANDS: usize = 1024;

/// The ledger. Clones are handles to the same one.
#[derive(Clone)]
pub struct Ledger {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) readers: Arc<Readers>,
    pub(super) watchers: Arc<Watchers>,
    pub(super) health: Arc<Health>,
    pub(super) cancelled: watch::Receiver<Option<Uuid>>,
}

impl Ledger {
    /// Accepts an action.
    ///
    /// **Guarantees**: once this returns a record, it is on disk and its place in the order is fixed.
    ///
    /// **Errors**: nothing is stored with any of them, but for [`WriteError::Closed`], after which nobody can tell.
    pub async fn accept(&self, submission: Submission) -> Result<Record, AcceptError> {
        let (reply, answer) = oneshot::channel();
        self.try_send(Command::Accept {
            submission: Box::new(submission),
            reply,
        })?;
        answer.await.unwrap_or_else(|_| Err(AcceptError::Write(self.closed())))
    }

    /// Asks for an action's end: one that waits fails as cancelled at once, a running one is asked to stop.
    ///
    /// **Guarantees**: the request is on disk once this returns the record.
    pub async fn cancel(&self, id: Uuid) -> Result<Record, CancelError> {
        let (reply, answer) = oneshot::channel();
        self.try_send(Command::Cancel { id, reply })?;
        answer.await.unwrap_or_else(|_| Err(CancelError::Write(self.closed())))
    }

    /// The record with this id.
    pub async fn record(&self, id: Uuid) -> Result<Option<Record>, ReadError> {
        self.readers.record(id).await
    }

    /// Whether an id was used before; the record with it, where that is still kept.
    pub async fn used(&self, id: Uuid) -> Result<Option<Option<Record>>, ReadError> {
        self.readers.used(id).await
    }

    /// The record with this id once its version is another than `after`, or as it is when `patience` is over.
    pub async fn wait(&self, id: Uuid, after: u64, patience: Duration) -> Result<Option<Record>, ReadError> {
        let mut watcher = self.watchers.watch(id);
        let deadline = tokio::time::Instant::now() + patience;
        let mut record = self.readers.record(id).await?;
        loop {
            match &record {
                Some(record) if record.version == after => {}
                _ => return Ok(record),
            }
            match tokio::time::timeout_at(deadline, watcher.changed()).await {
                // A step that the reading above has seen already, or gone past, is no news.
                Ok(Some(changed)) if record.as_ref().is_some_and(|known| known.version >= changed.version) => {}
                Ok(Some(changed)) => record = Some(Arc::unwrap_or_clone(changed)),
                Ok(None) => record = self.readers.record(id).await?,
                Err(_) => return Ok(record),
            }
        }
    }

    /// Actions that have not ended, the running one included, oldest first.
    pub async fn queue(&self, from: Option<Cursor>, limit: usize) -> Result<Page<Summary>, ReadError> {
        self.readers.summaries(List::Queue, from, limit).await
    }

    /// Actions that have ended, the last to end first.
    pub async fn finished(&self, from: Option<Cursor>, limit: usize) -> Result<Page<Summary>, ReadError> {
        self.readers.summaries(List::Finished, from, limit).await
    }

    /// The steps of a record, oldest first; none when there is no such record.
    pub async fn history(
        &self,
        id: Uuid,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Option<Page<Transition>>, ReadError> {
        self.readers.history(id, from, limit).await
    }

    /// Every finished action that is retained, the last to end first. What this has shown, [`Ledger::queue_brief`]
    /// does not show any more.
    pub async fn finished_brief(&self) -> Result<Vec<Brief>, ReadError> {
        self.readers.finished_brief().await
    }

    /// Every action that has not ended, oldest first, after those that have ended and that no answer of
    /// [`Ledger::finished_brief`] has shown: who reads the finished ones and then the queue misses none.
    pub async fn queue_brief(&self) -> Result<Vec<Brief>, ReadError> {
        self.readers.queue_brief().await
    }

    /// Whether the ledger records, and if not, why.
    pub fn health(&self) -> Status {
        self.health.status()
    }

    /// Returns when the ledger will record nothing any more, with the reason.
    pub async fn failed(&self) -> Arc<str> {
        self.health.failed().await
    }

    /// Actions that wait and have not begun.
    pub fn waiting(&self) -> usize {
        self.health.waiting()
    }

    /// Finished actions that are kept.
    pub fn kept(&self) -> usize {
        self.health.kept()
    }

    /// The id of the running action that a client cancelled last.
    pub(crate) fn cancelled(&self) -> watch::Receiver<Option<Uuid>> {
        self.cancelled.clone()
    }

    /// Has `taker` given the next action, started where it may be, once there is one. What waits at its other end is told
    /// nothing where the database refuses, or the ledger is closed meanwhile.
    pub(crate) async fn take(&self, taker: Taker) -> Result<(), WriteError> {
        let sent = self.commands.send(Command::Take(taker)).await;
        sent.map_err(|_| self.closed())
    }

    /// Starts an action whose preconditions hold.
    pub(crate) async fn begin(&self, id: Uuid) -> Result<Task, WriteError> {
        self.ask(|reply| Command::Begin { id, reply }).await
    }

    /// Records a checkpoint.
    pub(crate) async fn checkpoint(&self, id: Uuid, payload: Box<RawValue>, spent: Duration) -> Result<(), WriteError> {
        self.ask(|reply| Command::Checkpoint {
            id,
            payload,
            spent,
            reply,
        })
        .await
    }

    /// Records a failed attempt that another will follow.
    pub(crate) async fn attempt_failed(&self, id: Uuid, error: ErrorRecord, spent: Duration) -> Result<(), WriteError> {
        self.ask(|reply| Command::AttemptFailed {
            id,
            error,
            spent,
            reply,
        })
        .await
    }

    /// Records that the next attempt begins.
    pub(crate) async fn next_attempt(&self, id: Uuid, spent: Duration) -> Result<Record, WriteError> {
        self.ask(|reply| Command::NextAttempt { id, spent, reply }).await
    }

    /// Records an action's end and, in the same transaction, starts the next one if the runner wants it.
    pub(crate) async fn end(
        &self,
        id: Uuid,
        ending: Ending,
        spent: Duration,
        next: Option<Taker>,
    ) -> Result<(), WriteError> {
        self.ask(|reply| Command::End {
            id,
            ending,
            spent,
            reply,
            next,
        })
        .await
    }

    /// Records running time, without a step and without waiting.
    pub(crate) fn spent(&self, id: Uuid, spent: Duration) {
        // Lost when the writer is busy: the next one says the same and more.
        drop(self.commands.try_send(Command::Spent { id, spent }));
    }

    /// Records that the running action stops in good order.
    pub(crate) async fn park(&self, id: Uuid, spent: Duration) -> Result<(), WriteError> {
        self.ask(|reply| Command::Park { id, spent, reply }).await
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, WriteError>>) -> Command,
    ) -> Result<T, WriteError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| self.closed())?;
        answer.await.unwrap_or_else(|_| Err(self.closed()))
    }

    fn try_send(&self, command: Command) -> Result<(), WriteError> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => WriteError::Busy,
            mpsc::error::TrySendError::Closed(_) => self.closed(),
        })
    }

    fn closed(&self) -> WriteError {
        WriteError::Closed(match self.health.status() {
            Status::Failed(reason) => reason,
            Status::Recording | Status::NoSpace => Arc::from("it is closed"),
        })
    }
}

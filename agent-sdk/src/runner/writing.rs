//! What the runner writes down, and what it is given to do next.

use std::time::Duration;

use tokio::sync::oneshot;

use super::{Ended, Next, Paused, Runner};
use crate::ledger::{Ending, Status, Taker, Task, WriteError};
use crate::spec::{Record, State};

/// How long to wait before something is written again that a full disk, or the database, did not take.
pub(super) const REWRITE: Duration = Duration::from_millis(500);

/// How often what the database refuses is written again: somebody else may hold it for a while.
pub(super) const REFUSALS: u32 = 20;

impl Runner {
    /// Asks for work.
    pub(super) async fn ask(&self) -> Next {
        if self.stop.is_cancelled() {
            return Next::Ended(Ended::Stopped);
        }
        self.watch.idle();
        let (taker, taken) = self.taker();
        match self.ledger.take(taker).await {
            Ok(()) => Next::Wait(taken),
            Err(error) => Next::Ended(Ended::LedgerClosed(error.to_string())),
        }
    }

    fn taker(&self) -> (Taker, oneshot::Receiver<Task>) {
        let watch = self.watch.clone();
        Taker::new(move |record| watch.step(record, Duration::ZERO))
    }

    /// Waits for what follows, which is on disk as started once it comes.
    pub(super) async fn taken(&self, mut taken: oneshot::Receiver<Task>) -> Next {
        tokio::select! {
            biased;
            task = &mut taken => match (task, self.ledger.health()) {
                (Ok(task), _) => Next::Task(Box::new(task)),
                (Err(_), Status::Failed(reason)) => Next::Ended(Ended::LedgerClosed(reason.to_string())),
                (Err(_), _) => Next::Refused("the next action cannot be taken from the database".to_owned()),
            },
            () = self.stop.cancelled() => {
                taken.close();
                match taken.try_recv() {
                    Ok(task) if task.begun => self.park(&task.record, task.spent).await,
                    _ => Next::Ended(Ended::Stopped),
                }
            }
        }
    }

    /// Records an action's end and takes the next.
    pub(super) async fn end(&self, record: &Record, ending: Ending, spent: Duration) -> Next {
        // Before the end can be seen: who reads after it must see what the action has done.
        self.observer.look_anew();
        let mut refusals = 0;
        loop {
            let (next, taken) = self.taker();
            let next = (!self.stop.is_cancelled()).then_some(next);
            match self.ledger.end(record.id, ending.clone(), spent, next).await {
                Ok(()) => {
                    self.ended(record, &ending, spent);
                    self.watch.done(record.id);
                    return Next::Wait(taken);
                }
                Err(WriteError::Unlawful(unlawful)) => {
                    // Cancelled while its preconditions were looked at. What follows may have been started all the same.
                    tracing::info!(%unlawful, "the action had ended already");
                    self.watch.done(record.id);
                    return Next::Wait(taken);
                }
                Err(error) => match self.better_times(record, error, &mut refusals).await {
                    Ok(()) => {}
                    Err(Paused::Closed(reason)) => return Next::Ended(Ended::LedgerClosed(reason)),
                    // What it has done is not known at the next start: it is done again.
                    Err(_) => return self.park(record, spent).await,
                },
            }
        }
    }

    /// Leaves an action for the next start.
    pub(super) async fn park(&self, record: &Record, spent: Duration) -> Next {
        if record.state == State::Running {
            match self.ledger.park(record.id, spent).await {
                Ok(()) => tracing::info!("the action stops here and is taken up when the agent starts again"),
                Err(error) => tracing::warn!(%error, "that the action stopped in good order is not recorded"),
            }
        }
        Next::Ended(Ended::Stopped)
    }

    /// Writes until it is written, however long the disk is full.
    pub(super) async fn written<T, F: Future<Output = Result<T, WriteError>>>(
        &self,
        record: &Record,
        write: impl Fn() -> F,
    ) -> Result<T, Paused> {
        let mut refusals = 0;
        loop {
            match write().await {
                Ok(written) => return Ok(written),
                Err(error) => self.better_times(record, error, &mut refusals).await?,
            }
        }
    }

    /// Waits until the same may be written after all, if that can be.
    async fn better_times(&self, record: &Record, error: WriteError, refusals: &mut u32) -> Result<(), Paused> {
        match error {
            WriteError::Unlawful(unlawful) => {
                tracing::info!(%unlawful, "the action has ended otherwise");
                return Err(Paused::Gone);
            }
            WriteError::NoSpace | WriteError::Busy => {}
            WriteError::Refused(_) if *refusals < REFUSALS => *refusals += 1,
            WriteError::Refused(_) | WriteError::Closed(_) => {
                tracing::error!(%error, "what the action did cannot be recorded");
                return Err(Paused::Closed(error.to_string()));
            }
        }
        if self.stop.is_cancelled() {
            return Err(Paused::Stopping);
        }
        self.watch.step(record, REWRITE);
        self.rest().await;
        Ok(())
    }

    /// A while, or until the agent stops.
    pub(super) async fn rest(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(REWRITE) => {}
        }
    }

    fn ended(&self, record: &Record, ending: &Ending, spent: Duration) {
        let state = match ending {
            Ending::Done(_) => State::Done,
            Ending::Failed(_) => State::Failed,
        };
        self.metrics.finished(record.kind.as_str(), state, spent);
        match ending {
            Ending::Done(_) => tracing::info!(spent_ms = spent.as_millis(), "the action is done"),
            Ending::Failed(error) => tracing::warn!(code = error.code, "the action has failed: {}", error.message),
        }
    }
}

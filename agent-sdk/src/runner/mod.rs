//! Runs actions: one at a time, in the order of acceptance, each to its end.
//!
//! The runner asks the ledger for the next action and is woken by the commit that has one: an idle agent does nothing.
//! It shares with its handlers a runtime apart from everything else, so that one that blocks hurts nobody else. The `guard`
//! looks after both from another thread: a handler is asked to end, dropped at its next await, and where it never yields,
//! the process has to go ([`Ended::Stuck`]).

mod attempt;
#[cfg(test)]
mod bench;
mod guard;
#[cfg(test)]
mod guarded;
#[cfg(test)]
mod invariants;
mod precondition;
mod verdict;
mod watch;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use crate::action::{Catalogue, Entry, Interrupt};
use crate::datastore::Observer;
use crate::ledger::{Ending, Ledger, Task, WriteError};
use crate::spec::{ErrorRecord, Record};
use crate::telemetry::Metrics;
use attempt::{Attempt, AttemptEnd};
use guard::Guard;
use verdict::Verdict;
pub(crate) use watch::Watch;

/// Why the runner returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was asked to. What ran goes on when the agent starts again.
    Stopped,
    /// It was asked to, and what runs does not end: it ends with the process, and goes on when the agent starts again.
    Left,
    /// The ledger records nothing any more; the reason.
    LedgerClosed(String),
    /// By a fault of its own; which.
    Faulted(String),
    /// A handler never yields, past its deadline and the grace: the process has to end for it to end.
    Stuck {
        /// The action.
        id: Uuid,
        /// Its kind.
        kind: String,
    },
    /// Something that an action has left behind blocks the runner: the process has to end for it to end.
    Blocked {
        /// The action that the runner was at.
        id: Uuid,
        /// Its kind.
        kind: String,
    },
}

/// What running takes.
pub(crate) struct Runner {
    pub(crate) ledger: Ledger,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) observer: Arc<Observer>,
    pub(crate) metrics: Arc<Metrics>,
    /// Where the runner and its handlers run.
    pub(crate) handlers: Handle,
    /// How long a handler may take to end once it is asked to.
    pub(crate) grace: Duration,
    /// Asks the runner to stop.
    pub(crate) stop: CancellationToken,
    /// What the guard is told.
    pub(crate) watch: Arc<Watch>,
}

/// What follows an action.
enum Next {
    /// The runner asks for work.
    Ask,
    /// It has asked already, and waits for it.
    Wait(oneshot::Receiver<Task>),
    /// The database refused to tell; why.
    Refused(String),
    Task(Box<Task>),
    Ended(Ended),
}

/// Why an action does not go on here.
enum Paused {
    /// A client wants its end.
    Cancelled,
    /// The ledger has ended it.
    Gone,
    /// Its time is over.
    OutOfTime,
    /// The agent stops.
    Stopping,
    /// Nothing is recorded any more; the reason.
    Closed(String),
}

impl Runner {
    /// Runs actions until it is asked to stop, or cannot go on. The runner itself is on the handlers' runtime; the calling
    /// task looks after it, and has to be on another.
    pub(crate) async fn run(self) -> Ended {
        let guard = Guard {
            ledger: self.ledger.clone(),
            handlers: self.handlers.clone(),
            stop: self.stop.clone(),
            grace: self.grace,
            watch: self.watch.clone(),
        };
        let handlers = self.handlers.clone();
        let mut working = handlers.spawn(self.work());
        tokio::select! {
            biased;
            ended = &mut working => ended.unwrap_or_else(|fault| Ended::Faulted(fault.to_string())),
            ended = guard.keep() => {
                // Where it yields after all, nothing more is begun.
                working.abort();
                ended
            }
        }
    }

    async fn work(self) -> Ended {
        let mut next = Next::Ask;
        let mut refusals = 0;
        loop {
            next = match next {
                Next::Ended(ended) => return ended,
                Next::Ask => self.ask().await,
                Next::Wait(taken) => self.taken(taken).await,
                Next::Refused(reason) if refusals == writing::REFUSALS => return Ended::LedgerClosed(reason),
                Next::Refused(_) => {
                    refusals += 1;
                    self.rest().await;
                    Next::Ask
                }
                Next::Task(task) => {
                    refusals = 0;
                    let span = crate::telemetry::action_span(&task.record);
                    self.perform(*task).instrument(span).await
                }
            };
        }
    }

    async fn perform(&self, task: Task) -> Next {
        if task.begun {
            return self.attempts(task).await;
        }
        let Task { record, .. } = task;
        self.watch.step(&record, Duration::ZERO);
        let preconditions = record.preconditions.clone().unwrap_or_default();
        let seen = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Next::Ended(Ended::Stopped),
            seen = precondition::look(self.observer.clone(), preconditions) => seen,
        };
        if let Err(error) = seen {
            tracing::warn!(code = error.code, "the action is not run: {}", error.message);
            return self.end(&record, Ending::Failed(error), Duration::ZERO).await;
        }
        if self.stop.is_cancelled() {
            return Next::Ended(Ended::Stopped);
        }
        match self.ledger.begin(record.id).await {
            Ok(task) => self.attempts(task).await,
            Err(WriteError::Unlawful(_)) => {
                // Cancelled while its preconditions were looked at, or damaged: the ledger says what comes next.
                tracing::info!("the action was not started");
                Next::Ask
            }
            // Once it can be begun the node is looked at again, which may be another by then.
            Err(WriteError::NoSpace | WriteError::Busy) => {
                self.watch.step(&record, writing::REWRITE);
                self.rest().await;
                Next::Ask
            }
            Err(WriteError::Refused(reason)) => Next::Refused(reason.to_string()),
            Err(WriteError::Closed(reason)) => Next::Ended(Ended::LedgerClosed(reason.to_string())),
        }
    }

    /// Attempt after attempt, until the action ends.
    async fn attempts(&self, task: Task) -> Next {
        let Task {
            mut record,
            mut spent,
            begun: _,
        } = task;
        let Some(entry) = self.catalogue.get(record.kind.as_str()) else {
            let message = format!("this version of the agent has no kind {}", record.kind);
            let error = ErrorRecord {
                code: "unknown_kind".to_owned(),
                message,
                retryable: false,
            };
            return self.end(&record, Ending::Failed(error), spent).await;
        };
        loop {
            if self.stop.is_cancelled() {
                return self.park(&record, spent).await;
            }
            tracing::info!(attempt = record.attempt, "the action runs");
            self.metrics.attempt(entry.kind.as_str());
            let (end, interrupt) = self.attempt(entry, &record, &mut spent).await;
            let (error, pause) = match verdict::judge(end, interrupt, &record, spent) {
                Verdict::End(ending) => return self.end(&record, ending, spent).await,
                Verdict::Park => return self.park(&record, spent).await,
                Verdict::Again { error, pause } => (error, pause),
            };
            let began = Instant::now();
            let paused = self.pause(&record, &error, pause, spent).await;
            spent += began.elapsed();
            let ending = match paused {
                Ok(next) if spent < verdict::deadline(&record) => {
                    record = next;
                    continue;
                }
                Err(Paused::Cancelled) => ErrorRecord::cancelled(Some(&error)),
                Ok(_) | Err(Paused::OutOfTime) => ErrorRecord::out_of_time(&record, Some(&error)),
                Err(Paused::Stopping) => return self.park(&record, spent).await,
                Err(Paused::Gone) => return Next::Ask,
                Err(Paused::Closed(reason)) => return Next::Ended(Ended::LedgerClosed(reason)),
            };
            return self.end(&record, Ending::Failed(ending), spent).await;
        }
    }

    async fn attempt(&self, entry: &Entry, record: &Record, spent: &mut Duration) -> (AttemptEnd, Option<Interrupt>) {
        let began = Instant::now();
        let attempt = Attempt {
            ledger: &self.ledger,
            watch: &self.watch,
            handler: entry.handler(),
            record,
            spent: *spent,
            began,
        };
        let ended = attempt.run().await;
        self.watch.step(record, Duration::ZERO);
        *spent += began.elapsed();
        ended
    }

    /// Records a failed attempt and waits for the time of the next. `spent` is the running time before the pause.
    async fn pause(
        &self,
        record: &Record,
        error: &ErrorRecord,
        length: Duration,
        spent: Duration,
    ) -> Result<Record, Paused> {
        let began = Instant::now();
        self.watch.step(record, length);
        tracing::warn!(
            code = error.code,
            pause_ms = length.as_millis(),
            "the attempt failed: {}",
            error.message
        );
        self.written(record, || self.ledger.attempt_failed(record.id, error.clone(), spent))
            .await?;
        let mut cancelled = self.ledger.cancelled();
        tokio::select! {
            biased;
            () = attempt::cancel_of(&mut cancelled, record.id) => return Err(Paused::Cancelled),
            () = self.stop.cancelled() => return Err(Paused::Stopping),
            () = tokio::time::sleep(length) => {}
        }
        // Longer than it was meant to be, where the disk was full or the process frozen.
        let spent = spent + began.elapsed();
        if spent >= verdict::deadline(record) {
            return Err(Paused::OutOfTime);
        }
        self.written(record, || self.ledger.next_attempt(record.id, spent))
            .await
    }
}

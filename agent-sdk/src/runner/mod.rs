//! Runs actions: one at a time, in the order of acceptance, each to its end.
//!
//! The runner asks the ledger for the next action and is woken by the commit that has one: an idle agent does nothing.
//! It shares with its handlers a runtime apart from everything else, so that one that blocks hurts nobody else. The `guard`
//! looks after both from another thread: a handler is asked to end, dropped at its next await, and where it never yields,
//! the process has to go ([`Ended::Stuck`]).

mod attempt;
mod guard;
#[cfg(test)]
mod invariants;
mod precondition;
mod verdict;

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
use crate::spec::{ErrorRecord, Record, State};
use crate::telemetry::Metrics;
use attempt::{Attempt, AttemptEnd};
use guard::Guard;
pub(crate) use guard::Watch;
use verdict::Verdict;

/// How long to wait before an action's end is written again that a full disk, or a busy ledger, did not take.
const REWRITE: Duration = Duration::from_millis(500);

/// Why the runner returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was asked to. What ran goes on when the agent starts again.
    Stopped,
    /// The ledger records nothing any more.
    LedgerClosed,
    /// A handler never yields, past its deadline and the grace: the process has to end for it to end.
    Stuck {
        /// The action.
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
    /// This one; none when the runner has to ask.
    Task(Option<Box<Task>>),
    Ended(Ended),
}

impl Runner {
    /// Runs actions until it is asked to stop, or cannot go on. The runner itself is on the handlers' runtime; the calling
    /// task looks after it, and has to be on another.
    pub(crate) async fn run(self) -> Ended {
        let guard = Guard {
            ledger: self.ledger.clone(),
            stop: self.stop.clone(),
            grace: self.grace,
            watch: self.watch.clone(),
        };
        let handlers = self.handlers.clone();
        let mut working = handlers.spawn(self.work());
        tokio::select! {
            biased;
            ended = &mut working => ended.unwrap_or_else(|fault| {
                tracing::error!(%fault, "the runner has ended by itself");
                Ended::LedgerClosed
            }),
            ended = guard.keep() => {
                // Where it yields after all, nothing more is begun.
                working.abort();
                ended
            }
        }
    }

    async fn work(self) -> Ended {
        let mut next = Next::Task(None);
        loop {
            let task = match next {
                Next::Ended(ended) => return ended,
                Next::Task(Some(task)) => *task,
                Next::Task(None) => {
                    self.watch.idle();
                    tokio::select! {
                        biased;
                        () = self.stop.cancelled() => return Ended::Stopped,
                        task = self.ledger.take() => match task {
                            Some(task) => task,
                            None => return Ended::LedgerClosed,
                        },
                    }
                }
            };
            let span = crate::telemetry::action_span(&task.record);
            next = self.perform(task).instrument(span).await;
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
        match self.written(&record, || self.ledger.begin(record.id)).await {
            Ok(task) => self.attempts(task).await,
            Err(Paused::Ended(ended)) => Next::Ended(ended),
            Err(Paused::Cancelled | Paused::Gone) => {
                // Cancelled while its preconditions were looked at, or damaged: the ledger says what comes next.
                tracing::info!("the action was not started");
                Next::Task(None)
            }
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
            tracing::info!(attempt = record.attempt, "the action runs");
            self.metrics.attempt(entry.kind.as_str());
            let (end, interrupt) = self.attempt(entry, &record, &mut spent).await;
            match verdict::judge(end, interrupt, &record, spent) {
                Verdict::End(ending) => return self.end(&record, ending, spent).await,
                Verdict::Park => return self.park(&record, spent, Ended::Stopped).await,
                Verdict::Again { error, pause } => match self.pause(&record, error, pause, &mut spent).await {
                    Ok(next) => record = next,
                    Err(Paused::Cancelled) => {
                        return self.end(&record, Ending::Failed(ErrorRecord::cancelled()), spent).await;
                    }
                    Err(Paused::Ended(ended)) => return Next::Ended(ended),
                    Err(Paused::Gone) => return Next::Task(None),
                },
            }
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

    /// Records a failed attempt and waits for the time of the next.
    async fn pause(
        &self,
        record: &Record,
        error: ErrorRecord,
        length: Duration,
        spent: &mut Duration,
    ) -> Result<Record, Paused> {
        let began = Instant::now();
        self.watch.step(record, length);
        tracing::warn!(
            code = error.code,
            pause_ms = length.as_millis(),
            "the attempt failed: {}",
            error.message
        );
        self.written(record, || self.ledger.attempt_failed(record.id, error.clone(), *spent))
            .await?;
        let mut cancelled = self.ledger.cancelled();
        tokio::select! {
            biased;
            () = attempt::cancel_of(&mut cancelled, record.id) => return Err(Paused::Cancelled),
            () = self.stop.cancelled() => {
                let parked = self.park(record, *spent + began.elapsed(), Ended::Stopped).await;
                return Err(match parked {
                    Next::Ended(ended) => Paused::Ended(ended),
                    Next::Task(_) => Paused::Ended(Ended::Stopped),
                });
            }
            () = tokio::time::sleep(length) => {}
        }
        *spent += began.elapsed();
        self.written(record, || self.ledger.next_attempt(record.id, *spent))
            .await
    }

    /// Writes until it is written, however long the disk is full.
    async fn written<T, F: Future<Output = Result<T, WriteError>>>(
        &self,
        record: &Record,
        write: impl Fn() -> F,
    ) -> Result<T, Paused> {
        loop {
            match write().await {
                Ok(written) => return Ok(written),
                Err(WriteError::NoSpace | WriteError::Busy) if !self.stop.is_cancelled() => {
                    tokio::time::sleep(REWRITE).await;
                    self.watch.step(record, REWRITE);
                }
                Err(WriteError::NoSpace | WriteError::Busy) => return Err(Paused::Ended(Ended::Stopped)),
                Err(WriteError::Unlawful(unlawful)) => {
                    tracing::info!(%unlawful, "the action has ended otherwise");
                    return Err(Paused::Gone);
                }
                Err(error) => {
                    tracing::error!(%error, "what the action did cannot be recorded");
                    return Err(Paused::Ended(Ended::LedgerClosed));
                }
            }
        }
    }

    /// Leaves a running action for the next start.
    async fn park(&self, record: &Record, spent: Duration, ended: Ended) -> Next {
        match self.ledger.park(record.id, spent).await {
            Ok(()) => tracing::info!("the action stops here and goes on when the agent starts again"),
            Err(error) => tracing::warn!(%error, "that the action stopped in good order is not recorded"),
        }
        Next::Ended(ended)
    }

    /// Records an action's end and takes the next.
    async fn end(&self, record: &Record, ending: Ending, spent: Duration) -> Next {
        // Before the end can be seen: who reads after it must see what the action has done.
        self.observer.look_anew();
        let state = match &ending {
            Ending::Done(_) => State::Done,
            Ending::Failed(_) => State::Failed,
        };
        loop {
            let (next, taken) = oneshot::channel();
            let next = (!self.stop.is_cancelled()).then_some(next);
            match self.ledger.end(record.id, ending.clone(), spent, next).await {
                Ok(()) => {
                    self.ended(record, state, &ending, spent);
                    return self.taken(taken).await;
                }
                Err(WriteError::NoSpace | WriteError::Busy) if !self.stop.is_cancelled() => {
                    tokio::time::sleep(REWRITE).await;
                    self.watch.step(record, REWRITE);
                }
                Err(WriteError::Unlawful(unlawful)) => {
                    // Cancelled while its preconditions were looked at. What follows may have been started all the same.
                    tracing::info!(%unlawful, "the action had ended already");
                    return self.taken(taken).await;
                }
                Err(error) => {
                    tracing::error!(%error, "the action's end cannot be recorded");
                    return Next::Ended(Ended::LedgerClosed);
                }
            }
        }
    }

    /// Waits for what follows, which is on disk as started once it comes.
    async fn taken(&self, mut taken: oneshot::Receiver<Task>) -> Next {
        self.watch.idle();
        tokio::select! {
            biased;
            task = &mut taken => match task {
                Ok(task) => Next::Task(Some(Box::new(task))),
                Err(_) if self.stop.is_cancelled() => Next::Ended(Ended::Stopped),
                Err(_) => Next::Ended(Ended::LedgerClosed),
            },
            () = self.stop.cancelled() => {
                taken.close();
                match taken.try_recv() {
                    Ok(task) => self.park(&task.record, task.spent, Ended::Stopped).await,
                    Err(_) => Next::Ended(Ended::Stopped),
                }
            }
        }
    }

    fn ended(&self, record: &Record, state: State, ending: &Ending, spent: Duration) {
        self.metrics.finished(record.kind.as_str(), state, spent);
        match ending {
            Ending::Done(_) => tracing::info!(spent_ms = spent.as_millis(), "the action is done"),
            Ending::Failed(error) => tracing::warn!(code = error.code, "the action has failed: {}", error.message),
        }
    }
}

/// Why no further attempt follows a pause.
enum Paused {
    Cancelled,
    /// The ledger has ended it.
    Gone,
    Ended(Ended),
}

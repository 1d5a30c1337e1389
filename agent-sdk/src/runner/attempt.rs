//! One attempt: the handler, and everything that may end it from outside.
//!
//! The handler is polled here, by the runner itself: both are on the runtime that is apart from everything else, and an
//! action costs no change of threads. What a handler that never yields keeps from happening here is the guard's.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::action::{ActionError, CheckpointSink, Handler, Interrupt, Invocation, SaveError, Seat};
use crate::ledger::Ledger;
use crate::spec::Record;

/// How an attempt ended.
pub(super) enum AttemptEnd {
    /// By itself.
    Returned(Result<Box<RawValue>, ActionError>),
    /// With a panic.
    Panicked(String),
    /// Dropped at an await, after the grace.
    Dropped,
}

/// What an attempt takes.
pub(super) struct Attempt<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) stop: &'a CancellationToken,
    pub(super) grace: Duration,
    pub(super) handler: Arc<dyn Handler>,
    pub(super) record: &'a Record,
    /// Running time that earlier attempts have used.
    pub(super) spent: Duration,
    pub(super) began: Instant,
}

impl Attempt<'_> {
    /// Runs the handler to its end, or as far as it can be brought; with the reason why it was asked to end, if it was.
    pub(super) async fn run(self) -> (AttemptEnd, Option<Interrupt>) {
        let record = self.record;
        let id = record.id;
        let deadline = Duration::from_secs(record.deadline_s.into());
        let ends_at = self.began + deadline.saturating_sub(self.spent);
        let (interrupt, interrupts) = watch::channel(None);
        let seat = Seat {
            id,
            attempt: record.attempt,
            headers: record.headers.clone(),
            requester: record.requester.as_str().to_owned(),
            last_checkpoint: record.state_payload.clone(),
            ends_at,
            interrupt: interrupts,
            sink: Arc::new(Sink {
                ledger: self.ledger.clone(),
                id,
                spent: self.spent,
                began: self.began,
            }),
        };
        let (handler, args) = (self.handler.clone(), record.args.clone());
        let running = async move {
            handler
                .run(args.as_deref().map_or("{}", RawValue::get), Invocation::new(seat))
                .await
        };
        // What a panic leaves behind is the handler's alone, and goes with it.
        let mut running = Box::pin(AssertUnwindSafe(running).catch_unwind());
        let mut cancelled = self.ledger.cancelled();
        let mut cancel_seen = false;
        let mut stop_seen = false;
        // Beyond this the handler is not waited for: a deadline's or a stop's grace.
        let mut drop_at: Option<Instant> = None;
        loop {
            tokio::select! {
                biased;
                ended = &mut running => return (returned(ended), *interrupt.borrow()),
                () = cancel_of(&mut cancelled, id), if !cancel_seen => {
                    cancel_seen = true;
                    ask(&interrupt, Interrupt::Cancelled);
                }
                () = self.stop.cancelled(), if !stop_seen => {
                    stop_seen = true;
                    ask(&interrupt, Interrupt::Stopping);
                    drop_at = Some(earlier(drop_at, Instant::now() + self.grace));
                }
                () = tokio::time::sleep_until(ends_at), if drop_at.is_none() => {
                    ask(&interrupt, Interrupt::Deadline);
                    drop_at = Some(Instant::now() + self.grace);
                }
                () = tokio::time::sleep_until(drop_at.unwrap_or(ends_at)), if drop_at.is_some() => {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(move || drop(running))) {
                        tracing::warn!("the handler panicked while it was dropped: {}", panic_message(&*panic));
                    }
                    return (AttemptEnd::Dropped, *interrupt.borrow());
                }
            }
        }
    }
}

/// Returns when a client has cancelled the running action `id`; never, once the ledger is closed.
pub(super) async fn cancel_of(cancelled: &mut watch::Receiver<Option<Uuid>>, id: Uuid) {
    let requested = cancelled.wait_for(|cancelled| *cancelled == Some(id)).await.is_ok();
    if !requested {
        std::future::pending::<()>().await;
    }
}

/// The first reason stays: it is the one the record will tell.
fn ask(interrupt: &watch::Sender<Option<Interrupt>>, reason: Interrupt) {
    interrupt.send_if_modified(|current| current.is_none() && current.replace(reason).is_none());
}

fn earlier(known: Option<Instant>, new: Instant) -> Instant {
    known.map_or(new, |known| known.min(new))
}

fn returned(ended: Result<Result<Box<RawValue>, ActionError>, Box<dyn Any + Send>>) -> AttemptEnd {
    match ended {
        Ok(result) => AttemptEnd::Returned(result),
        Err(panic) => AttemptEnd::Panicked(panic_message(&*panic)),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

/// Checkpoints of one attempt.
struct Sink {
    ledger: Ledger,
    id: Uuid,
    spent: Duration,
    began: Instant,
}

impl CheckpointSink for Sink {
    fn save(&self, payload: Box<RawValue>) -> BoxFuture<'_, Result<(), SaveError>> {
        Box::pin(async move {
            let spent = self.spent + self.began.elapsed();
            self.ledger
                .checkpoint(self.id, payload, spent)
                .await
                .map_err(|error| SaveError(error.to_string()))
        })
    }
}

//! One attempt: the handler, on the runner's own runtime, until it has ended. What may end it from outside is the guard's.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use super::verdict;
use super::watch::{Watch, Watched, ask};
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
    pub(super) watch: &'a Watch,
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
        let ends_at = self.began + verdict::deadline(record).saturating_sub(self.spent);
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
        // A task of its own, so that it has a budget of its own; it is run by the thread that waits for it here.
        let running = tokio::spawn(running.in_current_span());
        let handler = running.abort_handle();
        self.watch
            .attempt(Watched::new(record, self.spent, self.began, interrupt.clone(), handler));
        // Asked for before the guard could know of this attempt.
        if *self.ledger.cancelled().borrow() == Some(id) {
            ask(&interrupt, Interrupt::Cancelled);
        }
        let ended = returned(running.await);
        let asked = *interrupt.borrow();
        (ended, asked)
    }
}

/// Returns when a client has cancelled the running action `id`; never, once the ledger is closed.
pub(super) async fn cancel_of(cancelled: &mut watch::Receiver<Option<Uuid>>, id: Uuid) {
    let requested = cancelled.wait_for(|cancelled| *cancelled == Some(id)).await.is_ok();
    if !requested {
        std::future::pending::<()>().await;
    }
}

fn returned(ended: Result<Result<Box<RawValue>, ActionError>, JoinError>) -> AttemptEnd {
    match ended {
        Ok(result) => AttemptEnd::Returned(result),
        Err(error) if error.is_panic() => AttemptEnd::Panicked(panic_message(&*error.into_panic())),
        Err(_) => AttemptEnd::Dropped,
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

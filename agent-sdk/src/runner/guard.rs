//! Looks after the runner and its handlers, from a thread that none of them can block.
//!
//! Handlers and the runner share a runtime, so that an action changes threads no more than it must. Whatever may have to
//! happen to a handler while it holds that runtime happens here: it is asked to end (cancelled, out of time, or the agent
//! stops); out of time, or the agent stopping, it is dropped at its next await after the grace, and where it never yields,
//! the process has to end. So it has where something that a handler has left behind blocks the runner itself. Running time
//! is written down from here, too. The timer exists while actions run, and for one turn after: an idle agent has none.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Ended;
use super::watch::{Look, Phase, SLACK, Watch, ask};
use crate::action::Interrupt;
use crate::ledger::Ledger;

/// The guard of one runner.
pub(super) struct Guard {
    pub(super) ledger: Ledger,
    /// Where the runner and its handlers run.
    pub(super) handlers: Handle,
    pub(super) stop: CancellationToken,
    /// How long a handler may take to end once it is asked to.
    pub(super) grace: Duration,
    pub(super) watch: Arc<Watch>,
}

/// What a look has found.
pub(super) enum Found {
    Fine,
    /// This attempt does not even end when it is dropped.
    Stuck {
        turn: u64,
        id: Uuid,
        kind: String,
        spent: Duration,
    },
    /// Nothing was heard of the runner for long, while it was at this action.
    Silent {
        turn: u64,
        id: Uuid,
        kind: String,
    },
    /// The runner was asked to stop, and has not.
    Overdue,
}

impl Guard {
    /// Looks after the runner; returns when it, or its handler, can only be ended with the process.
    pub(super) async fn keep(self) -> Ended {
        let mut cancelled = self.ledger.cancelled();
        loop {
            let (next_look, stopped) = {
                let state = self.watch.lock();
                (state.next_look, state.stopped_at.is_some())
            };
            tokio::select! {
                () = self.watch.sooner.notified() => {}
                Ok(()) = cancelled.changed() => {
                    let id = *cancelled.borrow_and_update();
                    self.cancel(id);
                    continue;
                }
                () = self.stop.cancelled(), if !stopped => self.watch.lock().stopped_at = Some(Instant::now()),
                () = until(next_look) => {}
            }
            let ended = match self.look(next_look) {
                Found::Fine => None,
                Found::Stuck { turn, id, kind, spent } => self.leave(turn, id, kind, spent).await,
                Found::Silent { turn, id, kind } => self.rouse(turn, id, kind).await,
                Found::Overdue => Some(Ended::Left),
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    fn cancel(&self, id: Option<Uuid>) {
        if let Phase::Attempt(attempt) = &self.watch.lock().phase
            && id == Some(attempt.id)
        {
            ask(&attempt.interrupt, Interrupt::Cancelled);
        }
    }

    /// Sees to what runs, and to when to look again.
    pub(super) fn look(&self, planned: Option<Instant>) -> Found {
        let now = Instant::now();
        // Later than a busy machine explains: the process was frozen, and with it all that it waits for.
        let frozen = planned
            .map(|planned| now.saturating_duration_since(planned))
            .filter(|late| *late > SLACK)
            .unwrap_or_default();
        let mut guarded = self.watch.lock();
        let state = &mut *guarded;
        let turn = state.turn();
        if let Some(stopped) = &mut state.stopped_at {
            *stopped = (*stopped + frozen).min(now);
        }
        let overdue = state.stopped_at.map(|stopped| stopped + self.grace + 2 * SLACK);
        let (found, next) = match &mut state.phase {
            Phase::Attempt(attempt) => {
                if attempt.is_to_tick(now) {
                    self.ledger.spent(attempt.id, attempt.used(now));
                }
                match attempt.look(now, state.stopped_at.is_some(), self.grace, frozen) {
                    Look::Fine(next) => (Found::Fine, Some(next)),
                    Look::Stuck => {
                        let (id, kind, spent) = (attempt.id, attempt.kind.clone(), attempt.used(now));
                        // Unless it turns out to be stuck, once more.
                        (Found::Stuck { turn, id, kind, spent }, Some(now + SLACK))
                    }
                }
            }
            _ if overdue.is_some_and(|overdue| now >= overdue) => (Found::Overdue, None),
            Phase::Step { id, kind, by } if now >= *by => {
                let (id, kind) = (*id, kind.clone());
                (Found::Silent { turn, id, kind }, Some(now + SLACK))
            }
            Phase::Step { by, .. } => (Found::Fine, Some(overdue.map_or(*by, |overdue| overdue.min(*by)))),
            Phase::Idle => (Found::Fine, overdue),
        };
        state.next_look = next;
        found
    }

    /// Leaves an attempt as it is, if it is still the one that runs once the others on its runtime had their turn. Found to
    /// be out of time, it is not run again at the next start; where the agent stops anyway it goes on there.
    pub(super) async fn leave(&self, turn: u64, id: Uuid, kind: String, spent: Duration) -> Option<Ended> {
        // Whether it answers or not: a handler that does not end on a thread apart is stuck as well.
        self.answers().await;
        if self.watch.turn() != turn {
            return None;
        }
        // A disk that hangs must not keep the process.
        match tokio::time::timeout(SLACK, self.ledger.park(id, spent)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%id, %error, "that the action does not yield is not recorded"),
            Err(_) => tracing::warn!(%id, "that the action does not yield is not recorded in time"),
        }
        // Where it has ended after all, the runner goes on with others.
        if self.watch.turn() != turn {
            return None;
        }
        tracing::error!(%id, kind, "the action does not yield: it ends with the process");
        Some(if self.stop.is_cancelled() {
            Ended::Left
        } else {
            Ended::Stuck { id, kind }
        })
    }

    /// Finds out whether a runner of which nothing is heard is blocked, or waits for the disk or the store.
    pub(super) async fn rouse(&self, turn: u64, id: Uuid, kind: String) -> Option<Ended> {
        if self.answers().await {
            self.watch.waits(turn);
            return None;
        }
        (self.watch.turn() == turn).then(|| {
            tracing::error!(%id, kind, "something that an action has left behind blocks the runner");
            if self.stop.is_cancelled() {
                Ended::Left
            } else {
                Ended::Blocked { id, kind }
            }
        })
    }

    /// Whether the handlers' runtime does anything at all.
    async fn answers(&self) -> bool {
        loop {
            let asked = Instant::now();
            if tokio::time::timeout(SLACK, self.handlers.spawn(async {})).await.is_ok() {
                return true;
            }
            // Otherwise the process was frozen, and nobody could answer.
            if asked.elapsed() < 2 * SLACK {
                return false;
            }
        }
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

//! Looks after the attempt that runs, from a thread that no handler can block.
//!
//! A handler is polled by the runner itself, so that nothing has to change threads for it; one that never yields holds the
//! runner, too. From here its running time is written down meanwhile, and the process is ended when there is no other
//! way to end the attempt. The timer exists while actions run, and for one turn after: an idle agent has none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Ended, verdict};
use crate::ledger::Ledger;
use crate::spec::Record;

/// How long past its grace a handler may still need to be dropped, before it is taken for one that never yields.
const SLACK: Duration = Duration::from_secs(1);

/// What is looked after.
pub(super) struct Guard {
    pub(super) ledger: Ledger,
    pub(super) stop: CancellationToken,
    /// How long a handler may take to end once it is asked to.
    pub(super) grace: Duration,
    pub(super) watch: Arc<Watch>,
}

/// Where the runner says what it runs.
#[derive(Default)]
pub(super) struct Watch {
    state: Mutex<State>,
    sooner: Notify,
}

#[derive(Default)]
struct State {
    attempt: Option<Watched>,
    /// When the guard looks next, if it does.
    next_look: Option<Instant>,
}

#[derive(Clone)]
struct Watched {
    id: Uuid,
    kind: String,
    deadline: Duration,
    /// Running time of earlier attempts.
    spent: Duration,
    began: Instant,
    /// When its running time is written down next.
    due: Instant,
}

/// Held while an attempt runs.
pub(super) struct Watching<'a>(&'a Watch);

impl Watch {
    /// Has an attempt looked after until what is returned is dropped.
    pub(super) fn attempt(&self, record: &Record, spent: Duration, began: Instant) -> Watching<'_> {
        let deadline = verdict::deadline(record);
        let due = began + tick(deadline).min(deadline.saturating_sub(spent));
        let mut state = self.lock();
        state.attempt = Some(Watched {
            id: record.id,
            kind: record.kind.to_string(),
            deadline,
            spent,
            began,
            due,
        });
        // Mostly an earlier attempt has seen to it that somebody looks by then.
        if state.next_look.is_none_or(|next| due < next) {
            state.next_look = Some(due);
            self.sooner.notify_one();
        }
        Watching(self)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.0.lock().attempt = None;
    }
}

impl Guard {
    /// Looks after attempts; returns when one has to be ended with the process.
    pub(super) async fn keep(self) -> Ended {
        let mut stopped_at = None;
        loop {
            let next_look = self.watch.lock().next_look;
            tokio::select! {
                () = self.watch.sooner.notified() => continue,
                () = self.stop.cancelled(), if stopped_at.is_none() => stopped_at = Some(Instant::now()),
                () = until(next_look) => {}
            }
            if let Some(stuck) = self.look(stopped_at) {
                return self.leave(stuck, stopped_at.is_some()).await;
            }
        }
    }

    /// Writes running time down where that is due, and says when to look again; returns an attempt that does not end.
    fn look(&self, stopped_at: Option<Instant>) -> Option<Watched> {
        let now = Instant::now();
        let mut state = self.watch.lock();
        let Some(attempt) = &mut state.attempt else {
            state.next_look = None;
            return None;
        };
        let asked = attempt.began + attempt.deadline.saturating_sub(attempt.spent);
        let asked = stopped_at.map_or(asked, |stopped_at| asked.min(stopped_at));
        let overdue = asked + self.grace + SLACK;
        if now >= overdue {
            return Some(attempt.clone());
        }
        if now >= attempt.due {
            attempt.due = now + tick(attempt.deadline);
            self.ledger.spent(attempt.id, attempt.spent + (now - attempt.began));
        }
        state.next_look = Some(attempt.due.min(overdue));
        None
    }

    /// Leaves an attempt as it is. Found to be out of time, it is not run again at the next start; where the agent stops
    /// anyway it goes on there.
    async fn leave(&self, stuck: Watched, stopping: bool) -> Ended {
        let Watched {
            id,
            kind,
            deadline,
            spent,
            began,
            due: _,
        } = stuck;
        let spent = spent + began.elapsed();
        let spent = if stopping { spent } else { spent.max(deadline) };
        if let Err(error) = self.ledger.park(id, spent).await {
            tracing::warn!(%id, %error, "that the action does not yield is not recorded");
        }
        if stopping {
            Ended::Stopped
        } else {
            Ended::Stuck { id, kind }
        }
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// How often running time is written down: what a crash may lose of it is a fiftieth of the deadline.
fn tick(deadline: Duration) -> Duration {
    (deadline / 50).clamp(Duration::from_secs(1), Duration::from_secs(30))
}

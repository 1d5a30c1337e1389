//! Looks after the runner and its handlers, from a thread that none of them can block.
//!
//! Handlers and the runner share a runtime, so that an action changes threads no more than it must. Whatever may have to
//! happen to a handler while it holds that runtime happens here: it is asked to end (cancelled, out of time, or the agent
//! stops), dropped at its next await after the grace, and where it never yields, the process has to end. Running time is
//! written down from here, too. The timer exists while actions run, and for one turn after: an idle agent has none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Ended;
use crate::action::Interrupt;
use crate::ledger::Ledger;
use crate::spec::Record;

/// How long past its grace a handler may still need to be dropped, before it is taken for one that never yields.
const SLACK: Duration = Duration::from_secs(1);

/// How long the runner itself may take between two attempts, besides what it waits for on purpose.
const STEP: Duration = Duration::from_secs(60);

/// The guard of one runner.
pub(super) struct Guard {
    pub(super) ledger: Ledger,
    pub(super) stop: CancellationToken,
    /// How long a handler may take to end once it is asked to.
    pub(super) grace: Duration,
    pub(super) watch: Arc<Watch>,
}

/// Where the runner says what it does.
#[derive(Default)]
pub(crate) struct Watch {
    state: Mutex<State>,
    sooner: Notify,
}

#[derive(Default)]
struct State {
    phase: Phase,
    /// When the guard looks next, if it does.
    next_look: Option<Instant>,
    stopped_at: Option<Instant>,
}

#[derive(Default)]
enum Phase {
    /// The runner waits for work.
    #[default]
    Idle,
    Attempt(Watched),
    /// The runner has an action and no attempt under way; it is heard of again by then.
    Step {
        id: Uuid,
        kind: String,
        by: Instant,
    },
}

struct Watched {
    id: Uuid,
    kind: String,
    deadline: Duration,
    /// Running time of earlier attempts.
    spent: Duration,
    began: Instant,
    interrupt: watch::Sender<Option<Interrupt>>,
    handler: AbortHandle,
    /// When its running time is written down next.
    tick_at: Instant,
    stop_seen: bool,
    /// Beyond this the handler is not waited for: a deadline's or a stop's grace.
    drop_at: Option<Instant>,
    dropped_at: Option<Instant>,
}

/// What a look at an attempt has found.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// Look again by then.
    Fine(Instant),
    /// It does not even end when it is dropped.
    Stuck,
}

impl Watch {
    /// The runner waits for work.
    pub(super) fn idle(&self) {
        self.lock().phase = Phase::Idle;
    }

    /// The runner works at an action itself, and may wait for so long on purpose.
    pub(super) fn step(&self, record: &Record, waiting: Duration) {
        let by = Instant::now() + waiting + STEP;
        let (id, kind) = (record.id, record.kind.to_string());
        self.enter(Phase::Step { id, kind, by }, by);
    }

    /// A handler runs.
    pub(super) fn attempt(
        &self,
        record: &Record,
        spent: Duration,
        began: Instant,
        interrupt: watch::Sender<Option<Interrupt>>,
        handler: AbortHandle,
    ) {
        let deadline = super::verdict::deadline(record);
        let tick_at = began + tick(deadline);
        let ends_at = began + deadline.saturating_sub(spent);
        let watched = Watched {
            id: record.id,
            kind: record.kind.to_string(),
            deadline,
            spent,
            began,
            interrupt,
            handler,
            tick_at,
            stop_seen: false,
            drop_at: None,
            dropped_at: None,
        };
        self.enter(Phase::Attempt(watched), tick_at.min(ends_at));
    }

    /// Mostly somebody looks by `due` anyway, since an earlier action has seen to it.
    fn enter(&self, phase: Phase, due: Instant) {
        let mut state = self.lock();
        state.phase = phase;
        if state.stopped_at.is_some() || state.next_look.is_none_or(|next| due < next) {
            state.next_look = Some(due);
            self.sooner.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
            if let Some(ended) = self.look(next_look).await {
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
    async fn look(&self, planned: Option<Instant>) -> Option<Ended> {
        let now = Instant::now();
        let (id, spent) = {
            let mut guarded = self.watch.lock();
            let state = &mut *guarded;
            let stop_ends = state.stopped_at.map(|stopped| stopped + self.grace + SLACK);
            match &mut state.phase {
                Phase::Attempt(attempt) => {
                    // The process was frozen, and so was the handler: it gets its time again.
                    let frozen = planned.is_some_and(|planned| now > planned + SLACK);
                    if now >= attempt.tick_at {
                        attempt.tick_at = now + tick(attempt.deadline);
                        self.ledger.spent(attempt.id, attempt.spent + (now - attempt.began));
                    }
                    match attempt.look(now, state.stopped_at.is_some(), self.grace, frozen) {
                        Look::Fine(next) => {
                            state.next_look = Some(next);
                            return None;
                        }
                        Look::Stuck => (attempt.id, attempt.spent + (now - attempt.began)),
                    }
                }
                Phase::Step { id, kind, by } => {
                    let by = stop_ends.map_or(*by, |end| end.min(*by));
                    if now < by {
                        state.next_look = Some(by);
                        return None;
                    }
                    // What an earlier handler has left behind blocks the runner.
                    let (id, kind) = (*id, kind.clone());
                    return Some(self.ended(id, kind));
                }
                Phase::Idle => {
                    state.next_look = stop_ends;
                    // Asked to stop, it would have, were it not blocked.
                    return stop_ends.is_some_and(|end| now >= end).then_some(Ended::Stopped);
                }
            }
        };
        self.leave(id, spent).await
    }

    /// Leaves an attempt as it is, if it is the one that runs. Found to be out of time, it is not run again at the next
    /// start; where the agent stops anyway it goes on there.
    async fn leave(&self, stuck: Uuid, spent: Duration) -> Option<Ended> {
        let (kind, deadline) = match &self.watch.lock().phase {
            Phase::Attempt(attempt) if attempt.id == stuck => (attempt.kind.clone(), attempt.deadline),
            // It has ended after all.
            _ => return None,
        };
        let spent = if self.stop.is_cancelled() {
            spent
        } else {
            spent.max(deadline)
        };
        if let Err(error) = self.ledger.park(stuck, spent).await {
            tracing::warn!(id = %stuck, %error, "that the action does not yield is not recorded");
        }
        Some(self.ended(stuck, kind))
    }

    fn ended(&self, id: Uuid, kind: String) -> Ended {
        if self.stop.is_cancelled() {
            Ended::Stopped
        } else {
            Ended::Stuck { id, kind }
        }
    }
}

impl Watched {
    /// Asks, drops, gives up: whatever it is time for. After a freeze nothing is given up before the handler had its turn.
    fn look(&mut self, now: Instant, stopping: bool, grace: Duration, frozen: bool) -> Look {
        let ends_at = self.began + self.deadline.saturating_sub(self.spent);
        if stopping && !self.stop_seen {
            self.stop_seen = true;
            ask(&self.interrupt, Interrupt::Stopping);
            self.drop_at = Some(self.drop_at.map_or(now + grace, |known| known.min(now + grace)));
        }
        if self.drop_at.is_none() && now >= ends_at {
            ask(&self.interrupt, Interrupt::Deadline);
            self.drop_at = Some(now + grace);
        }
        if let Some(dropped_at) = self.dropped_at {
            if now >= dropped_at + SLACK && !frozen {
                return Look::Stuck;
            }
            if frozen {
                self.dropped_at = Some(now);
            }
        } else if let Some(drop_at) = self.drop_at
            && now >= drop_at
        {
            self.handler.abort();
            self.dropped_at = Some(now);
        }
        let next = match (self.dropped_at, self.drop_at) {
            (Some(dropped_at), _) => dropped_at + SLACK,
            (None, Some(drop_at)) => drop_at,
            (None, None) => ends_at,
        };
        Look::Fine(next.min(self.tick_at))
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// The first reason stays: it is the one the record will tell.
pub(super) fn ask(interrupt: &watch::Sender<Option<Interrupt>>, reason: Interrupt) {
    interrupt.send_if_modified(|current| current.is_none() && current.replace(reason).is_none());
}

/// How often running time is written down: what a crash may lose of it is a fiftieth of the deadline.
fn tick(deadline: Duration) -> Duration {
    (deadline / 50).clamp(Duration::from_secs(1), Duration::from_secs(30))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(10);
    const MINUTE: Duration = Duration::from_secs(60);

    fn watched(began: Instant) -> (Watched, watch::Receiver<Option<Interrupt>>, tokio::task::JoinHandle<()>) {
        let (interrupt, asked) = watch::channel(None);
        let handler = tokio::spawn(std::future::pending());
        let watched = Watched {
            id: Uuid::nil(),
            kind: String::new(),
            deadline: MINUTE,
            spent: Duration::ZERO,
            began,
            interrupt,
            handler: handler.abort_handle(),
            tick_at: began + 10 * MINUTE,
            stop_seen: false,
            drop_at: None,
            dropped_at: None,
        };
        (watched, asked, handler)
    }

    #[tokio::test]
    async fn a_handler_is_asked_then_dropped_then_given_up() {
        let began = Instant::now();
        let (mut attempt, asked, handler) = watched(began);
        let mut look = |at: Duration| attempt.look(began + at, false, GRACE, false);
        assert_eq!(look(Duration::ZERO), Look::Fine(began + MINUTE));
        assert_eq!(*asked.borrow(), None);
        // Blocked across its deadline, it is seen late, and has its whole grace from then on.
        let late = MINUTE + Duration::from_secs(3);
        assert_eq!(look(late), Look::Fine(began + late + GRACE));
        assert_eq!(*asked.borrow(), Some(Interrupt::Deadline));
        assert_eq!(look(late + GRACE), Look::Fine(began + late + GRACE + SLACK));
        assert!(handler.await.unwrap_err().is_cancelled());
        assert_eq!(look(late + GRACE + SLACK), Look::Stuck);
    }

    #[tokio::test]
    async fn a_stop_gives_the_grace_and_a_freeze_gives_it_again() {
        let began = Instant::now();
        let (mut attempt, asked, _handler) = watched(began);
        assert_eq!(attempt.look(began, true, GRACE, false), Look::Fine(began + GRACE));
        assert_eq!(*asked.borrow(), Some(Interrupt::Stopping));
        let dropped = began + GRACE;
        assert_eq!(attempt.look(dropped, true, GRACE, false), Look::Fine(dropped + SLACK));
        let thawed = began + 100 * MINUTE;
        attempt.tick_at = thawed + MINUTE;
        assert_eq!(attempt.look(thawed, true, GRACE, true), Look::Fine(thawed + SLACK));
        assert_eq!(attempt.look(thawed + SLACK, true, GRACE, false), Look::Stuck);
    }
}

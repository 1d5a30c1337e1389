//! What the runner is at, as its guard sees it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use uuid::Uuid;

use super::verdict;
use crate::action::Interrupt;
use crate::spec::Record;

/// How long past what was planned somebody may be, before that means something.
pub(super) const SLACK: Duration = Duration::from_secs(1);

/// How long the runner itself may take between two attempts, besides what it waits for on purpose, before it is looked
/// whether it is blocked.
const STEP: Duration = Duration::from_secs(60);

/// Where the runner says what it does.
pub(crate) struct Watch {
    state: Mutex<State>,
    pub(super) sooner: Notify,
    step: Duration,
}

/// What is watched. Each change of the phase is a turn, so that who looked can tell whether anything has moved since.
#[derive(Default)]
pub(super) struct State {
    pub(super) phase: Phase,
    turn: u64,
    /// When the guard looks next, if it does.
    pub(super) next_look: Option<Instant>,
    pub(super) stopped_at: Option<Instant>,
}

#[derive(Default)]
pub(super) enum Phase {
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

/// An attempt under way.
pub(super) struct Watched {
    pub(super) id: Uuid,
    pub(super) kind: String,
    /// Of the whole action.
    pub(super) deadline: Duration,
    /// Running time of earlier attempts.
    pub(super) spent: Duration,
    pub(super) began: Instant,
    /// When its time is over.
    pub(super) ends_at: Instant,
    pub(super) interrupt: watch::Sender<Option<Interrupt>>,
    pub(super) handler: AbortHandle,
    /// When its running time is written down next.
    pub(super) tick_at: Instant,
    stop_seen: bool,
    /// Beyond this the handler is not waited for: a deadline's or a stop's grace.
    drop_at: Option<Instant>,
    dropped_at: Option<Instant>,
}

/// What a look at an attempt has found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Look again by then.
    Fine(Instant),
    /// It does not even end when it is dropped.
    Stuck,
}

impl Default for Watch {
    fn default() -> Self {
        Self::with_step(STEP)
    }
}

impl Watch {
    /// Expects to hear of the runner, between attempts, within `step`.
    pub(super) fn with_step(step: Duration) -> Self {
        Self {
            state: Mutex::default(),
            sooner: Notify::new(),
            step,
        }
    }

    /// The runner waits for work.
    pub(super) fn idle(&self) {
        self.lock().change(Phase::Idle);
    }

    /// The runner is done with this action and waits for the next, unless that has been handed to it already.
    pub(super) fn done(&self, with: Uuid) {
        let mut state = self.lock();
        let id = match &state.phase {
            Phase::Idle => return,
            Phase::Attempt(attempt) => attempt.id,
            Phase::Step { id, .. } => *id,
        };
        if id == with {
            state.change(Phase::Idle);
        }
    }

    /// The runner works at an action itself, or is about to, and may wait for so long on purpose.
    pub(super) fn step(&self, record: &Record, waiting: Duration) {
        let by = Instant::now() + waiting + self.step;
        let (id, kind) = (record.id, record.kind.to_string());
        self.enter(Phase::Step { id, kind, by }, by);
    }

    /// A handler runs.
    pub(super) fn attempt(&self, attempt: Watched) {
        let due = attempt.tick_at.min(attempt.ends_at);
        self.enter(Phase::Attempt(attempt), due);
    }

    /// The runner waits for something, and is not blocked: it is heard of again by a later time. Nothing, where anything has
    /// moved since `turn`.
    pub(super) fn waits(&self, turn: u64) {
        let mut state = self.lock();
        if let State {
            phase: Phase::Step { by, .. },
            turn: now,
            ..
        } = &mut *state
            && *now == turn
        {
            *by = Instant::now() + self.step;
        }
    }

    /// Which turn the runner is at.
    pub(super) fn turn(&self) -> u64 {
        self.lock().turn
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Mostly somebody looks by `due` anyway, since an earlier action has seen to it.
    fn enter(&self, phase: Phase, due: Instant) {
        let mut state = self.lock();
        state.change(phase);
        if state.stopped_at.is_some() || state.next_look.is_none_or(|next| due < next) {
            state.next_look = Some(due);
            self.sooner.notify_one();
        }
    }
}

impl State {
    fn change(&mut self, phase: Phase) {
        self.phase = phase;
        self.turn += 1;
    }

    pub(super) const fn turn(&self) -> u64 {
        self.turn
    }
}

impl Watched {
    pub(super) fn new(
        record: &Record,
        spent: Duration,
        began: Instant,
        interrupt: watch::Sender<Option<Interrupt>>,
        handler: AbortHandle,
    ) -> Self {
        let deadline = verdict::deadline(record);
        Self {
            id: record.id,
            kind: record.kind.to_string(),
            deadline,
            spent,
            began,
            ends_at: began + deadline.saturating_sub(spent),
            interrupt,
            handler,
            tick_at: began + tick(deadline),
            stop_seen: false,
            drop_at: None,
            dropped_at: None,
        }
    }

    /// Running time up to now.
    pub(super) fn used(&self, now: Instant) -> Duration {
        self.spent + (now - self.began)
    }

    /// Whether running time has to be written down again.
    pub(super) fn is_to_tick(&mut self, now: Instant) -> bool {
        let due = now >= self.tick_at;
        if due {
            self.tick_at = now + tick(self.deadline);
        }
        due
    }

    /// Asks, drops, gives up: whatever it is time for. `frozen` is for how long the process, and so the handler, could do
    /// nothing: its grace is longer by as much.
    pub(super) fn look(&mut self, now: Instant, stopping: bool, grace: Duration, frozen: Duration) -> Look {
        if let Some(drop_at) = &mut self.drop_at {
            *drop_at += frozen;
        }
        if stopping && !self.stop_seen {
            self.stop_seen = true;
            ask(&self.interrupt, Interrupt::Stopping);
            self.drop_at = Some(self.drop_at.map_or(now + grace, |known| known.min(now + grace)));
        }
        if self.drop_at.is_none() && now >= self.ends_at {
            tracing::warn!(id = %self.id, kind = self.kind, "the action's time is over: it is asked to end");
            ask(&self.interrupt, Interrupt::Deadline);
            self.drop_at = Some(now + grace);
        }
        match (self.dropped_at, self.drop_at) {
            (Some(dropped_at), _) if now >= dropped_at + SLACK => return Look::Stuck,
            (None, Some(drop_at)) if now >= drop_at => {
                tracing::warn!(id = %self.id, kind = self.kind, "the action was asked to end and goes on: it is dropped");
                self.handler.abort();
                self.dropped_at = Some(now);
            }
            _ => {}
        }
        let next = match (self.dropped_at, self.drop_at) {
            (Some(dropped_at), _) => dropped_at + SLACK,
            (None, Some(drop_at)) => drop_at,
            (None, None) => self.ends_at,
        };
        Look::Fine(next.min(self.tick_at))
    }
}

/// The first reason stays: it is the one the record will tell.
pub(super) fn ask(interrupt: &watch::Sender<Option<Interrupt>>, reason: Interrupt) {
    interrupt.send_if_modified(|current| current.is_none() && current.replace(reason).is_none());
}

/// How often running time is written down: what a crash may lose of it is a fiftieth of the deadline, or a second.
fn tick(deadline: Duration) -> Duration {
    (deadline / 50).clamp(Duration::from_secs(1), Duration::from_secs(30))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(10);
    const MINUTE: Duration = Duration::from_secs(60);
    const NONE: Duration = Duration::ZERO;

    fn watched(began: Instant) -> (Watched, watch::Receiver<Option<Interrupt>>, tokio::task::JoinHandle<()>) {
        let (interrupt, asked) = watch::channel(None);
        let handler = tokio::spawn(std::future::pending());
        let watched = Watched {
            id: Uuid::nil(),
            kind: String::new(),
            deadline: MINUTE,
            spent: Duration::ZERO,
            began,
            ends_at: began + MINUTE,
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
        let mut look = |at: Duration| attempt.look(began + at, false, GRACE, NONE);
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
    async fn a_stop_gives_the_grace_and_a_freeze_what_it_took_of_it() {
        let began = Instant::now();
        let (mut attempt, asked, _handler) = watched(began);
        assert_eq!(attempt.look(began, true, GRACE, NONE), Look::Fine(began + GRACE));
        assert_eq!(*asked.borrow(), Some(Interrupt::Stopping));
        let frozen = 5 * MINUTE;
        let thawed = began + Duration::from_secs(1) + frozen;
        let end = began + GRACE + frozen;
        assert_eq!(attempt.look(thawed, true, GRACE, frozen), Look::Fine(end));
        assert_eq!(attempt.look(end, true, GRACE, NONE), Look::Fine(end + SLACK));
        assert_eq!(attempt.look(end + SLACK, true, GRACE, NONE), Look::Stuck);
    }
}

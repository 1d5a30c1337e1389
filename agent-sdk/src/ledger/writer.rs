//! The one thread that writes.
//!
//! It takes what waits in the channel, applies it in one transaction, and answers once that is on disk. While a sync is
//! under way the next commands gather, so many clients share one sync and a single one never waits for others. It also
//! knows whether the runner waits for work: then the next action is started within the same transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use rusqlite::hooks::Wal;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::apply::{self, Effect, Tally};
use super::command::{Command, Taker, Task};
use super::fault::Fault;
use super::health::{Health, Status};
use super::reserve::Reserve;
use super::watchers::Watchers;
use super::{WriteError, retention, row};
use crate::spec::Record;

/// Commands in one transaction: enough for every HTTP client of a busy moment, and little enough that the first of them
/// does not wait for long.
const BATCH: usize = 256;

/// Pages of the write-ahead log after which it is carried over into the database: SQLite's own measure, 4 MiB.
const LONG_LOG: i32 = 1000;

/// How long to look for the next command before sleeping, when the runner was just given an action: one that does little is
/// over by then, and waking a thread takes as long as it does.
const LINGER: Duration = Duration::from_micros(50);

/// How long to wait before looking again whether a full disk has space: only while an action waits for it.
const SPACE_POLL: Duration = Duration::from_millis(250);

/// Called before each transaction.
pub(crate) type BeforeWrite = Box<dyn FnMut(&Connection) + Send>;

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) tally: Tally,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) health: Arc<Health>,
    pub(super) watchers: Arc<Watchers>,
    pub(super) cancelled: watch::Sender<Option<Uuid>>,
    pub(super) reserve: Reserve,
    pub(super) keep: usize,
    /// The action that recovery found running, until the runner asks for work.
    pub(super) resumed: Option<Task>,
    /// The runner, while it waits for work.
    pub(super) runner: Option<Taker>,
    pub(super) before_write: Option<BeforeWrite>,
    /// When the runner was given an action, until that is looked at.
    pub(super) begun: Option<Instant>,
    /// Pages of the write-ahead log after the last commit.
    pub(super) log_length: Arc<AtomicI32>,
}

/// What a transaction has brought about.
struct Outcome {
    /// Whether anything was written at all.
    wrote: bool,
    tally: Tally,
    effects: Vec<Effect>,
    task: Option<Task>,
    changed: Vec<Uuid>,
}

impl Writer {
    /// Writes until every handle is gone or nothing may be written any more.
    pub(super) fn run(mut self) {
        self.watch_log();
        let mut cleaning = true;
        // Once nothing may be written any more, whoever waits, or still asks, is told by the closed channel.
        while !self.failed() {
            // While there is something to clean, cleaning goes on between commands; otherwise the thread sleeps.
            let first = match self.commands.try_recv() {
                Ok(command) => Some(command),
                Err(mpsc::error::TryRecvError::Disconnected) => None,
                Err(mpsc::error::TryRecvError::Empty) if cleaning => {
                    cleaning = self.clean();
                    continue;
                }
                Err(mpsc::error::TryRecvError::Empty) if self.starved() => {
                    std::thread::sleep(SPACE_POLL);
                    self.write(Vec::new());
                    continue;
                }
                Err(mpsc::error::TryRecvError::Empty) => self.linger().or_else(|| self.commands.blocking_recv()),
            };
            let Some(first) = first else { return };
            let mut batch = vec![first];
            while batch.len() < BATCH {
                match self.commands.try_recv() {
                    Ok(command) => batch.push(command),
                    Err(_) => break,
                }
            }
            self.write(batch);
            cleaning = self.tally.kept > retention::most(self.keep);
            self.health.set_counts(self.tally.waiting, self.tally.kept);
        }
    }

    /// The next command, if it comes at once after an action was begun. Whoever else has work goes first.
    fn linger(&mut self) -> Option<Command> {
        let begun = self.begun.take()?;
        while begun.elapsed() < LINGER {
            if let Ok(command) = self.commands.try_recv() {
                return Some(command);
            }
            std::thread::yield_now();
        }
        None
    }

    fn failed(&self) -> bool {
        matches!(self.health.status(), Status::Failed(_))
    }

    /// The runner waits for an action that a full disk has kept from being started.
    fn starved(&self) -> bool {
        self.runner.is_some() && self.tally.waiting > 0 && self.health.status() == Status::NoSpace
    }

    fn write(&mut self, batch: Vec<Command>) {
        // A sync that failed is never tried again, by no path that leads here.
        if let Status::Failed(reason) = self.health.status() {
            return refuse_all(batch, &reason);
        }
        match self.transact(&batch) {
            Ok(outcome) => {
                self.tell(batch, outcome);
                self.empty_log();
            }
            Err(Fault::Lost(reason)) => self.fail(batch, &reason),
            // One of them is at fault, or needs more space than there is: the others must not suffer for it.
            Err(Fault::Full | Fault::Refused(_)) if batch.len() > 1 => {
                for command in batch {
                    self.write(vec![command]);
                }
            }
            Err(fault) => {
                for command in batch {
                    self.write_alone(command, &fault);
                }
            }
        }
    }

    /// A single command that has failed once already.
    fn write_alone(&mut self, command: Command, fault: &Fault) {
        let error = match fault {
            Fault::Full => {
                self.health.set(Status::NoSpace);
                // How the running action ended must be recorded also when the disk is full.
                if is_an_end(&command) && self.reserve.release() {
                    tracing::warn!("the disk is full: the space kept back is used to record a running action's end");
                    return self.write(vec![command]);
                }
                if let Command::Take(taker) = command {
                    self.runner = Some(taker);
                    return;
                }
                WriteError::NoSpace
            }
            Fault::Refused(reason) | Fault::Lost(reason) => WriteError::Refused(reason.as_str().into()),
        };
        tracing::warn!(%error, "nothing was recorded");
        refuse(command, &error);
    }

    /// Applies a batch in one transaction, synced to the disk.
    fn transact(&mut self, batch: &[Command]) -> Result<Outcome, Fault> {
        if let Some(before_write) = &mut self.before_write {
            before_write(&self.connection);
        }
        let mut tally = self.tally;
        let mut changed = Vec::with_capacity(batch.len() + 1);
        let runner_waits = self.runner.as_ref().is_some_and(|runner| !runner.has_gone());
        let written = self.connection.total_changes();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if tally.taken.is_some()
            && self.resumed.is_none()
            && batch.iter().any(|command| matches!(command, Command::Take(_)))
        {
            // A runner that asks for work holds none: what it was given to look at waits still.
            tally.taken = apply::running(&transaction)?;
        }
        let mut effects = Vec::with_capacity(batch.len());
        let mut wanted = runner_waits;
        for command in batch {
            effects.push(apply::apply(&transaction, &mut tally, command)?);
            changed.extend(subject(command));
            wanted |= matches!(command, Command::Take(_) | Command::End { next: Some(_), .. });
        }
        let task = match effects.last() {
            _ if !wanted || tally.taken.is_some() => None,
            // What was accepted just now, and is alone, need not be read back.
            Some(Effect::Accepted(Ok(record))) if tally.waiting == 1 => Some(apply::take_accepted(
                &transaction,
                &mut tally,
                record.clone(),
                &mut changed,
            )?),
            _ => apply::take(&transaction, &mut tally, &mut changed)?,
        };
        // Actions that end pay for the cleaning of those that they push out, many at once.
        if tally.kept > retention::most(self.keep) {
            retention::clean_up(&transaction, &mut tally, self.keep)?;
        }
        transaction.commit()?;
        Ok(Outcome {
            wrote: self.connection.total_changes() != written,
            tally,
            effects,
            task,
            changed,
        })
    }

    /// Answers everybody whose command is on disk.
    fn tell(&mut self, batch: Vec<Command>, outcome: Outcome) {
        let Outcome {
            wrote,
            tally,
            effects,
            task,
            changed,
        } = outcome;
        self.tally = tally;
        if wrote && self.health.status() == Status::NoSpace && self.reserve.refill() {
            self.health.set(Status::Recording);
        }
        for (command, effect) in batch.into_iter().zip(effects) {
            if let Some(runner) = answer(command, effect, &self.cancelled) {
                self.runner = Some(runner);
            }
        }
        let task = self.resumed.take_if(|_| self.runner.is_some()).or(task);
        match (task, self.runner.take()) {
            (Some(task), Some(runner)) => {
                self.begun = Some(Instant::now());
                if let Some(task) = runner.give(task) {
                    // The runner has gone in good order: the action goes on at the next start.
                    let (reply, _) = oneshot::channel();
                    self.write(vec![Command::Park {
                        id: task.record.id,
                        spent: task.spent,
                        reply,
                    }]);
                }
            }
            (Some(task), None) => self.resumed = Some(task),
            (None, runner) => self.runner = runner,
        }
        self.watchers
            .changed(&changed, |id| row::find(&self.connection, id).ok().flatten());
    }

    fn fail(&mut self, batch: Vec<Command>, reason: &str) {
        tracing::error!(reason, "the ledger takes no more work");
        let reason: Arc<str> = Arc::from(reason);
        self.health.set(Status::Failed(reason.clone()));
        refuse_all(batch, &reason);
    }

    /// Has every commit say how long the write-ahead log is, in place of SQLite's own checkpoints: those would not tell of
    /// a sync that failed.
    fn watch_log(&mut self) {
        let length = self.log_length.clone();
        let watching = self.connection.wal_hook(Some(move |_: &mut Wal, pages| {
            length.store(pages, Ordering::Relaxed);
            Ok(())
        }));
        if let Err(error) = watching {
            tracing::warn!(%error, "the length of the write-ahead log cannot be watched: SQLite empties it by itself");
        }
    }

    /// Carries a long write-ahead log over into the database.
    fn empty_log(&mut self) {
        if self.log_length.swap(0, Ordering::Relaxed) < LONG_LOG {
            return;
        }
        let emptied = self
            .connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        match emptied.map_err(Fault::from) {
            Ok(()) => {}
            Err(Fault::Lost(reason)) => self.fail(Vec::new(), &reason),
            // It stays as long as it is, and is tried again after the next commit.
            Err(Fault::Full) => tracing::warn!("the write-ahead log cannot be emptied: the disk is full"),
            Err(Fault::Refused(reason)) => tracing::warn!(reason, "the write-ahead log cannot be emptied"),
        }
    }

    /// Removes a slice of what is beyond the retention. Returns whether there is more to do.
    fn clean(&mut self) -> bool {
        let mut tally = self.tally;
        let cleaned = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let more = retention::clean(&transaction, &mut tally, self.keep)?;
                transaction.commit()?;
                Ok(more)
            })
            .and_then(|more| Ok(more || retention::shrink(&self.connection)?));
        match cleaned.map_err(Fault::from) {
            Ok(more) => {
                self.tally = tally;
                self.health.set_counts(tally.waiting, tally.kept);
                more
            }
            Err(Fault::Lost(reason)) => {
                self.fail(Vec::new(), &reason);
                false
            }
            Err(Fault::Full | Fault::Refused(_)) => false,
        }
    }
}

/// The record that a command is about.
fn subject(command: &Command) -> Option<Uuid> {
    match command {
        Command::Accept { .. } | Command::Take(_) | Command::Spent { .. } => None,
        Command::Cancel { id, .. }
        | Command::Begin { id, .. }
        | Command::Checkpoint { id, .. }
        | Command::AttemptFailed { id, .. }
        | Command::NextAttempt { id, .. }
        | Command::End { id, .. }
        | Command::Park { id, .. } => Some(*id),
    }
}

/// Whether a command says how a running action ended, or stopped: what the reserve is kept for.
fn is_an_end(command: &Command) -> bool {
    matches!(command, Command::End { .. } | Command::Park { .. })
}

fn refuse_all(batch: Vec<Command>, reason: &Arc<str>) {
    for command in batch {
        refuse(command, &WriteError::Closed(reason.clone()));
    }
}

/// Answers one command and returns the runner's place in the line, when it asked for work. Who does not wait for the
/// answer any more has gone, which changes nothing about what is on disk.
fn answer(command: Command, effect: Effect, cancelled: &watch::Sender<Option<Uuid>>) -> Option<Taker> {
    match (command, effect) {
        (Command::Accept { reply, .. }, Effect::Accepted(result)) => drop(reply.send(result)),
        (Command::Cancel { id, reply }, Effect::Cancelled(result)) => {
            if matches!(&result, Ok(Record { state, .. }) if !state.is_final()) {
                cancelled.send_replace(Some(id));
            }
            drop(reply.send(result));
        }
        (Command::Begin { reply, .. }, Effect::Began(result)) => drop(reply.send(result)),
        (Command::NextAttempt { reply, .. }, Effect::Attempt(result)) => drop(reply.send(result)),
        (Command::Take(taker), _) => return Some(taker),
        (Command::End { reply, next, .. }, Effect::Written(result)) => {
            drop(reply.send(result));
            return next;
        }
        (
            Command::Checkpoint { reply, .. } | Command::AttemptFailed { reply, .. } | Command::Park { reply, .. },
            Effect::Written(result),
        ) => drop(reply.send(result)),
        // `apply` gives each command its own effect; `Spent` has none.
        (_, _) => {}
    }
    None
}

/// Tells one that nothing was recorded.
fn refuse(command: Command, error: &WriteError) {
    let error = error.clone();
    match command {
        Command::Accept { reply, .. } => drop(reply.send(Err(error.into()))),
        Command::Cancel { reply, .. } => drop(reply.send(Err(error.into()))),
        Command::Begin { reply, .. } => drop(reply.send(Err(error))),
        Command::NextAttempt { reply, .. } => drop(reply.send(Err(error))),
        Command::Checkpoint { reply, .. }
        | Command::AttemptFailed { reply, .. }
        | Command::End { reply, .. }
        | Command::Park { reply, .. } => drop(reply.send(Err(error))),
        Command::Take(_) | Command::Spent { .. } => {}
    }
}

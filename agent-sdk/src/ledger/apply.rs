//! One command as changes to rows, inside the writer's transaction.
//!
//! Nothing here answers anybody: what a command has brought about is returned as an [`Effect`], told once it is on disk.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::command::{Command, Ending, Task};
use super::row::{self, Damaged};
use super::schema::RUNS;
use super::steps::{Attempt, end, fail_damaged, finish, gone, place, progress, set_spent, start};
use super::transition::{Step, next};
use super::{AcceptError, CancelError, Unlawful, WriteError};
use crate::spec::{ErrorRecord, Record, State};

/// What the writer knows without asking the database. A copy is changed with the transaction and kept once that is on
/// disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    /// Records that are `NEW`.
    pub(super) waiting: usize,
    /// Records that have ended and are kept.
    pub(super) kept: usize,
    /// The number of the record that was accepted last.
    pub(super) last_seq: i64,
    /// The number that the next record to end gets.
    pub(super) next_finished: i64,
    /// The record that is `RUNNING`, or that the runner looks at the preconditions of.
    pub(super) taken: Option<Uuid>,
    /// Most records that may wait.
    pub(super) max_waiting: usize,
}

/// What a command has brought about.
pub(super) enum Effect {
    Accepted(Result<Record, AcceptError>),
    Cancelled(Result<Record, CancelError>),
    Began(Result<Task, WriteError>),
    Attempt(Result<Record, WriteError>),
    Written(Result<(), WriteError>),
    Nothing,
}

/// Applies one command.
///
/// **Errors**: only those of the database, which end the transaction; what a command may not do is an effect.
pub(super) fn apply(connection: &Connection, tally: &mut Tally, command: &Command) -> rusqlite::Result<Effect> {
    Ok(match command {
        Command::Accept { submission, reply: _ } => Effect::Accepted(accept(connection, tally, submission)?),
        Command::Cancel { id, reply: _ } => Effect::Cancelled(cancel(connection, tally, *id)?),
        Command::Take(_) => Effect::Nothing,
        Command::Begin { id, reply: _ } => Effect::Began(begin(connection, tally, *id)?),
        Command::Checkpoint {
            id,
            payload,
            spent,
            reply: _,
        } => Effect::Written(progress(
            connection,
            *id,
            Some(payload),
            None,
            Some(*spent),
            Attempt::Same,
        )?),
        Command::AttemptFailed {
            id,
            error,
            spent,
            reply: _,
        } => Effect::Written(progress(
            connection,
            *id,
            None,
            Some(error),
            Some(*spent),
            Attempt::Survived,
        )?),
        Command::NextAttempt { id, spent, reply: _ } => Effect::Attempt(next_attempt(connection, tally, *id, *spent)?),
        Command::End {
            id,
            ending,
            spent,
            reply: _,
            next: _,
        } => Effect::Written(end(connection, tally, *id, ending, *spent)?),
        Command::Spent { id, spent } => {
            set_spent(connection, *id, *spent, false)?;
            Effect::Nothing
        }
        Command::Park { id, spent, reply: _ } => {
            set_spent(connection, *id, *spent, true)?;
            Effect::Written(Ok(()))
        }
    })
}

/// The record that is `RUNNING`.
pub(super) fn running(connection: &Connection) -> rusqlite::Result<Option<Uuid>> {
    let running = connection
        .prepare_cached("SELECT id FROM invocation WHERE place = ?")?
        .query_row([RUNS], |row| row.get::<_, Vec<u8>>(0))
        .optional()?;
    Ok(running.and_then(|id| Uuid::from_slice(&id).ok()))
}

/// Gives the runner what comes next, started where no preconditions have to be looked at first. Records that are not
/// what was accepted fail on the way; their ids are added to `changed`.
pub(super) fn take(
    connection: &Connection,
    tally: &mut Tally,
    changed: &mut Vec<Uuid>,
) -> rusqlite::Result<Option<Task>> {
    loop {
        let head = connection
            .prepare_cached(&row::records("i.place >= ? ORDER BY i.place LIMIT 1"))?
            .query_row([RUNS], |row| {
                Ok((row.get::<_, i64>(0)?, row::record(row), row::summary_or_damaged(row).id))
            })
            .optional()?;
        let Some((seq, record, id)) = head else { return Ok(None) };
        match record {
            Err(Damaged) => {
                tracing::error!(%id, "a record is not what was accepted: it fails and is not run");
                fail_damaged(connection, tally, seq)?;
                changed.push(id);
            }
            Ok(record) => return hand_out(connection, tally, seq, record, changed).map(Some),
        }
    }
}

/// [`take`] for the record that was accepted last, in this transaction, when no other waits.
pub(super) fn take_accepted(
    connection: &Connection,
    tally: &mut Tally,
    record: Record,
    changed: &mut Vec<Uuid>,
) -> rusqlite::Result<Task> {
    let seq = tally.last_seq;
    hand_out(connection, tally, seq, record, changed)
}

fn hand_out(
    connection: &Connection,
    tally: &mut Tally,
    seq: i64,
    record: Record,
    changed: &mut Vec<Uuid>,
) -> rusqlite::Result<Task> {
    if record.preconditions.is_some() {
        tally.taken = Some(record.id);
        return Ok(Task {
            record,
            spent: Duration::ZERO,
            begun: false,
        });
    }
    changed.push(record.id);
    start(connection, tally, seq, record)
}

fn accept(
    connection: &Connection,
    tally: &mut Tally,
    submission: &super::Submission,
) -> rusqlite::Result<Result<Record, AcceptError>> {
    let id = submission.id;
    let used = |existing: Option<Record>| {
        Err(AcceptError::Used {
            id,
            existing: existing.map(Box::new),
        })
    };
    if row::was_purged(connection, id)? {
        return Ok(used(None));
    }
    if place(connection, id)?.is_some() {
        return Ok(used(row::find(connection, id)?));
    }
    if tally.waiting >= tally.max_waiting {
        return Ok(Err(AcceptError::QueueFull { waiting: tally.waiting }));
    }
    let record = row::insert(connection, submission, tally.last_seq + 1)?;
    tally.last_seq += 1;
    tally.waiting += 1;
    Ok(Ok(record))
}

fn cancel(connection: &Connection, tally: &mut Tally, id: Uuid) -> rusqlite::Result<Result<Record, CancelError>> {
    let Some(place) = place(connection, id)? else {
        return Ok(Err(CancelError::Unknown(id)));
    };
    match place.state {
        State::Done | State::Failed => return Ok(Err(CancelError::Finished)),
        State::New => {
            connection
                .prepare_cached("UPDATE invocation SET cancel_requested = 1 WHERE seq = ?")?
                .execute([place.seq])?;
            let ending = Ending::Failed(ErrorRecord::cancelled(None));
            if let Err(error) = finish(connection, tally, &place, &ending, None)? {
                return Ok(Err(error.into()));
            }
        }
        State::Running => {
            let asked = connection
                .prepare_cached("UPDATE invocation SET cancel_requested = 1 WHERE seq = ? AND cancel_requested = 0")?
                .execute([place.seq])?;
            if asked > 0
                && let Err(error) = progress(connection, id, None, None, None, Attempt::Same)?
            {
                return Ok(Err(error.into()));
            }
        }
    }
    Ok(row::find(connection, id)?.ok_or(CancelError::Unknown(id)))
}

fn begin(connection: &Connection, tally: &mut Tally, id: Uuid) -> rusqlite::Result<Result<Task, WriteError>> {
    let (seq, record) = match intact(connection, tally, id)? {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    if let Err(unlawful) = next(record.state, Step::Start) {
        tally.taken = None;
        return Ok(Err(unlawful.into()));
    }
    start(connection, tally, seq, record).map(Ok)
}

fn next_attempt(
    connection: &Connection,
    tally: &mut Tally,
    id: Uuid,
    spent: Duration,
) -> rusqlite::Result<Result<Record, WriteError>> {
    if let Err(error) = progress(connection, id, None, None, Some(spent), Attempt::Next)? {
        return Ok(Err(error));
    }
    Ok(intact(connection, tally, id)?.map(|(_, record)| record))
}

/// The record as it was accepted; one that is not fails.
fn intact(connection: &Connection, tally: &mut Tally, id: Uuid) -> rusqlite::Result<Result<(i64, Record), WriteError>> {
    let found = connection
        .prepare_cached(&row::records("i.id = ?"))?
        .query_row([id.as_bytes().as_slice()], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row::record(row),
                row::record_or_damaged(row).state,
            ))
        })
        .optional()?;
    match found {
        None => Ok(Err(gone(id))),
        Some((seq, Ok(record), _)) => Ok(Ok((seq, record))),
        Some((seq, Err(Damaged), state)) => {
            tracing::error!(%id, "a record is not what was accepted: it fails and is not run again");
            tally.taken = None;
            if !state.is_final() {
                fail_damaged(connection, tally, seq)?;
            }
            Ok(Err(Unlawful {
                from: State::Failed,
                step: Step::Progress,
            }
            .into()))
        }
    }
}

/// Takes one step as a live command would; whether it was taken.
#[cfg(test)]
pub(super) fn try_step(connection: &Connection, id: Uuid, step: Step) -> bool {
    let mut tally = Tally {
        waiting: 1,
        kept: 0,
        last_seq: 1,
        next_finished: 1,
        taken: None,
        max_waiting: 1,
    };
    let text = || serde_json::value::RawValue::from_string("1".to_owned()).unwrap();
    match step {
        Step::Start => begin(connection, &mut tally, id).unwrap().is_ok(),
        Step::Progress => progress(connection, id, Some(&text()), None, None, Attempt::Same)
            .unwrap()
            .is_ok(),
        Step::Finish => end(connection, &mut tally, id, &Ending::Done(text()), Duration::ZERO)
            .unwrap()
            .is_ok(),
        Step::Fail => {
            let ending = Ending::Failed(ErrorRecord::cancelled(None));
            end(connection, &mut tally, id, &ending, Duration::ZERO)
                .unwrap()
                .is_ok()
        }
    }
}

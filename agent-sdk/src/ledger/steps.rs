//! The steps of a record as changes to its row, each through [`next`]: the only places where a state is written.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::WriteError;
use super::apply::Tally;
use super::command::{Ending, Task};
use super::row::{self, json};
use super::schema::RUNS;
use super::transition::{Step, next};
use crate::spec::{ErrorRecord, Record, State, Timestamp};

/// Where a record is, as far as the next step needs it.
pub(super) struct Place {
    pub(super) seq: i64,
    pub(super) state: State,
    pub(super) version: i64,
    pub(super) attempt: u32,
}

/// `NEW` to `RUNNING`, for a record that is `NEW`.
pub(super) fn start(
    connection: &Connection,
    tally: &mut Tally,
    seq: i64,
    mut record: Record,
) -> rusqlite::Result<Task> {
    let now = Timestamp::now();
    record.state = State::Running;
    record.version += 1;
    record.attempt = 1;
    record.started_ts = Some(now);
    connection
        .prepare_cached(
            "UPDATE invocation SET state = 'RUNNING', place = ?, version = version + 1, attempt = 1, started_ts = ?
             WHERE seq = ?",
        )?
        .execute(params![RUNS, now.to_string(), seq])?;
    tally.waiting = tally.waiting.saturating_sub(1);
    tally.taken = Some(record.id);
    Ok(Task {
        record,
        spent: Duration::ZERO,
        begun: true,
    })
}

/// What a step says of the attempts at a running action.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// The same goes on.
    Same,
    /// It ended without harm to the agent.
    Survived,
    /// A new one begins.
    Next,
}

/// `RUNNING` to `RUNNING`, with a line of history.
pub(super) fn progress(
    connection: &Connection,
    id: Uuid,
    payload: Option<&RawValue>,
    error: Option<&ErrorRecord>,
    spent: Option<Duration>,
    attempt: Attempt,
) -> rusqlite::Result<Result<(), WriteError>> {
    let Some(place) = place(connection, id)? else {
        return Ok(Err(gone(id)));
    };
    let state = match next(place.state, Step::Progress) {
        Ok(state) => state,
        Err(unlawful) => return Ok(Err(unlawful.into())),
    };
    let payload = payload.map(RawValue::get);
    let error = error.map(json).transpose()?;
    let number = place.attempt + u32::from(attempt == Attempt::Next);
    // A checkpoint, and an attempt that ended by itself, show that the handler does not kill the agent.
    let survived = payload.is_some() || attempt == Attempt::Survived;
    connection
        .prepare_cached(
            "UPDATE invocation SET version = version + 1, attempt = ?2, state_payload = coalesce(?3, state_payload),
                error = coalesce(?4, error), spent_ms = coalesce(?5, spent_ms), crashes = crashes * ?6
             WHERE seq = ?1",
        )?
        .execute(params![
            place.seq,
            number,
            payload,
            error,
            spent.map(millis),
            u8::from(!survived)
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO history (seq, version, at, state, attempt, state_payload, error) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            place.seq,
            place.version.saturating_add(1),
            Timestamp::now().to_string(),
            state.name(),
            number,
            payload,
            error
        ])?;
    Ok(Ok(()))
}

pub(super) fn end(
    connection: &Connection,
    tally: &mut Tally,
    id: Uuid,
    ending: &Ending,
    spent: Duration,
) -> rusqlite::Result<Result<(), WriteError>> {
    if tally.taken == Some(id) {
        tally.taken = None;
    }
    let Some(place) = place(connection, id)? else {
        return Ok(Err(gone(id)));
    };
    finish(connection, tally, &place, ending, Some(spent))
}

/// Into a final state.
pub(super) fn finish(
    connection: &Connection,
    tally: &mut Tally,
    place: &Place,
    ending: &Ending,
    spent: Option<Duration>,
) -> rusqlite::Result<Result<(), WriteError>> {
    let (step, output, error) = match ending {
        Ending::Done(output) => (Step::Finish, Some(output.get()), None),
        Ending::Failed(error) => (Step::Fail, None, Some(json(error)?)),
    };
    let state = match next(place.state, step) {
        Ok(state) => state,
        Err(unlawful) => return Ok(Err(unlawful.into())),
    };
    connection
        .prepare_cached(
            "UPDATE invocation SET state = ?2, version = version + 1, finished_ts = ?3, place = ?4, output = ?5,
                error = ?6, spent_ms = coalesce(?7, spent_ms)
             WHERE seq = ?1",
        )?
        .execute(params![
            place.seq,
            state.name(),
            Timestamp::now().to_string(),
            tally.next_finished,
            output,
            error,
            spent.map(millis)
        ])?;
    tally.next_finished += 1;
    tally.kept += 1;
    if place.state == State::New {
        tally.waiting = tally.waiting.saturating_sub(1);
    }
    Ok(Ok(()))
}

/// Ends a record of which only the row's number is to be trusted.
pub(super) fn fail_damaged(connection: &Connection, tally: &mut Tally, seq: i64) -> rusqlite::Result<()> {
    let state: String = connection.query_row("SELECT state FROM invocation WHERE seq = ?", [seq], |row| row.get(0))?;
    let from = if state == State::Running.name() {
        State::Running
    } else {
        State::New
    };
    let place = Place {
        seq,
        state: from,
        version: 0,
        attempt: 0,
    };
    // Both states may fail.
    drop(finish(
        connection,
        tally,
        &place,
        &Ending::Failed(row::damaged_error()),
        None,
    )?);
    Ok(())
}

pub(super) fn set_spent(connection: &Connection, id: Uuid, spent: Duration, orderly: bool) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE invocation SET spent_ms = ?2, orderly = ?3 WHERE id = ?1 AND state = 'RUNNING'")?
        .execute(params![id.as_bytes().as_slice(), millis(spent), orderly])?;
    Ok(())
}

pub(super) fn place(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Place>> {
    connection
        .prepare_cached("SELECT seq, state, version, attempt FROM invocation WHERE id = ?")?
        .query_row([id.as_bytes().as_slice()], |row| {
            let state: String = row.get(1)?;
            let state = State::ALL
                .into_iter()
                .find(|known| known.name() == state)
                .unwrap_or(State::Failed);
            Ok(Place {
                seq: row.get(0)?,
                state,
                version: row.get(2)?,
                attempt: row.get(3)?,
            })
        })
        .optional()
}

pub(super) fn gone(id: Uuid) -> WriteError {
    WriteError::Refused(format!("there is no record {id}").into())
}

pub(super) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

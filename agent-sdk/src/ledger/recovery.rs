//! What to do with an action that was running when the agent ended.
//!
//! Deciding is a pure function over what the row says; the steps it calls for are the same as live ones'.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::apply::Tally;
use super::command::{Ending, Task};
use super::row;
use super::schema::RUNS;
use super::steps::{self, Attempt};
use crate::spec::{ErrorRecord, Record};

/// Crashes in a row, without a new checkpoint, after which a handler is taken to be what kills the agent.
const CRASHES: u32 = 3;

/// What the row of an interrupted action says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interrupted {
    cancel_requested: bool,
    /// Crashes since the last checkpoint, the one that this start follows included.
    crashes: u32,
    spent: Duration,
    deadline: Duration,
}

/// What becomes of it.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Resume,
    Cancelled,
    OutOfTime,
    Crashed,
}

fn decide(interrupted: Interrupted) -> Verdict {
    let Interrupted {
        cancel_requested,
        crashes,
        spent,
        deadline,
    } = interrupted;
    if cancel_requested {
        Verdict::Cancelled
    } else if spent >= deadline {
        Verdict::OutOfTime
    } else if crashes >= CRASHES {
        Verdict::Crashed
    } else {
        Verdict::Resume
    }
}

fn crashed(crashes: u32) -> ErrorRecord {
    ErrorRecord {
        code: "crashed".to_owned(),
        message: format!("the agent crashed {crashes} times in a row while the action ran, without a checkpoint"),
        retryable: false,
    }
}

/// Counts what there is, and resumes or ends what ran.
///
/// Runs once, inside a transaction, before anything else is written.
pub(super) fn recover(connection: &Connection, max_waiting: usize) -> rusqlite::Result<(Tally, Option<Task>)> {
    let count = |query: &str| connection.query_row(query, [RUNS], |row| row.get::<_, i64>(0));
    let size = |count: i64| usize::try_from(count).unwrap_or(0);
    let mut tally = Tally {
        waiting: size(count("SELECT count(*) FROM invocation WHERE place > ?")?),
        kept: size(count("SELECT count(*) FROM invocation WHERE place < ?")?),
        last_seq: connection.query_row("SELECT coalesce(max(seq), 0) FROM invocation", [], |row| row.get(0))?,
        next_finished: count("SELECT coalesce(max(place), 0) + 1 FROM invocation WHERE place < ?")?,
        taken: None,
        max_waiting,
    };
    let running = connection
        .prepare(&row::records("i.place = ?"))?
        .query_row([RUNS], |row| Ok((row.get::<_, i64>(0)?, row::record(row))))
        .optional()?;
    let Some((seq, record)) = running else {
        return Ok((tally, None));
    };
    let Ok(record) = record else {
        tracing::error!(
            seq,
            "the action that was running is not what was accepted: it fails and is not run again"
        );
        steps::fail_damaged(connection, &mut tally, seq)?;
        return Ok((tally, None));
    };
    let interrupted = connection.query_row(
        "SELECT crashes, orderly, spent_ms FROM invocation WHERE seq = ?",
        [seq],
        |row| {
            let (crashes, orderly, spent): (u32, bool, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Interrupted {
                cancel_requested: record.cancel_requested,
                crashes: if orderly { crashes } else { crashes.saturating_add(1) },
                spent: Duration::from_millis(spent.unsigned_abs()),
                deadline: Duration::from_secs(record.deadline_s.into()),
            })
        },
    )?;
    let task = settle(connection, &mut tally, seq, record, interrupted)?;
    Ok((tally, task))
}

fn settle(
    connection: &Connection,
    tally: &mut Tally,
    seq: i64,
    record: Record,
    interrupted: Interrupted,
) -> rusqlite::Result<Option<Task>> {
    let id = record.id;
    let error = match decide(interrupted) {
        Verdict::Cancelled => ErrorRecord::cancelled(record.error.as_ref()),
        Verdict::OutOfTime => ErrorRecord::out_of_time(&record, None),
        Verdict::Crashed => crashed(interrupted.crashes),
        Verdict::Resume => {
            connection.execute(
                "UPDATE invocation SET crashes = ?2, orderly = 0 WHERE seq = ?1",
                params![seq, interrupted.crashes],
            )?;
            drop(steps::progress(connection, id, None, None, None, Attempt::Next)?);
            tally.taken = Some(id);
            let record = row::find(connection, id)?.unwrap_or(record);
            tracing::info!(%id, kind = %record.kind, attempt = record.attempt, "the action that was running goes on");
            return Ok(Some(Task {
                record,
                spent: interrupted.spent,
                begun: true,
            }));
        }
    };
    tracing::warn!(%id, kind = %record.kind, code = error.code, "the action that was running has failed: {}", error.message);
    drop(steps::end(
        connection,
        tally,
        id,
        &Ending::Failed(error),
        interrupted.spent,
    )?);
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn an_interrupted_action_goes_on_unless_it_may_not() {
        let verdict = |cancel_requested, crashes, spent| {
            decide(Interrupted {
                cancel_requested,
                crashes,
                spent,
                deadline: MINUTE,
            })
        };
        assert_eq!(verdict(false, 0, Duration::ZERO), Verdict::Resume);
        assert_eq!(verdict(false, 2, Duration::ZERO), Verdict::Resume);
        assert_eq!(verdict(false, 3, Duration::ZERO), Verdict::Crashed);
        assert_eq!(verdict(false, 0, MINUTE), Verdict::OutOfTime);
        assert_eq!(
            verdict(true, 3, MINUTE),
            Verdict::Cancelled,
            "the client's word goes first"
        );
    }
}

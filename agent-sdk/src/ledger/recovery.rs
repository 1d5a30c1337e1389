//! What to do with an action that was running when the agent ended.
//!
//! Deciding is a pure function over what the row says; the steps it calls for are the same as live ones'.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::apply::{self, Attempt, Tally};
use super::command::{Ending, Task};
use super::row;
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
    Fail(ErrorRecord),
}

fn decide(interrupted: Interrupted) -> Verdict {
    let fail = |code: &str, message: String| {
        Verdict::Fail(ErrorRecord {
            code: code.to_owned(),
            message,
            retryable: false,
        })
    };
    let Interrupted {
        cancel_requested,
        crashes,
        spent,
        deadline,
    } = interrupted;
    if cancel_requested {
        Verdict::Fail(ErrorRecord::cancelled())
    } else if spent >= deadline {
        let seconds = deadline.as_secs();
        fail(
            "deadline",
            format!("the action did not end within its {seconds} s; it was found so when the agent started"),
        )
    } else if crashes >= CRASHES {
        fail(
            "crashed",
            format!("the agent crashed {crashes} times in a row while the action ran, without a checkpoint"),
        )
    } else {
        Verdict::Resume
    }
}

/// Counts what there is, and resumes or ends what ran.
///
/// Runs once, inside a transaction, before anything else is written.
pub(super) fn recover(connection: &Connection, max_waiting: usize) -> rusqlite::Result<(Tally, Option<Task>)> {
    let count = |query: &str| connection.query_row(query, [], |row| row.get::<_, i64>(0));
    let size = |count: i64| usize::try_from(count).unwrap_or(0);
    let mut tally = Tally {
        waiting: size(count(
            "SELECT count(*) FROM invocation WHERE finished_seq IS NULL AND state = 'NEW'",
        )?),
        kept: size(count("SELECT count(*) FROM invocation WHERE finished_seq IS NOT NULL")?),
        next_finished: count(
            "SELECT coalesce(max(finished_seq), 0) + 1 FROM invocation WHERE finished_seq IS NOT NULL",
        )?,
        taken: None,
        max_waiting,
    };
    let running = connection
        .prepare(&row::records("i.state = 'RUNNING'"))?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row::record(row))))
        .optional()?;
    let Some((seq, record)) = running else {
        return Ok((tally, None));
    };
    let Ok(record) = record else {
        tracing::error!(
            seq,
            "the action that was running is not what was accepted: it fails and is not run again"
        );
        apply::fail_damaged(connection, &mut tally, seq)?;
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
    match decide(interrupted) {
        Verdict::Fail(error) => {
            tracing::warn!(%id, kind = %record.kind, code = error.code, "the action that was running has failed: {}", error.message);
            drop(apply::end(
                connection,
                tally,
                id,
                &Ending::Failed(error),
                interrupted.spent,
            )?);
            Ok(None)
        }
        Verdict::Resume => {
            connection.execute(
                "UPDATE invocation SET crashes = ?2, orderly = 0 WHERE seq = ?1",
                params![seq, interrupted.crashes],
            )?;
            drop(apply::progress(connection, id, None, None, None, Attempt::Next)?);
            tally.taken = Some(id);
            let record = row::find(connection, id)?.unwrap_or(record);
            tracing::info!(%id, kind = %record.kind, attempt = record.attempt, "the action that was running goes on");
            Ok(Some(Task {
                record,
                spent: interrupted.spent,
                begun: true,
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn interrupted() -> Interrupted {
        Interrupted {
            cancel_requested: false,
            crashes: 1,
            spent: Duration::ZERO,
            deadline: MINUTE,
        }
    }

    fn code(interrupted: Interrupted) -> Option<String> {
        match decide(interrupted) {
            Verdict::Resume => None,
            Verdict::Fail(error) => Some(error.code),
        }
    }

    #[test]
    fn an_interrupted_action_goes_on_unless_it_may_not() {
        assert_eq!(code(interrupted()), None);
        assert_eq!(
            code(Interrupted {
                crashes: 2,
                ..interrupted()
            }),
            None
        );
        assert_eq!(
            code(Interrupted {
                crashes: 3,
                ..interrupted()
            })
            .as_deref(),
            Some("crashed")
        );
        assert_eq!(
            code(Interrupted {
                spent: MINUTE,
                ..interrupted()
            })
            .as_deref(),
            Some("deadline")
        );
        let cancelled = Interrupted {
            cancel_requested: true,
            crashes: 3,
            spent: MINUTE,
            ..interrupted()
        };
        assert_eq!(
            code(cancelled).as_deref(),
            Some("cancelled"),
            "the client's word goes first"
        );
    }
}

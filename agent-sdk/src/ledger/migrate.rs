//! Older formats of the database, brought to the newest one: one step and one transaction at a time.

use rusqlite::Connection;

use super::schema::{FORMAT, SCHEMA};

/// Format 1 kept every request apart and the order of ending in a column of its own, each list with its own index.
const FROM_1: &str = "
DROP INDEX queue;
DROP INDEX finished;
DROP INDEX one_runs;
DROP TRIGGER final;
DROP TRIGGER lawful;
DROP TRIGGER accepted;
ALTER TABLE invocation RENAME TO invocation_1;
ALTER TABLE request RENAME TO request_1;
ALTER TABLE history RENAME TO history_1;
ALTER TABLE purged RENAME TO purged_1;
";

const INTO_2: &str = "
INSERT INTO invocation (seq, id, kind, requester, deadline_s, created_ts, scheduled_ts, digest, place, state, version, attempt,
        crashes, orderly, spent_ms, cancel_requested, started_ts, finished_ts, state_payload, output, error)
    SELECT i.seq, i.id, i.kind, i.requester, i.deadline_s, i.created_ts, i.scheduled_ts, coalesce(r.digest, x''),
        CASE i.state WHEN 'NEW' THEN 4611686018427387904 + i.seq WHEN 'RUNNING' THEN 4611686018427387904
            ELSE i.finished_seq END,
        i.state, i.version, i.attempt, i.crashes, i.orderly, i.spent_ms, i.cancel_requested, i.started_ts, i.finished_ts,
        i.state_payload, i.output, i.error
    FROM invocation_1 i LEFT JOIN request_1 r ON r.seq = i.seq;
INSERT INTO request SELECT seq, args, headers, preconditions, trace FROM request_1;
INSERT INTO history SELECT * FROM history_1;
INSERT INTO purged SELECT n, id FROM purged_1;
DROP TABLE invocation_1;
DROP TABLE request_1;
DROP TABLE history_1;
DROP TABLE purged_1;
";

/// Brings an older format to the newest. A crash on the way leaves it as it was.
pub(super) fn to_newest(connection: &Connection) -> rusqlite::Result<()> {
    let format: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if format < FORMAT {
        tracing::info!(
            from = format,
            to = FORMAT,
            "the database is brought to this agent's format"
        );
        let transaction = connection.unchecked_transaction()?;
        for sql in [FROM_1, SCHEMA, INTO_2] {
            transaction.execute_batch(sql)?;
        }
        transaction.pragma_update(None, "user_version", FORMAT)?;
        transaction.commit()?;
    }
    // The header is what an older agent reads first: it must not wait in the write-ahead log. This also ends what the
    // change of the journal's mode has left open.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

//! What `SQLite` alone can do: the same records in one plain table, made durable, by one thread, without anything else.
//!
//! The table has the columns of a record and the one index that every ledger needs (an id is used once). The agent keeps
//! more than this: a digest, the queue, the order of ending, what may follow what. That is its own cost and not the
//! yardstick's.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};
use uuid::Uuid;

/// The kind of every record that is measured with.
pub(crate) const KIND: &str = "agent.replicante.io/test.success";

const TABLE: &str = "CREATE TABLE record (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    requester TEXT NOT NULL,
    deadline_s INTEGER NOT NULL,
    created_ts TEXT NOT NULL,
    scheduled_ts TEXT NOT NULL,
    state TEXT NOT NULL,
    args TEXT,
    headers TEXT NOT NULL
)";

const INSERT: &str =
    "INSERT INTO record (id, kind, requester, deadline_s, created_ts, scheduled_ts, state, args, headers)
    VALUES (?, ?, 'AGENT_API', 60, ?, ?, 'NEW', '{}', '{}')";

/// A database with durable commits.
pub(crate) struct Database {
    connection: Connection,
}

impl Database {
    /// A new one in this directory.
    pub(crate) fn create(directory: &Path) -> anyhow::Result<Self> {
        let connection = Connection::open_with_flags(
            directory.join("yardstick.db"),
            // As fast as it goes: one thread has it.
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(TABLE)?;
        Ok(Self { connection })
    }

    /// Inserts these records in one durable transaction.
    pub(crate) fn insert(&mut self, ids: &[Uuid]) -> anyhow::Result<()> {
        let now = "2026-01-01T00:00:00.000000000Z";
        let transaction = self.connection.transaction()?;
        {
            let mut statement = transaction.prepare_cached(INSERT)?;
            for id in ids {
                statement.execute(params![id.as_bytes().as_slice(), KIND, now, now])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

//! The database: what it looks like, how it comes to be, and what is refused.
//!
//! A database is made under another name and renamed when it is complete, so a file of the right name always has the
//! right header. What is not this agent's, is newer, or is damaged in its structure is refused and left as it was.
//!
//! A long request, which never changes after acceptance, is in a table of its own (`request`), so that a step does not
//! write it again; a short one is in its record. A record's first and last steps and its first start are in the record
//! itself; `history` holds those between.
//!
//! `seq` is the order of acceptance and is given by the writer. The newest record is never purged, so the highest number
//! plus one has not been given before.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::directory::private;
use super::{OpenError, migrate};

/// "agnt" in the database's header says whose it is.
const APPLICATION: u32 = 0x6167_6e74;

/// The newest format that this agent knows. Each one before it has a migration in [`migrate`].
pub(super) const FORMAT: u32 = 2;

/// The place of the action that runs, in the one line in which all records stand: before it those that have ended, in the
/// order in which they did (1, 2, …), behind it those that wait, each at `RUNS + seq`.
///
/// So one unique index is the queue, the order of ending and the promise that one action runs at a time, and a step
/// touches one page of it: what ends, what starts next and what waits first are neighbours.
pub(super) const RUNS: i64 = 1 << 62;

pub(super) const SCHEMA: &str = "
CREATE TABLE invocation (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    requester TEXT NOT NULL,
    deadline_s INTEGER NOT NULL,
    created_ts TEXT NOT NULL,
    scheduled_ts TEXT NOT NULL,
    args TEXT,
    headers TEXT,
    preconditions TEXT,
    trace TEXT,
    digest BLOB NOT NULL,
    place INTEGER NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'NEW',
    version INTEGER NOT NULL DEFAULT 1,
    attempt INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    orderly INTEGER NOT NULL DEFAULT 0,
    spent_ms INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    started_ts TEXT,
    finished_ts TEXT,
    state_payload TEXT,
    output TEXT,
    error TEXT,
    CHECK (CASE state
        WHEN 'NEW' THEN place = 4611686018427387904 + seq
        WHEN 'RUNNING' THEN place = 4611686018427387904
        WHEN 'DONE' THEN place BETWEEN 1 AND 4611686018427387903
        WHEN 'FAILED' THEN place BETWEEN 1 AND 4611686018427387903
        ELSE 0 END)
) STRICT;

CREATE TABLE request (
    seq INTEGER PRIMARY KEY,
    args TEXT,
    headers TEXT NOT NULL,
    preconditions TEXT,
    trace TEXT
) STRICT;

CREATE TABLE history (
    seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state_payload TEXT,
    error TEXT,
    PRIMARY KEY (seq, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE purged (
    n INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE
) STRICT;

CREATE TRIGGER final BEFORE UPDATE ON invocation WHEN OLD.state IN ('DONE', 'FAILED')
BEGIN SELECT RAISE(ABORT, 'a final record never changes'); END;

CREATE TRIGGER lawful BEFORE UPDATE OF state ON invocation
WHEN NOT (OLD.state = 'NEW' AND NEW.state IN ('RUNNING', 'FAILED')
       OR OLD.state = 'RUNNING' AND NEW.state IN ('RUNNING', 'DONE', 'FAILED'))
BEGIN SELECT RAISE(ABORT, 'a step that no record may take'); END;

CREATE TRIGGER accepted BEFORE UPDATE OF seq, id, kind, requester, deadline_s, created_ts, scheduled_ts, args, headers,
    preconditions, trace, digest ON invocation
BEGIN SELECT RAISE(ABORT, 'what was accepted never changes'); END;

CREATE TRIGGER accepted_apart BEFORE UPDATE ON request
BEGIN SELECT RAISE(ABORT, 'what was accepted never changes'); END;
";

/// Opens the database for writing, making it when missing and migrating it when old.
pub(super) fn open(file: &Path) -> Result<Connection, OpenError> {
    if !file.try_exists().unwrap_or(true) {
        no_orphans(file)?;
        create(file)?;
    }
    let connection = inspect(file)?;
    configure(&connection).map_err(|cause| unusable(file, cause))?;
    migrate::to_newest(&connection).map_err(|cause| match cause.sqlite_error_code() {
        // Something is not there, or breaks a rule that it was written under.
        Some(rusqlite::ErrorCode::Unknown | rusqlite::ErrorCode::ConstraintViolation) => OpenError::Damaged {
            file: file.to_owned(),
            detail: format!("it cannot be brought to format {FORMAT}: {cause}"),
        },
        _ => unusable(file, cause),
    })?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map_err(|cause| unusable(file, cause))?;
    Ok(connection)
}

/// Refuses a write-ahead log whose database is gone: it would be taken for that of a new one, and its actions run again.
pub(super) fn no_orphans(file: &Path) -> Result<(), OpenError> {
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut orphan = file.as_os_str().to_owned();
        orphan.push(suffix);
        if Path::new(&orphan).exists() {
            let detail = format!("it is gone, and its {} is there", Path::new(&orphan).display());
            return Err(OpenError::Damaged {
                file: file.to_owned(),
                detail,
            });
        }
    }
    Ok(())
}

/// A fault of the database's own, named as damage where it is.
pub(super) fn unusable(file: &Path, cause: rusqlite::Error) -> OpenError {
    let file = file.to_owned();
    match cause.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => OpenError::Damaged {
            file,
            detail: cause.to_string(),
        },
        _ => OpenError::Database { file, cause },
    }
}

/// A database for tests of single steps.
#[cfg(test)]
pub(super) fn in_memory() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    connection
}

/// Opens a database that is there, changing nothing in it, and looks whether it can be used.
pub(super) fn inspect(file: &Path) -> Result<Connection, OpenError> {
    header(file)?;
    let classify = |cause| unusable(file, cause);
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW,
    )
    .map_err(classify)?;
    // A refused database keeps its write-ahead log as it is, too.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map_err(classify)?;
    // What a database says about itself is not trusted: bit flips must not become functions that are called.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)
        .map_err(classify)?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)
        .map_err(classify)?;
    let found: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(classify)?;
    if found > FORMAT {
        return Err(OpenError::Newer {
            file: file.to_owned(),
            found,
            known: FORMAT,
        });
    }
    let detail: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(classify)?;
    if detail != "ok" {
        return Err(OpenError::Damaged {
            file: file.to_owned(),
            detail,
        });
    }
    // An older one is looked at by its migration.
    if found == FORMAT {
        complete(&connection).map_err(|detail| OpenError::Damaged {
            file: file.to_owned(),
            detail,
        })?;
    }
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn reader(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW,
    )?;
    connection.pragma_update(None, "cache_size", -512)?;
    steady(&connection)?;
    Ok(connection)
}

/// Keeps a prepared statement's plan whatever is bound to it. Otherwise the partial indexes have it made anew with every
/// value, which costs more than running it.
fn steady(connection: &Connection) -> rusqlite::Result<bool> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
}

/// Reads the header without `SQLite`, so that what is not ours is not even opened.
fn header(file: &Path) -> Result<(), OpenError> {
    let mut head = [0_u8; 100];
    let read = File::open(file).and_then(|mut open| open.read_exact(&mut head));
    read.map_err(|cause| match cause.kind() {
        io::ErrorKind::UnexpectedEof => OpenError::Foreign { file: file.to_owned() },
        _ => OpenError::Directory {
            directory: file.parent().unwrap_or(file).to_owned(),
            cause,
        },
    })?;
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    if !head.starts_with(b"SQLite format 3\0") || word(68) != APPLICATION {
        return Err(OpenError::Foreign { file: file.to_owned() });
    }
    match word(60) {
        found if found > FORMAT => Err(OpenError::Newer {
            file: file.to_owned(),
            found,
            known: FORMAT,
        }),
        1..=FORMAT => Ok(()),
        found => Err(OpenError::Damaged {
            file: file.to_owned(),
            detail: format!("no agent has made a database of format {found}"),
        }),
    }
}

fn create(file: &Path) -> Result<(), OpenError> {
    let database = |cause| OpenError::Database {
        file: file.to_owned(),
        cause,
    };
    let unusable = |cause| OpenError::Directory {
        directory: file.parent().unwrap_or(file).to_owned(),
        cause,
    };
    let fresh = file.with_extension("db.new");
    // Left by a crash while it was made; its journal would be taken for the new one's.
    drop(std::fs::remove_file(fresh.with_extension("new-journal")));
    drop(private(&fresh, true).map_err(unusable)?);
    let mut connection = Connection::open(&fresh).map_err(database)?;
    connection
        .pragma_update(None, "auto_vacuum", "INCREMENTAL")
        .map_err(database)?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(database)?;
    let transaction = connection.transaction().map_err(database)?;
    transaction.execute_batch(SCHEMA).map_err(database)?;
    transaction
        .pragma_update(None, "application_id", APPLICATION)
        .map_err(database)?;
    transaction
        .pragma_update(None, "user_version", FORMAT)
        .map_err(database)?;
    transaction.commit().map_err(database)?;
    connection.close().map_err(|(_, cause)| database(cause))?;
    std::fs::rename(&fresh, file).map_err(unusable)?;
    let directory = file.parent().unwrap_or(file);
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(unusable)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        tracing::warn!(mode, "the database does not use a write-ahead log");
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "cache_size", -2048)?;
    connection.pragma_update(None, "journal_size_limit", 8 * 1024 * 1024)?;
    steady(connection)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Whether every table has its columns.
fn complete(connection: &Connection) -> Result<(), String> {
    for columns in [
        "SELECT seq, id, kind, requester, deadline_s, created_ts, scheduled_ts, args, headers, preconditions, trace, digest, \
         place, state, version, attempt, crashes, orderly, spent_ms, cancel_requested, started_ts, finished_ts, \
         state_payload, output, error FROM invocation",
        "SELECT seq, args, headers, preconditions, trace FROM request",
        "SELECT seq, version, at, state, attempt, state_payload, error FROM history",
        "SELECT n, id FROM purged",
    ] {
        connection.prepare(columns).map_err(|error| error.to_string())?;
    }
    let triggers = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name IN ('final', 'lawful', 'accepted', 'accepted_apart')";
    match connection.query_row(triggers, [], |row| row.get::<_, i64>(0)) {
        Ok(4) => Ok(()),
        Ok(_) => Err("a trigger is missing".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

//! Invariant 12, its other half: an older database is migrated, and nothing in it is lost.

use rusqlite::Connection;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::invariants::{NONE, Place, done, payload, run, state, submission, take};
use super::schema::FORMAT;
use super::*;
use crate::spec::State;

/// What a database of format 1 looked like.
const FORMAT_1: &str = "
CREATE TABLE invocation (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    requester TEXT NOT NULL,
    deadline_s INTEGER NOT NULL,
    created_ts TEXT NOT NULL,
    scheduled_ts TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'NEW' CHECK (state IN ('NEW', 'RUNNING', 'DONE', 'FAILED')),
    version INTEGER NOT NULL DEFAULT 1,
    attempt INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    orderly INTEGER NOT NULL DEFAULT 0,
    spent_ms INTEGER NOT NULL DEFAULT 0,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    started_ts TEXT,
    finished_ts TEXT,
    finished_seq INTEGER,
    state_payload TEXT,
    output TEXT,
    error TEXT,
    CHECK ((finished_seq IS NULL) = (state IN ('NEW', 'RUNNING')))
) STRICT;

CREATE TABLE request (
    seq INTEGER PRIMARY KEY,
    args TEXT,
    headers TEXT NOT NULL,
    preconditions TEXT,
    trace TEXT,
    digest BLOB NOT NULL
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
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE
) STRICT;

CREATE INDEX queue ON invocation (seq) WHERE finished_seq IS NULL;
CREATE UNIQUE INDEX finished ON invocation (finished_seq) WHERE finished_seq IS NOT NULL;
CREATE UNIQUE INDEX one_runs ON invocation (state) WHERE state = 'RUNNING';

CREATE TRIGGER final BEFORE UPDATE ON invocation WHEN OLD.state IN ('DONE', 'FAILED')
BEGIN SELECT RAISE(ABORT, 'a final record never changes'); END;

CREATE TRIGGER lawful BEFORE UPDATE OF state ON invocation
WHEN NOT (OLD.state = 'NEW' AND NEW.state IN ('RUNNING', 'FAILED')
       OR OLD.state = 'RUNNING' AND NEW.state IN ('RUNNING', 'DONE', 'FAILED'))
BEGIN SELECT RAISE(ABORT, 'a step that no record may take'); END;

CREATE TRIGGER accepted BEFORE UPDATE ON request
BEGIN SELECT RAISE(ABORT, 'what was accepted never changes'); END;
";

/// Writes what is in a database of today as an agent of format 1 would have written it.
const INTO_1: &str = "
INSERT INTO main.invocation (seq, id, kind, requester, deadline_s, created_ts, scheduled_ts, state, version, attempt, crashes,
        orderly, spent_ms, cancel_requested, started_ts, finished_ts, finished_seq, state_payload, output, error)
    SELECT seq, id, kind, requester, deadline_s, created_ts, scheduled_ts, state, version, attempt, crashes,
        orderly, spent_ms, cancel_requested, started_ts, finished_ts, iif(finished_ts IS NULL, NULL, place), state_payload,
        output, error FROM new.invocation;
INSERT INTO main.request SELECT i.seq, coalesce(i.args, r.args), coalesce(i.headers, r.headers),
        coalesce(i.preconditions, r.preconditions), coalesce(i.trace, r.trace), i.digest
    FROM new.invocation i LEFT JOIN new.request r ON r.seq = i.seq;
INSERT INTO main.history SELECT * FROM new.history;
INSERT INTO main.purged SELECT * FROM new.purged;
";

/// A database of format 1 with the same records.
fn as_format_1(new: &Place) -> Place {
    let old = Place::new();
    let file = old.held.database();
    let connection = Connection::open(&file).unwrap();
    connection.execute_batch(FORMAT_1).unwrap();
    connection
        .execute("ATTACH ? AS new", [new.held.database().to_str().unwrap()])
        .unwrap();
    connection.execute_batch(INTO_1).unwrap();
    connection.pragma_update(None, "application_id", 0x6167_6e74).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    old
}

#[tokio::test]
async fn invariant_12_an_older_database_is_migrated_with_everything_in_it() {
    let new = Place::new();
    let ledger = new.open_keeping(3);
    for number in 1..=3 {
        run(&ledger, number).await;
    }
    ledger.accept(submission(4)).await.unwrap();
    let id = take(&ledger).await.record.id;
    ledger.checkpoint(id, payload("[7]"), NONE).await.unwrap();
    let long = RawValue::from_string(format!("{:?}", "x".repeat(2000))).unwrap();
    let args = Some(long.clone());
    ledger.accept(Submission { args, ..submission(5) }).await.unwrap();
    ledger.accept(submission(6)).await.unwrap();
    ledger.cancel(Uuid::from_u128(6)).await.unwrap();
    drop(ledger);

    let old = as_format_1(&new);
    let ledger = old.open_keeping(3);
    let task = take(&ledger).await;
    assert_eq!((task.record.id, task.record.attempt), (id, 2), "what ran goes on");
    assert_eq!(task.record.state_payload.unwrap().get(), "[7]");
    let steps = ledger.history(id, None, 10).await.unwrap().unwrap();
    assert_eq!(steps.items.len(), 4);
    ledger.end(id, done(), NONE, None).await.unwrap();
    assert_eq!(take(&ledger).await.record.args.unwrap().get(), long.get());
    ledger.end(Uuid::from_u128(5), done(), NONE, None).await.unwrap();
    assert_eq!(state(&ledger, 6).await.state, State::Failed);
    let finished = ledger.finished(None, 10).await.unwrap();
    let order: Vec<_> = finished.items.iter().map(|item| item.id.as_u128()).collect();
    assert_eq!(order, [5, 4, 6], "the order of ending goes on");
    let AcceptError::Used { existing: None, .. } = ledger.accept(submission(1)).await.unwrap_err() else {
        panic!("ids of purged records are forgotten");
    };
    drop(ledger);
    let header = std::fs::read(old.held.database()).unwrap();
    assert_eq!(
        header[60..64],
        FORMAT.to_be_bytes(),
        "an older agent sees that it is not its own"
    );
}

#[tokio::test]
async fn invariant_12_a_damaged_older_database_is_refused_and_left_as_it_was() {
    let new = Place::new();
    run(&new.open(), 1).await;
    let old = as_format_1(&new);
    // Two that have ended at the same place, which only the copying finds out.
    let raw = Connection::open(old.held.database()).unwrap();
    raw.execute_batch(
        "DROP INDEX finished; CREATE INDEX finished ON invocation (finished_seq);
         INSERT INTO invocation (id, kind, requester, deadline_s, created_ts, scheduled_ts, state, finished_ts, finished_seq)
            SELECT x'00000000000000000000000000000009', kind, requester, deadline_s, created_ts, scheduled_ts, state,
                finished_ts, finished_seq FROM invocation",
    )
    .unwrap();
    drop(raw);
    let before = std::fs::read(old.held.database()).unwrap();
    let limits = Limits {
        max_queued: 1,
        keep_finished: 1,
    };
    let refused = Ledger::open(&old.held, limits).err().unwrap();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    let after = std::fs::read(old.held.database()).unwrap();
    // Bytes 18 and 19 say that there is a write-ahead log; 24 to 27 and 92 to 99 count changes of the file.
    let same = |at: &usize| [18, 19].contains(at) || (24..28).contains(at) || (92..100).contains(at);
    let changed: Vec<_> = (0..before.len())
        .filter(|at| before[*at] != after[*at] && !same(at))
        .collect();
    assert_eq!(changed, [0_usize; 0]);
}

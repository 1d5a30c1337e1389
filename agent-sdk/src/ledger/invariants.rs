//! One test for each invariant that the ledger alone can show, named after it. Those that need a process to be killed
//! are in `tests/crash`, those of the runner beside the runner. Longer than other files: thirteen invariants are one
//! subject, and one place to look them up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use rusqlite::Connection;

use super::transition::next;
use super::*;
use crate::spec::{ErrorRecord, Record, State};

pub(super) struct Place {
    pub(super) held: StateDirectory,
    _directory: tempfile::TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let held = StateDirectory::acquire(directory.path(), "test").unwrap();
        Self {
            held,
            _directory: directory,
        }
    }

    pub(super) fn open(&self) -> Ledger {
        self.open_keeping(10_000)
    }

    pub(super) fn open_keeping(&self, keep_finished: usize) -> Ledger {
        Ledger::open(
            &self.held,
            Limits {
                max_queued: 1_000,
                keep_finished,
            },
        )
        .unwrap()
    }

    /// Opens with something done to the connection before each write.
    fn open_on(&self, before_write: writer::BeforeWrite) -> Ledger {
        let limits = Limits {
            max_queued: 1_000,
            keep_finished: 10,
        };
        Ledger::open_with(&self.held, limits, Some(before_write)).unwrap()
    }

    fn raw(&self) -> Connection {
        Connection::open(self.held.database()).unwrap()
    }
}

/// A disk that has room for as many pages as `room` makes of those in use, while it is `full`.
fn full_when(full: &Arc<AtomicBool>, mut room: impl FnMut(i64) -> i64 + Send + 'static) -> writer::BeforeWrite {
    let full = full.clone();
    Box::new(move |connection: &Connection| {
        let used: i64 = connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap();
        let pages = if full.load(Ordering::SeqCst) {
            room(used)
        } else {
            1_000_000
        };
        connection
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .unwrap();
    })
}

pub(super) fn submission(number: u128) -> Submission {
    Submission {
        id: Uuid::from_u128(number),
        kind: KindName::parse("example.org/act").unwrap(),
        args: Some(RawValue::from_string(r#"{"n":1e2}"#.to_owned()).unwrap()),
        headers: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        requester: Requester::default(),
        preconditions: None,
        deadline_s: 60,
        trace: None,
        created_ts: None,
    }
}

pub(super) fn done() -> Ending {
    Ending::Done(RawValue::from_string("{}".to_owned()).unwrap())
}

pub(super) fn payload(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

pub(super) async fn take(ledger: &Ledger) -> Task {
    let (taker, taken) = Taker::new(|_| ());
    ledger.take(taker).await.unwrap();
    taken.await.unwrap()
}

pub(super) async fn state(ledger: &Ledger, number: u128) -> Record {
    ledger.record(Uuid::from_u128(number)).await.unwrap().unwrap()
}

/// Accepts, runs and ends an action.
pub(super) async fn run(ledger: &Ledger, number: u128) {
    ledger.accept(submission(number)).await.unwrap();
    let task = take(ledger).await;
    ledger
        .end(task.record.id, done(), std::time::Duration::ZERO, None)
        .await
        .unwrap();
}

pub(super) const NONE: std::time::Duration = std::time::Duration::ZERO;

#[tokio::test]
async fn invariant_01_what_is_acknowledged_is_read_back_as_it_was_given() {
    let place = Place::new();
    let accepted = place.open().accept(submission(1)).await.unwrap();
    let read = state(&place.open(), 1).await;
    assert_eq!(
        read.args.unwrap().get(),
        r#"{"n":1e2}"#,
        "the text that came, numbers included"
    );
    assert_eq!(read.headers, accepted.headers);
    assert_eq!(read.created_ts, accepted.created_ts);
    let synchronous: i64 = schema::open(&place.held.database())
        .unwrap()
        .pragma_query_value(None, "synchronous", |r| r.get(0))
        .unwrap();
    assert_eq!(synchronous, 2, "FULL");
}

#[tokio::test]
async fn invariant_02_order_is_acceptance_order_and_no_clock_decides() {
    let place = Place::new();
    let ledger = place.open();
    for number in [5, 3, 9, 1] {
        let created = Timestamp::parse(&format!("20{number:02}-01-01T00:00:00Z")).unwrap();
        ledger
            .accept(Submission {
                created_ts: Some(created),
                ..submission(number)
            })
            .await
            .unwrap();
    }
    drop(ledger);
    let ledger = place.open();
    ledger
        .accept(Submission {
            created_ts: Timestamp::parse("1990-01-01T00:00:00Z").ok(),
            ..submission(2)
        })
        .await
        .unwrap();
    let mut order = Vec::new();
    for _ in 0..5 {
        let task = take(&ledger).await;
        order.push(task.record.id.as_u128());
        ledger.end(task.record.id, done(), NONE, None).await.unwrap();
    }
    assert_eq!(order, [5, 3, 9, 1, 2]);
}

#[tokio::test]
async fn invariant_03_one_action_runs_at_a_time() {
    let place = Place::new();
    let ledger = place.open();
    for number in 1..=2 {
        ledger.accept(submission(number)).await.unwrap();
    }
    take(&ledger).await;
    let second = place.raw().execute(
        "UPDATE invocation SET state = 'RUNNING', place = ? WHERE state = 'NEW'",
        [schema::RUNS],
    );
    assert!(
        second.unwrap_err().to_string().contains("UNIQUE"),
        "the database itself refuses a second one"
    );
    let mut again = std::pin::pin!(take(&ledger));
    assert!(futures_util::poll!(&mut again).is_pending());
    ledger.end(Uuid::from_u128(1), done(), NONE, None).await.unwrap();
    assert_eq!(again.await.record.id.as_u128(), 2);
    let OpenError::Held { .. } = StateDirectory::acquire(place.held.path(), "other").unwrap_err() else {
        panic!("a second agent got the state directory");
    };
}

#[tokio::test]
async fn invariant_04_running_is_on_disk_before_the_handler_begins() {
    let place = Place::new();
    let ledger = place.open();
    ledger.accept(submission(1)).await.unwrap();
    let task = take(&ledger).await;
    let seen: String = place
        .raw()
        .query_row("SELECT state FROM invocation", [], |row| row.get(0))
        .unwrap();
    assert_eq!((seen.as_str(), task.record.state), ("RUNNING", State::Running));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    /// Whatever is asked for in whatever order, a record takes only lawful steps, and SQL refuses the others too.
    #[test]
    fn invariant_05_only_lawful_steps_are_taken(steps in prop::collection::vec(0_usize..4, 1..8)) {
        thread_local!(static BASE: Connection = schema::in_memory());
        BASE.with(|connection| {
            connection.execute_batch("BEGIN").unwrap();
            row::insert(connection, &submission(1), 1).unwrap();
            let mut expected = State::New;
            for step in steps.into_iter().map(|index| Step::ALL[index]) {
                let lawful = next(expected, step);
                prop_assert_eq!(apply::try_step(connection, Uuid::from_u128(1), step), lawful.is_ok());
                if let Ok(state) = lawful {
                    expected = state;
                }
                let stored = row::find(connection, Uuid::from_u128(1)).unwrap().unwrap();
                prop_assert_eq!(stored.state, expected);
                for target in State::ALL {
                    let allowed = Step::ALL.iter().any(|step| next(expected, *step) == Ok(target));
                    let place = if target.is_final() { 1 } else { schema::RUNS + i64::from(target == State::New) };
                    connection.execute_batch("SAVEPOINT attempt").unwrap();
                    let forced = connection
                        .execute("UPDATE invocation SET state = ?, place = ?", rusqlite::params![target.name(), place]);
                    connection.execute_batch("ROLLBACK TO attempt; RELEASE attempt").unwrap();
                    prop_assert_eq!(forced.is_ok(), allowed, "{:?} to {:?}", expected, target);
                }
            }
            connection.execute_batch("ROLLBACK").unwrap();
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn invariant_06_an_id_is_used_once_also_when_its_record_was_purged() {
    let place = Place::new();
    let ledger = place.open_keeping(1);
    for number in 1..=3 {
        run(&ledger, number).await;
    }
    let AcceptError::Used { existing, .. } = ledger.accept(submission(3)).await.unwrap_err() else {
        panic!("accepted")
    };
    assert_eq!(existing.unwrap().state, State::Done);
    let AcceptError::Used { existing, .. } = ledger.accept(submission(1)).await.unwrap_err() else {
        panic!("accepted")
    };
    assert!(existing.is_none(), "it was purged, and is remembered");
    let used = async |number| ledger.used(Uuid::from_u128(number)).await.unwrap();
    assert!(matches!(used(3).await, Some(Some(_))));
    assert!(matches!(used(1).await, Some(None)));
    assert!(used(9).await.is_none());
    assert_eq!(ledger.kept(), 1);
}

#[tokio::test]
async fn invariant_07_after_a_crash_the_running_action_goes_first_until_it_has_crashed_three_times() {
    let place = Place::new();
    let ledger = place.open();
    for number in 1..=2 {
        ledger.accept(submission(number)).await.unwrap();
    }
    take(&ledger).await;
    ledger
        .checkpoint(Uuid::from_u128(1), payload("[7]"), NONE)
        .await
        .unwrap();
    drop(ledger);
    for attempt in 2..=3 {
        let task = take(&place.open()).await;
        assert_eq!((task.record.id.as_u128(), task.record.attempt), (1, attempt));
        assert_eq!(task.record.state_payload.unwrap().get(), "[7]");
    }
    let ledger = place.open();
    assert_eq!(take(&ledger).await.record.id.as_u128(), 2, "the queue goes on");
    assert_eq!(state(&ledger, 1).await.error.unwrap().code, "crashed");
}

#[tokio::test]
async fn invariant_07_orderly_restarts_and_checkpoints_are_no_crashes() {
    let place = Place::new();
    place.open().accept(submission(1)).await.unwrap();
    for round in 0..8 {
        let ledger = place.open();
        let task = take(&ledger).await;
        assert_eq!(task.record.id.as_u128(), 1, "round {round}");
        if round % 2 == 0 {
            ledger.park(task.record.id, NONE).await.unwrap();
        } else {
            ledger.checkpoint(task.record.id, payload("0"), NONE).await.unwrap();
        }
    }
}

#[tokio::test]
async fn invariant_07_running_time_of_earlier_attempts_counts() {
    let place = Place::new();
    let ledger = place.open();
    ledger.accept(submission(1)).await.unwrap();
    let id = take(&ledger).await.record.id;
    ledger.park(id, std::time::Duration::from_secs(60)).await.unwrap();
    drop(ledger);
    assert_eq!(state(&place.open(), 1).await.error.unwrap().code, "deadline");
}

#[tokio::test]
async fn invariant_08_a_record_that_is_not_what_was_accepted_fails_alone() {
    let place = Place::new();
    let ledger = place.open();
    for number in 1..=2 {
        ledger.accept(submission(number)).await.unwrap();
    }
    // Long enough to be kept apart from its record.
    let long = Some(payload(&format!("{:?}", "x".repeat(2000))));
    for number in 3..=4 {
        let args = long.clone();
        ledger
            .accept(Submission {
                args,
                ..submission(number)
            })
            .await
            .unwrap();
    }
    ledger.accept(submission(5)).await.unwrap();
    drop(ledger);
    let raw = place.raw();
    raw.execute_batch(
        "CREATE TEMP TABLE short AS SELECT * FROM invocation WHERE seq <= 2;
         DELETE FROM invocation WHERE seq <= 2;
         UPDATE short SET args = '{\"n\":2}' WHERE seq = 1;
         UPDATE short SET kind = 'no kind at all' WHERE seq = 2;
         INSERT INTO invocation SELECT * FROM short;
         CREATE TEMP TABLE long AS SELECT * FROM request WHERE seq = 3;
         DELETE FROM request;
         INSERT INTO request SELECT seq, '{\"n\":2}', headers, preconditions, trace FROM long;",
    )
    .unwrap();
    let ledger = place.open();
    assert_eq!(take(&ledger).await.record.id.as_u128(), 5);
    for number in 1..=4 {
        let record = state(&ledger, number).await;
        assert_eq!(
            (record.state, record.error.unwrap().code.as_str()),
            (State::Failed, "damaged"),
            "{number}"
        );
    }
    assert_eq!(
        ledger.finished(None, 10).await.unwrap().items.len(),
        4,
        "they can still be listed"
    );
}

#[tokio::test]
async fn invariant_10_every_step_is_history_until_its_record_goes() {
    let place = Place::new();
    let ledger = place.open_keeping(2);
    ledger.accept(submission(1)).await.unwrap();
    let id = take(&ledger).await.record.id;
    ledger.checkpoint(id, payload("1"), NONE).await.unwrap();
    let error = ErrorRecord {
        code: "x".into(),
        message: "y".into(),
        retryable: true,
    };
    ledger.attempt_failed(id, error.clone(), NONE).await.unwrap();
    ledger.next_attempt(id, NONE).await.unwrap();
    ledger.end(id, Ending::Failed(error), NONE, None).await.unwrap();
    let mut steps = Vec::new();
    let mut from = None;
    loop {
        let page = ledger.history(id, from, 2).await.unwrap().unwrap();
        steps.extend(
            page.items
                .iter()
                .map(|step| (step.version, step.state, step.attempt, step.error.is_some())),
        );
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let running = State::Running;
    assert_eq!(
        steps,
        [
            (1, State::New, 0, false),
            (2, running, 1, false),
            (3, running, 1, false),
            (4, running, 1, true),
            (5, running, 2, false),
            (6, State::Failed, 2, true)
        ]
    );
    for number in 2..=3 {
        run(&ledger, number).await;
    }
    assert!(ledger.record(id).await.unwrap().is_none());
    assert_eq!(ledger.kept(), 2, "by count, the oldest first");
    let left: i64 = place
        .raw()
        .query_row("SELECT count(*) FROM history", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn invariant_11_a_full_disk_changes_nothing_and_is_survived() {
    let place = Place::new();
    let (full, reserve) = (Arc::new(AtomicBool::new(false)), place.held.reserve());
    // No page left, but for those that the reserve has kept back.
    let ledger = place.open_on(full_when(&full, move |used| {
        used + if reserve.exists() { 0 } else { 16 }
    }));
    ledger.accept(submission(1)).await.unwrap();
    let id = take(&ledger).await.record.id;
    full.store(true, Ordering::SeqCst);
    let big = payload(&format!("{:?}", "x".repeat(20_000)));
    let refused = ledger
        .accept(Submission {
            args: Some(big.clone()),
            ..submission(2)
        })
        .await
        .unwrap_err();
    assert!(matches!(refused, AcceptError::Write(WriteError::NoSpace)), "{refused}");
    assert!(
        ledger.record(Uuid::from_u128(2)).await.unwrap().is_none(),
        "nothing is half-written"
    );
    assert_eq!(ledger.health(), Status::NoSpace);
    ledger.end(id, Ending::Done(big.clone()), NONE, None).await.unwrap();
    assert_eq!(
        state(&ledger, 1).await.state,
        State::Done,
        "the reserve lets the running action's end be recorded"
    );
    full.store(false, Ordering::SeqCst);
    ledger
        .accept(Submission {
            args: Some(big),
            ..submission(2)
        })
        .await
        .unwrap();
    assert_eq!(ledger.health(), Status::Recording, "without a restart");
    assert!(place.held.reserve().exists(), "the reserve is back");
}

#[tokio::test]
async fn invariant_11_a_ledger_that_cannot_trust_its_disk_refuses_all_further_work() {
    let place = Place::new();
    let ledger = place.open();
    ledger.accept(submission(1)).await.unwrap();
    place.raw().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(place.held.database())
        .unwrap();
    let length = file.metadata().unwrap().len();
    std::os::unix::fs::FileExt::write_all_at(&file, &vec![0xff; usize::try_from(length).unwrap() - 4096], 4096)
        .unwrap();
    let mut last = None;
    for number in 2..200 {
        match ledger.accept(submission(number)).await {
            Ok(_) => {}
            Err(error) => {
                last = Some(error);
                break;
            }
        }
    }
    assert!(
        matches!(last, Some(AcceptError::Write(WriteError::Closed(_)))),
        "{last:?}"
    );
    assert!(!ledger.failed().await.is_empty());
    let later = ledger.accept(submission(500)).await.unwrap_err();
    assert!(matches!(later, AcceptError::Write(WriteError::Closed(_))), "{later}");
}

#[tokio::test]
async fn invariant_11_once_failed_nothing_is_written_by_any_path() {
    let place = Place::new();
    let ledger = place.open();
    ledger.accept(submission(1)).await.unwrap();
    // As a sync leaves it that failed while the writer cleaned up.
    ledger.health.set(Status::Failed("a sync failed".into()));
    let refused = ledger.accept(submission(2)).await.unwrap_err();
    assert!(
        matches!(refused, AcceptError::Write(WriteError::Closed(_))),
        "{refused}"
    );
    assert!(ledger.record(Uuid::from_u128(2)).await.unwrap().is_none());
}

#[tokio::test]
async fn invariant_11_the_reserve_is_kept_for_the_end_and_comes_back() {
    let place = Place::new();
    let (full, reserve) = (Arc::new(AtomicBool::new(false)), place.held.reserve());
    let mut limit = None;
    let ledger = place.open_on(full_when(&full, move |used| {
        *limit.get_or_insert(used) + if reserve.exists() { 0 } else { 16 }
    }));
    ledger.accept(submission(1)).await.unwrap();
    let id = take(&ledger).await.record.id;
    full.store(true, Ordering::SeqCst);
    let big = || payload(&format!("{:?}", "x".repeat(20_000)));
    for _ in 0..6 {
        let refused = ledger.checkpoint(id, big(), NONE).await.unwrap_err();
        assert!(matches!(refused, WriteError::NoSpace), "{refused}");
    }
    assert!(matches!(
        ledger.cancel(Uuid::from_u128(9)).await,
        Err(CancelError::Unknown(_))
    ));
    assert_eq!(ledger.health(), Status::NoSpace, "what writes nothing shows nothing");
    ledger.end(id, Ending::Done(big()), NONE, None).await.unwrap();
    full.store(false, Ordering::SeqCst);
    ledger.accept(submission(2)).await.unwrap();
    assert!(place.held.reserve().exists());
    assert_eq!(ledger.health(), Status::Recording);
}

#[tokio::test]
async fn a_start_that_was_not_written_does_not_hold_the_queue() {
    let place = Place::new();
    let broken = Arc::new(AtomicBool::new(false));
    let ledger = place.open_on({
        let broken = broken.clone();
        Box::new(move |connection: &Connection| {
            let sql = if broken.load(Ordering::SeqCst) {
                "CREATE TEMP TRIGGER IF NOT EXISTS x BEFORE UPDATE ON main.invocation BEGIN SELECT RAISE(ABORT, 'no'); END"
            } else {
                "DROP TRIGGER IF EXISTS temp.x"
            };
            connection.execute_batch(sql).unwrap();
        })
    });
    let preconditions = Some(Preconditions::default());
    ledger
        .accept(Submission {
            preconditions,
            ..submission(1)
        })
        .await
        .unwrap();
    let task = take(&ledger).await;
    assert!(!task.begun);
    broken.store(true, Ordering::SeqCst);
    ledger.begin(task.record.id).await.unwrap_err();
    broken.store(false, Ordering::SeqCst);
    // Who asks for work holds none, so the same is looked at again.
    assert_eq!(take(&ledger).await.record.id, task.record.id);
}

#[tokio::test]
async fn invariant_08_a_record_damaged_between_two_attempts_is_not_run_again() {
    let place = Place::new();
    let ledger = place.open();
    ledger.accept(submission(1)).await.unwrap();
    let id = take(&ledger).await.record.id;
    let error = ErrorRecord {
        code: "x".into(),
        message: "y".into(),
        retryable: true,
    };
    ledger.attempt_failed(id, error, NONE).await.unwrap();
    place
        .raw()
        .execute_batch(
            "CREATE TEMP TABLE kept AS SELECT * FROM invocation; DELETE FROM invocation;
             UPDATE kept SET args = '{\"n\":2}'; INSERT INTO invocation SELECT * FROM kept;",
        )
        .unwrap();
    let refused = ledger.next_attempt(id, NONE).await.unwrap_err();
    assert!(matches!(refused, WriteError::Unlawful(_)), "{refused}");
    let record = state(&ledger, 1).await;
    assert_eq!(
        (record.state, record.error.unwrap().code.as_str()),
        (State::Failed, "damaged")
    );
}

#[tokio::test]
async fn invariant_12_a_log_whose_database_is_gone_is_refused() {
    let place = Place::new();
    let ledger = place.open();
    ledger.accept(submission(1)).await.unwrap();
    // As a crash leaves it, and an operator then moves the database away.
    let other = Place::new();
    let log = other.held.path().join("agent.db-wal");
    std::fs::copy(place.held.path().join("agent.db-wal"), &log).unwrap();
    let refused = Ledger::open(
        &other.held,
        Limits {
            max_queued: 1,
            keep_finished: 1,
        },
    )
    .err()
    .unwrap();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("agent.db-wal"), "{refused}");
    assert!(probe(other.held.path()).is_err());
    assert!(!other.held.database().exists());
    std::fs::remove_file(log).unwrap();
    assert!(other.open().queue(None, 1).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn invariant_12_a_newer_or_damaged_database_is_refused_and_left_as_it_was() {
    let place = Place::new();
    drop(place.open().accept(submission(1)).await.unwrap());
    place.raw().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let file = place.held.database();
    let whole = std::fs::read(&file).unwrap();
    let refusal = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let refused = Ledger::open(
            &place.held,
            Limits {
                max_queued: 1,
                keep_finished: 1,
            },
        )
        .err()
        .unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "{refused}");
        refused
    };
    let mut newer = whole.clone();
    newer[63] = 200;
    assert!(matches!(
        refusal(&newer),
        OpenError::Newer {
            found: 200,
            known: schema::FORMAT,
            ..
        }
    ));
    let mut damaged = whole.clone();
    damaged[4096..8192].fill(0xff);
    assert!(matches!(refusal(&damaged), OpenError::Damaged { .. }));
    assert!(matches!(refusal(&whole[..5000]), OpenError::Damaged { .. }));
    assert!(matches!(refusal(b"not a database"), OpenError::Foreign { .. }));
    assert!(matches!(refusal(&[0; 4096]), OpenError::Foreign { .. }));
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(state(&place.open(), 1).await.state, State::New);
}

#[tokio::test]
async fn invariant_13_a_request_to_cancel_outlives_the_agent() {
    let place = Place::new();
    let ledger = place.open();
    for number in 1..=2 {
        ledger.accept(submission(number)).await.unwrap();
    }
    take(&ledger).await;
    let waiting = ledger.cancel(Uuid::from_u128(2)).await.unwrap();
    assert_eq!(
        (waiting.state, waiting.error.unwrap().code.as_str()),
        (State::Failed, "cancelled")
    );
    let running = ledger.cancel(Uuid::from_u128(1)).await.unwrap();
    assert_eq!((running.state, running.cancel_requested), (State::Running, true));
    assert_eq!(*ledger.cancelled().borrow(), Some(Uuid::from_u128(1)));
    assert_eq!(
        ledger.cancel(Uuid::from_u128(1)).await.unwrap().version,
        running.version,
        "asked once"
    );
    drop(ledger);
    let ledger = place.open();
    assert_eq!(state(&ledger, 1).await.error.unwrap().code, "cancelled");
    assert!(matches!(
        ledger.cancel(Uuid::from_u128(1)).await,
        Err(CancelError::Finished)
    ));
    assert!(matches!(
        ledger.cancel(Uuid::from_u128(7)).await,
        Err(CancelError::Unknown(_))
    ));
}

#[tokio::test]
async fn who_reads_the_finished_and_then_the_queue_misses_none() {
    let place = Place::new();
    let ledger = place.open();
    for number in 1..=2 {
        ledger.accept(submission(number)).await.unwrap();
    }
    let task = take(&ledger).await;
    assert!(ledger.finished_brief().await.unwrap().is_empty());
    ledger.end(task.record.id, done(), NONE, None).await.unwrap();
    let queue: Vec<_> = ledger
        .queue_brief()
        .await
        .unwrap()
        .into_iter()
        .map(|brief| (brief.id.as_u128(), brief.state))
        .collect();
    assert_eq!(queue, [(1, State::Done), (2, State::New)]);
    assert_eq!(ledger.finished_brief().await.unwrap().len(), 1);
    assert_eq!(ledger.queue_brief().await.unwrap().len(), 1, "it has been shown");
}

#[tokio::test]
async fn pages_show_everything_once_whatever_is_written_meanwhile() {
    let place = Place::new();
    let ledger = place.open_keeping(100);
    for number in 1..=10 {
        run(&ledger, number).await;
    }
    let (mut seen, mut from) = (Vec::new(), None);
    loop {
        let page = ledger.finished(from, 3).await.unwrap();
        seen.extend(page.items.iter().map(|item| item.id.as_u128()));
        run(&ledger, 100 + u128::try_from(seen.len()).unwrap()).await;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(seen, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn a_full_queue_refuses_and_says_how_many_wait() {
    let place = Place::new();
    let ledger = Ledger::open(
        &place.held,
        Limits {
            max_queued: 2,
            keep_finished: 1,
        },
    )
    .unwrap();
    for number in 1..=2 {
        ledger.accept(submission(number)).await.unwrap();
    }
    let refused = ledger.accept(submission(3)).await.unwrap_err();
    assert!(matches!(refused, AcceptError::QueueFull { waiting: 2 }));
    let used = ledger.accept(submission(1)).await.unwrap_err();
    assert!(
        matches!(used, AcceptError::Used { .. }),
        "a used id goes before the queue's length"
    );
}

#[tokio::test]
async fn a_long_poll_is_woken_by_the_step_it_waits_for() {
    let place = Place::new();
    let ledger = place.open();
    ledger.accept(submission(1)).await.unwrap();
    let hour = std::time::Duration::from_secs(3600);
    let waiting = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.wait(Uuid::from_u128(1), 1, hour).await }
    });
    take(&ledger).await;
    assert_eq!(waiting.await.unwrap().unwrap().unwrap().version, 2);
    let now = ledger.wait(Uuid::from_u128(1), 1, hour).await.unwrap().unwrap();
    assert_eq!(now.version, 2, "another version is answered at once");
}

/// The numbers of acceptance order are not stored apart: the highest one there is has to be the last one given.
#[tokio::test]
async fn the_newest_record_is_not_purged_so_that_its_number_is_not_given_again() {
    let place = Place::new();
    let ledger = place.open_keeping(1);
    for number in 1..=2 {
        ledger.accept(submission(number)).await.unwrap();
    }
    let id = take(&ledger).await.record.id;
    ledger.cancel(Uuid::from_u128(2)).await.unwrap();
    ledger.end(id, done(), NONE, None).await.unwrap();
    drop(ledger);
    let ledger = place.open_keeping(1);
    assert!(
        ledger.record(id).await.unwrap().is_none(),
        "it ended last, and is not the newest"
    );
    ledger.accept(submission(3)).await.unwrap();
    let highest: i64 = place
        .raw()
        .query_row("SELECT max(seq) FROM invocation", [], |row| row.get(0))
        .unwrap();
    assert_eq!(highest, 3);
}

#[tokio::test]
async fn finished_records_gather_a_little_before_they_go_together() {
    let place = Place::new();
    let ledger = place.open_keeping(256);
    let mut kept = 0;
    for number in 1..=400 {
        run(&ledger, number).await;
        kept = kept.max(ledger.finished_brief().await.unwrap().len());
        assert!(kept <= 258, "{number}");
    }
    assert_eq!(kept, 258, "a hundredth more than are kept, and no more");
}

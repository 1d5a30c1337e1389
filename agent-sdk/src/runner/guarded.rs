//! What the runner and its guard promise of ends that are asked for, and of what stands in the runner's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

use super::bench::{Bench, GRACE, MISBEHAVE, PATIENCE, Parts, code, submission};
use super::guard::Guard;
use super::watch::{Phase, Watch, Watched};
use super::{Ended, Next, Paused};
use crate::action::Interrupt;
use crate::ledger::{BeforeWrite, StateDirectory, Submission, Task};
use crate::spec::{ErrorRecord, NodeState, Preconditions, Record, State};

const BLINK: Duration = Duration::from_millis(10);

/// The action `how`, running, and handed to whoever asks.
async fn begun(parts: &Parts, how: &str) -> Task {
    let ledger = &parts.runner.ledger;
    let submission = submission(MISBEHAVE, &format!(r#"{{"how":"{how}"}}"#));
    ledger.accept(submission).await.unwrap();
    let (taker, taken) = crate::ledger::Taker::new(|_| ());
    ledger.take(taker).await.unwrap();
    taken.await.unwrap()
}

fn guard(parts: &Parts) -> Guard {
    Guard {
        ledger: parts.runner.ledger.clone(),
        handlers: parts.runner.handlers.clone(),
        stop: parts.runner.stop.clone(),
        grace: GRACE,
        watch: parts.runner.watch.clone(),
    }
}

/// Blocks the handlers' runtime until what this returns is dropped.
async fn block(parts: &Parts) -> std::sync::mpsc::Sender<()> {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (blocks, blocked) = oneshot::channel();
    parts.runner.handlers.spawn(async move {
        blocks.send(()).unwrap();
        assert!(released.recv().is_err(), "nothing is sent");
    });
    blocked.await.unwrap();
    release
}

#[tokio::test]
async fn a_stop_drops_what_does_not_listen_and_the_next_start_goes_on_with_it() {
    let (bench, _place) = Bench::new();
    let id = bench.schedule(MISBEHAVE, r#"{"how":"ignore"}"#).await;
    bench.began.notified().await;
    let (ended, directory) = bench.stop().await;
    assert_eq!(ended, Ended::Stopped);
    let again = Bench::on(directory);
    again.until(id, |record| record.attempt == 2).await;
}

#[tokio::test]
async fn a_stop_leaves_what_never_yields_to_the_end_of_the_process() {
    let (bench, _place) = Bench::new();
    let id = bench.schedule(MISBEHAVE, r#"{"how":"block"}"#).await;
    bench.began.notified().await;
    let stopped = tokio::time::timeout(PATIENCE, bench.stop()).await;
    let (ended, directory) = stopped.expect("it does not stop");
    assert_eq!(ended, Ended::Left);
    let again = Bench::on(directory);
    again.until(id, |record| record.attempt == 2).await;
}

#[tokio::test]
async fn a_stop_in_a_pause_parks_the_action() {
    let (bench, _place) = Bench::new();
    let id = bench.schedule(MISBEHAVE, r#"{"how":"flaky","times":3}"#).await;
    bench.until(id, |record| record.error.is_some()).await;
    let (ended, directory) = bench.stop().await;
    assert_eq!(ended, Ended::Stopped);
    let again = Bench::on(directory);
    assert_eq!(again.ended(id).await.state, State::Done);
}

#[tokio::test]
async fn a_cancel_in_a_pause_ends_the_action_and_hides_nothing_that_was_sent() {
    let (bench, _place) = Bench::new();
    for (how, expected) in [
        (r#"{"how":"flaky","times":1000}"#, "cancelled"),
        (r#"{"how":"unanswered"}"#, "undecided"),
        (r#"{"how":"unansweredonce"}"#, "undecided"),
    ] {
        let id = bench.schedule(MISBEHAVE, how).await;
        bench.until(id, |record| record.error.is_some()).await;
        bench.ledger.cancel(id).await.unwrap();
        assert_eq!(code(&bench.ended(id).await), expected, "{how}");
    }
    let id = bench.schedule(MISBEHAVE, r#"{"how":"unansweredonce"}"#).await;
    bench.until(id, |record| record.attempt == 2).await;
    bench.ledger.cancel(id).await.unwrap();
    assert_eq!(
        code(&bench.ended(id).await),
        "undecided",
        "its second attempt found out nothing"
    );
}

#[tokio::test]
async fn what_was_cancelled_and_then_crashed_hides_nothing_that_was_sent() {
    let (parts, _place) = Parts::new();
    let id = begun(&parts, "unanswered").await.record.id;
    let ledger = parts.runner.ledger.clone();
    let undecided = ErrorRecord {
        code: "undecided".to_owned(),
        message: "sent".to_owned(),
        retryable: true,
    };
    ledger.attempt_failed(id, undecided, BLINK).await.unwrap();
    ledger.cancel(id).await.unwrap();
    let again = Bench::on(parts.directory);
    assert_eq!(code(&again.ended(id).await), "undecided");
}

#[tokio::test]
async fn a_stop_begins_no_handler() {
    let (parts, _place) = Parts::new();
    let task = begun(&parts, "count").await;
    let id = task.record.id;
    parts.runner.stop.cancel();
    assert!(matches!(parts.runner.attempts(task).await, Next::Ended(Ended::Stopped)));
    assert_eq!(parts.calls.load(Ordering::SeqCst), 0);
    let record = parts.runner.ledger.record(id).await.unwrap().unwrap();
    assert_eq!(record.state, State::Running, "it goes on at the next start");
}

#[tokio::test]
async fn no_attempt_follows_a_pause_that_has_used_up_the_time() {
    let (parts, _place) = Parts::new();
    let record = begun(&parts, "count").await.record;
    let error = ErrorRecord {
        code: "flaky".to_owned(),
        message: "not yet".to_owned(),
        retryable: true,
    };
    let spent = Duration::from_secs(record.deadline_s.into());
    let paused = parts.runner.pause(&record, &error, BLINK, spent).await;
    assert!(matches!(paused, Err(Paused::OutOfTime)));
}

#[tokio::test]
async fn a_runner_that_something_left_behind_blocks_ends_the_agent_also_when_it_was_idle() {
    let (mut parts, _place) = Parts::new();
    parts.runner.watch = Arc::new(Watch::with_step(BLINK));
    let bench = parts.start();
    let leaves = bench.schedule(MISBEHAVE, r#"{"how":"leave","triggered":true}"#).await;
    assert_eq!(bench.ended(leaves).await.state, State::Done);
    bench.trigger.notify_one();
    let next = bench.schedule(MISBEHAVE, r#"{"how":"count"}"#).await;
    let ended = tokio::time::timeout(PATIENCE, bench.runner).await.unwrap().unwrap();
    let kind = MISBEHAVE.to_owned();
    assert_eq!(ended, Ended::Blocked { id: next, kind });
}

#[tokio::test]
async fn a_runner_that_only_waits_is_not_taken_for_blocked() {
    let (parts, _place) = Parts::new();
    let record = begun(&parts, "count").await.record;
    let watch = parts.runner.watch.clone();
    let by = || match watch.lock().phase {
        Phase::Step { by, .. } => by,
        _ => panic!("it is at a step"),
    };
    watch.step(&record, Duration::ZERO);
    let (turn, first) = (watch.turn(), by());
    assert_eq!(guard(&parts).rouse(turn, record.id, MISBEHAVE.to_owned()).await, None);
    assert!(by() > first, "it has its time again");
    let _blocked = block(&parts).await;
    watch.step(&record, Duration::ZERO);
    assert_eq!(
        guard(&parts).rouse(turn, record.id, MISBEHAVE.to_owned()).await,
        None,
        "it has moved on since"
    );
    let ended = guard(&parts).rouse(watch.turn(), record.id, MISBEHAVE.to_owned()).await;
    assert!(matches!(ended, Some(Ended::Blocked { .. })), "{ended:?}");
}

/// An attempt of `record` that is under way, as far as the watch knows.
fn under_way(parts: &Parts, record: &Record, began: Instant) -> tokio::sync::watch::Receiver<Option<Interrupt>> {
    let (interrupt, interrupts) = tokio::sync::watch::channel(None);
    let handler = tokio::spawn(std::future::pending::<()>()).abort_handle();
    let attempt = Watched::new(record, Duration::ZERO, began, interrupt, handler);
    parts.runner.watch.attempt(attempt);
    interrupts
}

#[tokio::test]
async fn a_stop_is_bounded_also_where_the_runner_waits_for_a_disk_that_hangs() {
    let (parts, _place) = Parts::new();
    let record = begun(&parts, "count").await.record;
    let (guard, watch) = (guard(&parts), parts.runner.watch.clone());
    watch.step(&record, Duration::ZERO);
    let stopped = Instant::now();
    watch.lock().stopped_at = Some(stopped);
    // Nothing was heard of it for long already, and it is no more than waiting.
    if let Phase::Step { by, .. } = &mut watch.lock().phase {
        *by = stopped;
    }
    guard.look(Some(stopped));
    assert_eq!(guard.rouse(watch.turn(), record.id, MISBEHAVE.to_owned()).await, None);
    let next = watch.lock().next_look.unwrap();
    assert!(
        next <= stopped + GRACE + Duration::from_secs(2),
        "it is looked at in time"
    );
    watch.lock().stopped_at = Some(stopped - PATIENCE);
    assert!(matches!(guard.look(None), super::guard::Found::Overdue));
    parts.runner.stop.cancel();
    let _blocked = block(&parts).await;
    let ended = guard.rouse(watch.turn(), record.id, MISBEHAVE.to_owned()).await;
    assert_eq!(ended, Some(Ended::Left), "asked to stop, it is no fault");
}

#[tokio::test]
async fn an_attempt_that_has_ended_after_all_is_not_given_up() {
    let (parts, _place) = Parts::new();
    let record = begun(&parts, "count").await.record;
    let began = Instant::now();
    let _interrupts = under_way(&parts, &record, began);
    let turn = parts.runner.watch.turn();
    parts.runner.watch.step(&record, Duration::ZERO);
    let left = guard(&parts).leave(turn, record.id, MISBEHAVE.to_owned(), BLINK).await;
    assert_eq!(left, None);
    let _interrupts = under_way(&parts, &record, began);
    let turn = parts.runner.watch.turn();
    let left = guard(&parts).leave(turn, record.id, MISBEHAVE.to_owned(), BLINK).await;
    assert!(matches!(left, Some(Ended::Stuck { .. })), "{left:?}");
}

#[tokio::test]
async fn running_time_is_written_down_while_a_handler_runs() {
    let (parts, _place) = Parts::new();
    let record = begun(&parts, "ignore").await.record;
    let minute = Duration::from_secs(60);
    let Some(began) = Instant::now().checked_sub(minute / 2) else {
        panic!("this machine has not run for half a minute")
    };
    let _interrupts = under_way(&parts, &record, began);
    guard(&parts).look(None);
    // What is written in order is written once this is answered.
    assert!(parts.runner.ledger.cancel(Uuid::nil()).await.is_err());
    let database = rusqlite::Connection::open(parts.directory.database()).unwrap();
    let spent: i64 = database
        .query_row("SELECT spent_ms FROM invocation", [], |row| row.get(0))
        .unwrap();
    assert!((30_000..60_000).contains(&spent), "{spent}");
}

/// A ledger whose database refuses everything while it is told to, and tells when it does.
fn refusing(when: &Arc<AtomicBool>, refused: &Arc<Notify>) -> BeforeWrite {
    let (when, refused) = (when.clone(), refused.clone());
    Box::new(move |connection| {
        let refuses = when.load(Ordering::SeqCst);
        connection.pragma_update(None, "query_only", refuses).unwrap();
        if refuses {
            refused.notify_one();
        }
    })
}

#[tokio::test]
async fn what_the_database_refuses_for_a_while_is_written_later() {
    let place = tempfile::tempdir().unwrap();
    let directory = StateDirectory::acquire(place.path(), "test").unwrap();
    let (refuses, refused) = (Arc::<AtomicBool>::default(), Arc::<Notify>::default());
    let parts = Parts::on(directory, Some(refusing(&refuses, &refused)));
    let calls = parts.calls.clone();
    let bench = parts.start();
    let id = bench.schedule(MISBEHAVE, r#"{"how":"wait"}"#).await;
    bench.until(id, |record| record.state == State::Running).await;
    refuses.store(true, Ordering::SeqCst);
    bench.trigger.notify_one();
    refused.notified().await;
    refuses.store(false, Ordering::SeqCst);
    assert_eq!(bench.ended(id).await.state, State::Done);
    assert_eq!(calls.load(Ordering::SeqCst), 1, "it is written again, not done again");
    // Asked to stop meanwhile, it stops, and for no other reason.
    let id = bench.schedule(MISBEHAVE, r#"{"how":"wait"}"#).await;
    bench.until(id, |record| record.state == State::Running).await;
    refuses.store(true, Ordering::SeqCst);
    bench.trigger.notify_one();
    refused.notified().await;
    assert_eq!(bench.stop().await.0, Ended::Stopped);
}

#[tokio::test]
async fn what_cannot_be_begun_has_its_preconditions_looked_at_again() {
    let place = tempfile::tempdir().unwrap();
    let directory = StateDirectory::acquire(place.path(), "test").unwrap();
    let (refuses, refused) = (Arc::<AtomicBool>::default(), Arc::<Notify>::default());
    let bench = Parts::on(directory, Some(refusing(&refuses, &refused))).start();
    bench.slow.held.store(true, Ordering::SeqCst);
    let preconditions = Preconditions {
        node_status: vec![NodeState::Healthy],
        shards: std::collections::BTreeMap::new(),
    };
    let id = bench
        .submit(Submission {
            preconditions: Some(preconditions),
            ..submission(MISBEHAVE, r#"{"how":"count"}"#)
        })
        .await;
    bench.slow.asked.notified().await;
    refuses.store(true, Ordering::SeqCst);
    bench.slow.held.store(false, Ordering::SeqCst);
    bench.slow.let_go.notify_one();
    refused.notified().await;
    bench.slow.ill.store(true, Ordering::SeqCst);
    refuses.store(false, Ordering::SeqCst);
    let record = bench.ended(id).await;
    assert_eq!((code(&record), record.attempt), ("precondition_unmet", 0));
}

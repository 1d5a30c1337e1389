//! What the runner promises of actions that end, well or badly.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use uuid::Uuid;

use super::Ended;
use super::bench::{Bench, LOOP, MISBEHAVE, PATIENCE, code, submission};
use crate::ledger::Submission;
use crate::spec::{NodeState, Preconditions, State, stepped};

#[tokio::test]
async fn the_kinds_that_every_agent_has_do_what_they_say() {
    let (bench, _place) = Bench::new();
    let success = bench.schedule("agent.replicante.io/test.success", "{}").await;
    let fail = bench.schedule("agent.replicante.io/test.fail", "{}").await;
    let count = bench.schedule(LOOP, r#"{"target":3}"#).await;
    assert_eq!(bench.ended(success).await.state, State::Done);
    assert_eq!(code(&bench.ended(fail).await), "test_failed");
    let counted = bench.ended(count).await;
    assert_eq!(counted.output.unwrap().get(), r#"{"count":3,"target":3}"#);
    assert_eq!(counted.version, 6, "accepted, started, three checkpoints, done");
}

#[tokio::test]
async fn invariant_09_a_panic_fails_its_action_alone() {
    let (bench, _place) = Bench::new();
    let panics = bench.schedule(MISBEHAVE, r#"{"how":"panic"}"#).await;
    let next = bench.schedule(MISBEHAVE, r#"{"how":"count"}"#).await;
    let panicked = bench.ended(panics).await;
    assert_eq!(code(&panicked), "panicked");
    assert!(panicked.error.unwrap().message.contains("on purpose"));
    assert_eq!(bench.ended(next).await.state, State::Done);
}

#[tokio::test]
async fn invariant_09_a_handler_that_never_yields_ends_the_agent_and_fails_at_the_next_start() {
    let (bench, _place) = Bench::new();
    let id = bench
        .submit(Submission {
            deadline_s: 1,
            ..submission(MISBEHAVE, r#"{"how":"block"}"#)
        })
        .await;
    bench.until(id, |record| record.state == State::Running).await;
    let Bench {
        runner,
        directory,
        handlers,
        ..
    } = bench;
    let ended = tokio::time::timeout(PATIENCE, runner).await.unwrap().unwrap();
    assert!(
        matches!(ended, Ended::Stuck { id: stuck, .. } if stuck == id),
        "{ended:?}"
    );
    drop(handlers);
    let again = Bench::on(directory);
    let record = again.ended(id).await;
    assert_eq!((code(&record), record.attempt), ("deadline", 1), "it is not run again");
}

#[tokio::test]
async fn a_handler_that_never_waits_hears_that_it_has_to_end() {
    let (bench, _place) = Bench::new();
    let polls = |deadline_s| Submission {
        deadline_s,
        ..submission(MISBEHAVE, r#"{"how":"poll"}"#)
    };
    let cancelled = bench.submit(polls(60)).await;
    bench.until(cancelled, |record| record.state == State::Running).await;
    bench.ledger.cancel(cancelled).await.unwrap();
    assert_eq!(code(&bench.ended(cancelled).await), "cancelled");
    let late = bench.submit(polls(1)).await;
    assert_eq!(
        code(&bench.ended(late).await),
        "deadline",
        "it fails, and the agent lives"
    );
    // Those of the first two.
    bench.began.notified().await;
    let parked = bench.submit(polls(60)).await;
    bench.began.notified().await;
    let ledger = bench.ledger.clone();
    assert_eq!(bench.stop().await.0, Ended::Stopped);
    assert_eq!(ledger.record(parked).await.unwrap().unwrap().state, State::Running);
}

#[tokio::test]
async fn what_a_handler_leaves_behind_cannot_keep_the_agent_from_stopping() {
    let (bench, _place) = Bench::new();
    let id = bench.schedule(MISBEHAVE, r#"{"how":"leave"}"#).await;
    bench.until(id, |record| record.state != State::New).await;
    let stopped = tokio::time::timeout(PATIENCE, bench.stop()).await;
    let (ended, _directory) = stopped.expect("it does not stop");
    // The first where what was left behind had not begun to block.
    assert!(matches!(ended, Ended::Stopped | Ended::Left), "{ended:?}");
}

#[tokio::test]
async fn a_handler_that_ignores_its_deadline_is_dropped_after_the_grace() {
    let (bench, _place) = Bench::new();
    let id = bench
        .submit(Submission {
            deadline_s: 1,
            ..submission(MISBEHAVE, r#"{"how":"ignore"}"#)
        })
        .await;
    assert_eq!(code(&bench.ended(id).await), "deadline");
}

#[tokio::test]
async fn a_running_action_ends_at_its_next_checkpoint_when_it_is_cancelled() {
    let (bench, _place) = Bench::new();
    let id = bench.schedule(LOOP, r#"{"target":1000000,"delay_ms":1}"#).await;
    bench.until(id, |record| record.state_payload.is_some()).await;
    bench.ledger.cancel(id).await.unwrap();
    let record = bench.ended(id).await;
    assert_eq!((code(&record), record.cancel_requested), ("cancelled", true));
    let ignores = bench
        .submit(Submission {
            deadline_s: 1,
            ..submission(MISBEHAVE, r#"{"how":"ignore"}"#)
        })
        .await;
    bench.until(ignores, |record| record.state == State::Running).await;
    bench.ledger.cancel(ignores).await.unwrap();
    assert_eq!(
        code(&bench.ended(ignores).await),
        "cancelled",
        "who ignores it is dropped with the deadline"
    );
}

#[tokio::test]
async fn a_retryable_fault_is_tried_again_and_each_try_is_in_the_history() {
    let (bench, _place) = Bench::new();
    let id = bench.schedule(MISBEHAVE, r#"{"how":"flaky","times":2}"#).await;
    let waits = bench.schedule(MISBEHAVE, r#"{"how":"count"}"#).await;
    let record = bench.ended(id).await;
    assert_eq!(
        (record.state, record.attempt, record.output.unwrap().get()),
        (State::Done, 3, "3")
    );
    assert_eq!(record.error, None, "what came of the last attempt is what counts");
    let history = bench.ledger.history(id, None, 100).await.unwrap().unwrap().items;
    let tries: Vec<_> = history
        .iter()
        .filter_map(|step| step.error.as_ref().map(|_| step.attempt))
        .collect();
    assert_eq!(tries, [1, 2]);
    bench.ended(waits).await;
    let finished = bench.ledger.finished(None, 2).await.unwrap().items;
    assert_eq!(finished[1].id, id, "the queue waits");
}

#[tokio::test]
async fn retries_end_with_the_deadline_and_the_last_reason_is_told() {
    let (bench, _place) = Bench::new();
    let args = r#"{"how":"flaky","times":1000}"#;
    let id = bench
        .submit(Submission {
            deadline_s: 1,
            ..submission(MISBEHAVE, args)
        })
        .await;
    let error = bench.ended(id).await.error.unwrap();
    assert_eq!(error.code, "deadline");
    assert!(error.message.contains("not yet (flaky)"), "{}", error.message);
}

#[tokio::test]
async fn what_was_sent_and_not_answered_is_undecided_also_after_the_deadline() {
    let (bench, _place) = Bench::new();
    let id = bench
        .submit(Submission {
            deadline_s: 1,
            ..submission(MISBEHAVE, r#"{"how":"unanswered"}"#)
        })
        .await;
    assert_eq!(code(&bench.ended(id).await), "undecided");
}

#[tokio::test]
async fn a_final_fault_is_not_tried_again() {
    let (bench, _place) = Bench::new();
    let id = bench.schedule(MISBEHAVE, r#"{"how":"refuse"}"#).await;
    let record = bench.ended(id).await;
    assert_eq!((code(&record), record.attempt), ("refused", 1));
}

#[tokio::test]
async fn a_precondition_that_is_not_met_keeps_the_handler_from_running() {
    let (bench, _place) = Bench::new();
    let expecting = |state| {
        let preconditions = Preconditions {
            node_status: vec![state],
            shards: BTreeMap::new(),
        };
        Submission {
            preconditions: Some(preconditions),
            ..submission(MISBEHAVE, r#"{"how":"count"}"#)
        }
    };
    let unmet = bench.submit(expecting(NodeState::NotInCluster)).await;
    let met = bench.submit(expecting(NodeState::Healthy)).await;
    let record = bench.ended(unmet).await;
    assert_eq!(
        (code(&record), record.attempt, record.started_ts),
        ("precondition_unmet", 0, None)
    );
    assert_eq!(
        bench.ended(met).await.output.unwrap().get(),
        "1",
        "the first call is the one whose preconditions hold"
    );
}

#[tokio::test]
async fn a_precondition_is_held_against_the_node_as_it_is_whatever_others_have_just_been_told() {
    let (bench, _place) = Bench::new();
    assert_eq!(bench.observer.node().await.status.state(), NodeState::Healthy);
    bench.slow.ill.store(true, Ordering::SeqCst);
    assert_eq!(
        bench.observer.node().await.status.state(),
        NodeState::Healthy,
        "given again"
    );
    let preconditions = Preconditions {
        node_status: vec![NodeState::Healthy],
        shards: BTreeMap::new(),
    };
    let id = bench
        .submit(Submission {
            preconditions: Some(preconditions),
            ..submission(MISBEHAVE, r#"{"how":"count"}"#)
        })
        .await;
    assert_eq!(code(&bench.ended(id).await), "precondition_unmet");
}

/// An action whose preconditions are being looked at, and do not hold.
async fn looked_at(bench: &Bench) -> Uuid {
    bench.slow.held.store(true, Ordering::SeqCst);
    let preconditions = Preconditions {
        node_status: vec![NodeState::NotInCluster],
        shards: BTreeMap::new(),
    };
    let id = bench
        .submit(Submission {
            preconditions: Some(preconditions),
            ..submission(MISBEHAVE, r#"{"how":"count"}"#)
        })
        .await;
    bench.slow.asked.notified().await;
    id
}

#[tokio::test]
async fn an_action_that_is_cancelled_while_it_is_looked_at_does_not_hold_the_queue() {
    let (bench, _place) = Bench::new();
    let id = looked_at(&bench).await;
    let next = bench.schedule(MISBEHAVE, r#"{"how":"count"}"#).await;
    bench.ledger.cancel(id).await.unwrap();
    bench.slow.let_go.notify_one();
    assert_eq!(code(&bench.ended(id).await), "cancelled");
    assert_eq!(bench.ended(next).await.state, State::Done);
}

#[tokio::test]
async fn a_stop_while_an_action_is_looked_at_starts_nothing() {
    let (bench, _place) = Bench::new();
    let id = looked_at(&bench).await;
    let ledger = bench.ledger.clone();
    let (ended, _directory) = bench.stop().await;
    assert_eq!(ended, Ended::Stopped);
    assert_eq!(ledger.record(id).await.unwrap().unwrap().state, State::New);
}

#[tokio::test]
async fn a_stop_parks_the_running_action_and_the_next_start_goes_on_from_its_checkpoint() {
    let (bench, _place) = Bench::new();
    let id = bench.schedule(LOOP, r#"{"target":200,"delay_ms":5}"#).await;
    let waits = bench.schedule("agent.replicante.io/test.success", "{}").await;
    bench.until(id, |record| record.state_payload.is_some()).await;
    let (ended, directory) = bench.stop().await;
    assert_eq!(ended, Ended::Stopped);
    let again = Bench::on(directory);
    let record = again.ended(id).await;
    assert_eq!((record.state, record.attempt), (State::Done, 2));
    assert_eq!(record.output.unwrap().get(), r#"{"count":200,"target":200}"#);
    let counts = again.ledger.history(id, None, 1000).await.unwrap().unwrap().items;
    let counts: Vec<_> = counts
        .iter()
        .filter_map(|step| step.state_payload.as_ref())
        .map(|text| text.get().to_owned())
        .collect();
    let expected: Vec<_> = (1..=200)
        .map(|count| format!(r#"{{"count":{count},"target":200}}"#))
        .collect();
    assert_eq!(counts, expected, "no step is done twice");
    assert_eq!(again.ended(waits).await.state, State::Done);
}

#[tokio::test]
async fn an_idle_runner_stops_at_once() {
    let (bench, _place) = Bench::new();
    let id = bench.schedule("agent.replicante.io/test.success", "{}").await;
    bench.ended(id).await;
    assert_eq!(bench.stop().await.0, Ended::Stopped);
}

#[tokio::test]
async fn promise_l12_steps_of_the_clock_change_no_order_no_deadline_and_no_record() {
    const YEARS: i64 = 10 * 365 * 24 * 3600;
    let (bench, _place) = Bench::new();
    let mut order = Vec::new();
    let mut first = None;
    for step in [3600, -7200, YEARS, -2 * YEARS, 2 * YEARS, -YEARS + 3600] {
        // Long enough to be running while the clock is stepped, and with a pause between two attempts in it.
        let runs = bench.schedule(LOOP, r#"{"target":20,"delay_ms":1}"#).await;
        let flaky = Submission {
            deadline_s: 30,
            ..submission(MISBEHAVE, r#"{"how":"flaky","times":1}"#)
        };
        let pauses = bench.submit(flaky).await;
        bench.until(runs, |record| record.state_payload.is_some()).await;
        stepped::by(step);
        bench.ended(pauses).await;
        stepped::by(-step);
        first.get_or_insert(runs);
        order.extend([runs, pauses]);
    }
    for id in &order {
        assert_eq!(bench.ended(*id).await.state, State::Done);
    }
    let finished = bench.ledger.finished(None, 100).await.unwrap().items;
    let mut shown: Vec<_> = finished.iter().map(|record| record.id).collect();
    shown.reverse();
    assert_eq!(shown, order, "as accepted, and all of them");
    assert!(
        bench.ledger.record(first.unwrap()).await.unwrap().is_some(),
        "nothing is purged by age"
    );
}

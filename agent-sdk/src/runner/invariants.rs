//! What the runner promises, with handlers that do what handlers should not. Longer than other files: one bench and all
//! that is done on it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use crate::action::{Action, ActionError, Fault, Invocation, Kind};
use crate::datastore::{Configured, DataStore, Memory, StoreError};
use crate::ledger::{Limits, StateDirectory, Submission};
use crate::spec::{
    Attributes, Identity, KindName, Map, NodeState, NodeStatus, Preconditions, Requester, Shard, stepped,
};

const DEADLINE: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(30);

/// A handler that misbehaves as its arguments say.
struct Misbehaves(AtomicU32);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", tag = "how")]
enum How {
    Panic,
    Block,
    /// Blocks, and asks whether it has to end without ever waiting.
    Poll,
    /// Leaves something behind that blocks, and is done.
    Leave,
    Ignore,
    Flaky {
        times: u32,
    },
    Refuse,
    Unanswered,
    Count,
}

impl Kind for Misbehaves {
    const KIND: &'static str = "example.org/misbehave";
    const SUMMARY: &'static str = "Misbehaves as asked.";
    const DEADLINE: Duration = DEADLINE;
    type Args = How;
    type Output = u32;
}

impl Action for Misbehaves {
    async fn run(&self, how: &How, invocation: &mut Invocation) -> Result<u32, ActionError> {
        let calls = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        match how {
            How::Panic => panic!("on purpose"),
            How::Block => loop {
                std::thread::park();
            },
            How::Poll => loop {
                invocation.proceed()?;
                std::thread::park_timeout(Duration::from_millis(1));
            },
            How::Leave => {
                tokio::spawn(async {
                    loop {
                        std::thread::park();
                    }
                });
                Ok(calls)
            }
            How::Ignore => std::future::pending().await,
            How::Refuse => Err(ActionError::Final(Fault::new("refused", "no"))),
            How::Flaky { times } if invocation.attempt() <= *times => Err(ActionError::retry("flaky", "not yet")),
            How::Flaky { .. } => Ok(invocation.attempt()),
            How::Unanswered => Err(ActionError::Retry(Fault::undecided("sent, and not answered"))),
            How::Count => Ok(calls),
        }
    }
}

/// A healthy store without shards, that can be told to answer its status later.
#[derive(Default)]
struct Healthy {
    slow: Arc<Slow>,
}

/// Holds the status back, once it is held, until it is let go; and tells that it was asked for.
#[derive(Default)]
struct Slow {
    ill: AtomicBool,
    held: AtomicBool,
    asked: Notify,
    let_go: Notify,
}

impl DataStore for Healthy {
    const STORE_ID: &'static str = "healthy";

    async fn status(&self) -> NodeStatus {
        if self.slow.ill.load(Ordering::SeqCst) {
            return NodeStatus::unhealthy("on purpose");
        }
        if self.slow.held.load(Ordering::SeqCst) {
            self.slow.asked.notify_one();
            self.slow.let_go.notified().await;
        }
        NodeStatus::healthy()
    }

    async fn identity(&self) -> Identity {
        Identity::default()
    }

    async fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn shards(&self) -> Result<Vec<Shard>, StoreError> {
        Ok(Vec::new())
    }

    async fn attributes(&self, _: Map) -> Attributes {
        Attributes::new()
    }
}

/// A ledger with a runner on it, as an agent has them.
struct Bench {
    ledger: Ledger,
    slow: Arc<Slow>,
    observer: Arc<Observer>,
    stop: CancellationToken,
    runner: JoinHandle<Ended>,
    directory: StateDirectory,
    handlers: Handlers,
}

/// A runtime that is left to itself when it is dropped, blocked or not.
struct Handlers(Option<Runtime>);

impl Drop for Handlers {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Bench {
    fn on(directory: StateDirectory) -> Self {
        let ledger = Ledger::open(
            &directory,
            Limits {
                max_queued: 100,
                keep_finished: 100,
            },
        )
        .unwrap();
        let mut catalogue = Catalogue::new().unwrap();
        catalogue.add(Misbehaves(AtomicU32::new(0))).unwrap();
        let configured = Configured {
            node_id: None,
            store_version: None,
            address: None,
            cluster_id: None,
            attributes: Attributes::new(),
            deadline: PATIENCE,
            // As long as may be: what relies on the node has it looked at anew all the same.
            reuse: Duration::from_secs(10),
        };
        let metrics = Arc::new(Metrics::default());
        let slow = Arc::<Slow>::default();
        let observer = Observer::new(
            Arc::new(Healthy { slow: slow.clone() }),
            configured,
            Memory::none(),
            metrics.clone(),
            &Handle::current(),
        );
        let observer = Arc::new(observer);
        let handlers = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let stop = CancellationToken::new();
        let runner = Runner {
            ledger: ledger.clone(),
            catalogue: Arc::new(catalogue),
            observer: observer.clone(),
            metrics,
            handlers: handlers.handle().clone(),
            grace: GRACE,
            stop: stop.clone(),
            watch: Arc::default(),
        };
        Self {
            ledger,
            slow,
            observer,
            stop,
            runner: tokio::spawn(runner.run()),
            directory,
            handlers: Handlers(Some(handlers)),
        }
    }

    fn new() -> (Self, tempfile::TempDir) {
        let place = tempfile::tempdir().unwrap();
        (Self::on(StateDirectory::acquire(place.path(), "test").unwrap()), place)
    }

    async fn schedule(&self, kind: &str, args: &str) -> Uuid {
        self.submit(submission(kind, args)).await
    }

    async fn submit(&self, submission: Submission) -> Uuid {
        self.ledger.accept(submission).await.unwrap().id
    }

    /// The record once `wanted` holds of it.
    async fn until(&self, id: Uuid, wanted: impl Fn(&Record) -> bool) -> Record {
        let wait = async {
            let mut after = 0;
            loop {
                let record = self.ledger.wait(id, after, PATIENCE).await.unwrap().unwrap();
                if wanted(&record) {
                    return record;
                }
                after = record.version;
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .expect("the record did not come to what was waited for")
    }

    async fn ended(&self, id: Uuid) -> Record {
        self.until(id, |record| record.state.is_final()).await
    }

    /// Ends everything and hands the state directory on.
    async fn stop(self) -> (Ended, StateDirectory) {
        let Self {
            ledger: _,
            slow: _,
            observer: _,
            stop,
            runner,
            directory,
            handlers: _,
        } = self;
        stop.cancel();
        (runner.await.unwrap(), directory)
    }
}

fn submission(kind: &str, args: &str) -> Submission {
    Submission {
        id: Uuid::new_v4(),
        kind: KindName::parse(kind).unwrap(),
        args: Some(serde_json::value::RawValue::from_string(args.to_owned()).unwrap()),
        headers: BTreeMap::new(),
        requester: Requester::default(),
        preconditions: None,
        deadline_s: 60,
        trace: None,
        created_ts: None,
    }
}

fn code(record: &Record) -> &str {
    record.error.as_ref().map_or("", |error| &error.code)
}

const MISBEHAVE: &str = "example.org/misbehave";
const LOOP: &str = "agent.replicante.io/test.loop";

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
        ledger,
        slow: _,
        observer: _,
        stop: _,
        runner,
        directory,
        handlers,
    } = bench;
    let ended = tokio::time::timeout(PATIENCE, runner).await.unwrap().unwrap();
    assert!(
        matches!(ended, Ended::Stuck { id: stuck, .. } if stuck == id),
        "{ended:?}"
    );
    drop((handlers, ledger));
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
    let parked = bench.submit(polls(60)).await;
    bench.until(parked, |record| record.state == State::Running).await;
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
    assert_eq!(stopped.expect("it does not stop").0, Ended::Stopped);
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

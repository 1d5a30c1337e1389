//! A runner on a ledger of its own, with handlers that do what handlers should not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Ended, Runner};
use crate::action::{Action, ActionError, Catalogue, Fault, Invocation, Kind};
use crate::datastore::{Configured, DataStore, Memory, Observer, StoreError};
use crate::ledger::{BeforeWrite, Ledger, Limits, StateDirectory, Submission};
use crate::spec::{Attributes, Identity, KindName, Map, NodeStatus, Record, Requester, Shard};
use crate::telemetry::Metrics;

const DEADLINE: Duration = Duration::from_secs(60);
pub(super) const GRACE: Duration = Duration::from_secs(1);
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A handler that misbehaves as its arguments say.
#[derive(Default)]
struct Misbehaves {
    calls: Arc<AtomicU32>,
    /// Told of each call.
    began: Arc<Notify>,
    /// What waits for it goes on.
    trigger: Arc<Notify>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", tag = "how")]
enum How {
    Panic,
    Block,
    /// Blocks, and asks whether it has to end without ever waiting.
    Poll,
    /// Leaves something behind that blocks, at once or when it is triggered, and is done.
    Leave {
        #[serde(default)]
        triggered: bool,
    },
    /// Is done when it is triggered.
    Wait,
    Ignore,
    Flaky {
        times: u32,
    },
    Refuse,
    Unanswered,
    /// The first attempt is not answered, the others wait until they are asked to end.
    UnansweredOnce,
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
        let calls = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        self.began.notify_one();
        match how {
            How::Panic => panic!("on purpose"),
            How::Block => loop {
                std::thread::park();
            },
            How::Poll => loop {
                invocation.proceed()?;
                std::thread::park_timeout(Duration::from_millis(1));
            },
            How::Leave { triggered } => {
                let trigger = triggered.then(|| self.trigger.clone());
                tokio::spawn(async move {
                    if let Some(trigger) = trigger {
                        trigger.notified().await;
                    }
                    loop {
                        std::thread::park();
                    }
                });
                Ok(calls)
            }
            How::Wait => {
                self.trigger.notified().await;
                Ok(calls)
            }
            How::Ignore => std::future::pending().await,
            How::Refuse => Err(ActionError::Final(Fault::new("refused", "no"))),
            How::Flaky { times } if invocation.attempt() <= *times => Err(ActionError::retry("flaky", "not yet")),
            How::Flaky { .. } => Ok(invocation.attempt()),
            How::UnansweredOnce if invocation.attempt() > 1 => {
                invocation.pause(PATIENCE).await?;
                Ok(calls)
            }
            How::Unanswered | How::UnansweredOnce => {
                Err(ActionError::Retry(Fault::undecided("sent, and not answered")))
            }
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
pub(super) struct Slow {
    pub(super) ill: AtomicBool,
    pub(super) held: AtomicBool,
    pub(super) asked: Notify,
    pub(super) let_go: Notify,
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

/// A runner that has not begun, and what it stands on.
pub(super) struct Parts {
    pub(super) runner: Runner,
    pub(super) slow: Arc<Slow>,
    pub(super) calls: Arc<AtomicU32>,
    pub(super) began: Arc<Notify>,
    pub(super) trigger: Arc<Notify>,
    pub(super) directory: StateDirectory,
    pub(super) handlers: Handlers,
}

/// A ledger with a runner on it, as an agent has them.
pub(super) struct Bench {
    pub(super) ledger: Ledger,
    pub(super) slow: Arc<Slow>,
    pub(super) began: Arc<Notify>,
    pub(super) trigger: Arc<Notify>,
    pub(super) observer: Arc<Observer>,
    pub(super) stop: CancellationToken,
    pub(super) runner: JoinHandle<Ended>,
    pub(super) directory: StateDirectory,
    pub(super) handlers: Handlers,
}

/// A runtime that is left to itself when it is dropped, blocked or not.
pub(super) struct Handlers(Option<Runtime>);

impl Drop for Handlers {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Parts {
    pub(super) fn on(directory: StateDirectory, before_write: Option<BeforeWrite>) -> Self {
        let limits = Limits {
            max_queued: 100,
            keep_finished: 100,
        };
        let ledger = Ledger::open_with(&directory, limits, before_write).unwrap();
        let misbehaves = Misbehaves::default();
        let (calls, trigger) = (misbehaves.calls.clone(), misbehaves.trigger.clone());
        let began = misbehaves.began.clone();
        let mut catalogue = Catalogue::new().unwrap();
        catalogue.add(misbehaves).unwrap();
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
        let handlers = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let runner = Runner {
            ledger,
            catalogue: Arc::new(catalogue),
            observer: Arc::new(observer),
            metrics,
            handlers: handlers.handle().clone(),
            grace: GRACE,
            stop: CancellationToken::new(),
            watch: Arc::default(),
        };
        Self {
            runner,
            slow,
            calls,
            began,
            trigger,
            directory,
            handlers: Handlers(Some(handlers)),
        }
    }

    pub(super) fn new() -> (Self, tempfile::TempDir) {
        let place = tempfile::tempdir().unwrap();
        let directory = StateDirectory::acquire(place.path(), "test").unwrap();
        (Self::on(directory, None), place)
    }

    pub(super) fn start(self) -> Bench {
        Bench {
            ledger: self.runner.ledger.clone(),
            slow: self.slow,
            began: self.began,
            trigger: self.trigger,
            observer: self.runner.observer.clone(),
            stop: self.runner.stop.clone(),
            runner: tokio::spawn(self.runner.run()),
            directory: self.directory,
            handlers: self.handlers,
        }
    }
}

impl Bench {
    pub(super) fn on(directory: StateDirectory) -> Self {
        Parts::on(directory, None).start()
    }

    pub(super) fn new() -> (Self, tempfile::TempDir) {
        let (parts, place) = Parts::new();
        (parts.start(), place)
    }

    pub(super) async fn schedule(&self, kind: &str, args: &str) -> Uuid {
        self.submit(submission(kind, args)).await
    }

    pub(super) async fn submit(&self, submission: Submission) -> Uuid {
        self.ledger.accept(submission).await.unwrap().id
    }

    /// The record once `wanted` holds of it.
    pub(super) async fn until(&self, id: Uuid, wanted: impl Fn(&Record) -> bool) -> Record {
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

    pub(super) async fn ended(&self, id: Uuid) -> Record {
        self.until(id, |record| record.state.is_final()).await
    }

    /// Ends everything and hands the state directory on.
    pub(super) async fn stop(self) -> (Ended, StateDirectory) {
        let Self {
            ledger: _,
            slow: _,
            began: _,
            trigger: _,
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

pub(super) fn submission(kind: &str, args: &str) -> Submission {
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

pub(super) fn code(record: &Record) -> &str {
    record.error.as_ref().map_or("", |error| &error.code)
}

pub(super) const MISBEHAVE: &str = "example.org/misbehave";
pub(super) const LOOP: &str = "agent.replicante.io/test.loop";

//! An agent in the test's process, and a store that does as it is told.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use super::super::service::Service;
use super::super::{Parts, Role, Server, Tokens};
use crate::action::{Action, ActionError, Catalogue, Converge, Invocation, Kind, Next, NoArgs, Plan};
use crate::config::{Anonymous, Api};
use crate::datastore::{Configured, DataStore, Memory, Observer, StoreError};
use crate::ledger::{Ledger, Limits, StateDirectory};
use crate::runner::Runner;
use crate::spec::{
    Addresses, AgentVersion, Attributes, Identity, Map, NodeStatus, ReplicationState, Shard, StoreVersion, Unit,
    WellKnown,
};
use crate::telemetry::Metrics;

/// Tokens of the two roles.
pub(super) const READS: &str = "a-token-that-reads";
pub(super) const ACTS: &str = "a-token-that-acts";

/// What the store says.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) status: NodeStatus,
    pub(super) identity: Identity,
    /// `Err` is a store that refuses.
    pub(super) cluster_id: Result<Option<&'static str>, &'static str>,
    pub(super) shards: Result<Vec<Shard>, &'static str>,
    pub(super) hangs: bool,
}

impl Default for Scene {
    fn default() -> Self {
        let addresses = Addresses {
            client: Some("h:2181".to_owned()),
            member: Some("server.1=h:2888:3888:participant;h:2181".to_owned()),
            others: [("admin".to_owned(), "h:8080".to_owned())].into(),
        };
        let identity = Identity {
            node_id: Some("n-1".to_owned()),
            version: StoreVersion::parse("3.9"),
            addresses,
        };
        let zxid = Unit::named("zxid");
        let shards = vec![
            Shard::new("a", ReplicationState::Primary, zxid.clone()).at(i64::MAX),
            Shard::new("b", ReplicationState::Secondary, zxid.clone())
                .at(7)
                .behind(0, Unit::Seconds),
            Shard::new("c", ReplicationState::Recovering, Unit::Milliseconds).behind(-5, Unit::named("entries")),
            Shard::new(
                "d",
                ReplicationState::Other("the \"copy\" is gone".to_owned()),
                Unit::Seconds,
            ),
        ];
        Self {
            status: NodeStatus::healthy(),
            identity,
            cluster_id: Ok(Some("cluster-1")),
            shards: Ok(shards),
            hangs: false,
        }
    }
}

/// The store.
struct Scripted(Arc<Mutex<Scene>>);

impl Scripted {
    async fn scene(&self) -> Scene {
        let scene = self.0.lock().unwrap().clone();
        if scene.hangs {
            std::future::pending::<()>().await;
        }
        scene
    }
}

impl DataStore for Scripted {
    const STORE_ID: &'static str = "scripted";

    async fn status(&self) -> NodeStatus {
        self.scene().await.status
    }

    async fn identity(&self) -> Identity {
        self.scene().await.identity
    }

    async fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        let answer = self
            .scene()
            .await
            .cluster_id
            .map_err(|error| StoreError::refused(anyhow::anyhow!(error)))?;
        Ok(answer.map(str::to_owned))
    }

    async fn shards(&self) -> Result<Vec<Shard>, StoreError> {
        self.scene()
            .await
            .shards
            .map_err(|error| StoreError::unreachable(anyhow::anyhow!(error)))
    }

    async fn attributes(&self, which: Map) -> Attributes {
        match which {
            Map::Node => Attributes::new().with("example.org/n", 1).with("example.org/on", true),
            Map::Store => Attributes::new()
                .with("example.org/none", json!(null))
                .with("example.org/x", 0.5),
        }
    }
}

/// Runs until it is asked to end.
struct Gate;

impl Kind for Gate {
    const KIND: &'static str = "example.org/gate";
    const SUMMARY: &'static str = "Runs until it is asked to end.";
    const DEADLINE: Duration = Duration::from_secs(60);
    type Args = NoArgs;
    type Output = NoArgs;
}

impl Action for Gate {
    async fn run(&self, _: &NoArgs, invocation: &mut Invocation) -> Result<NoArgs, ActionError> {
        invocation.interrupted().await;
        Err(ActionError::Interrupted)
    }
}

/// Brings a number up to a goal, in a world that cannot be changed.
pub(super) struct Raise;

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RaiseArgs {
    /// Where to.
    goal: u32,
}

impl Kind for Raise {
    const KIND: &'static str = "example.org/raise";
    const SUMMARY: &'static str = "Raises a number to its goal.";
    const DEADLINE: Duration = Duration::from_secs(60);
    type Args = RaiseArgs;
    type Output = NoArgs;
}

impl Converge for Raise {
    type View = u32;
    type Step = String;

    async fn observe(&self, _: &RaiseArgs, _: Option<&String>) -> Result<u32, ActionError> {
        Ok(1)
    }

    fn decide(args: &RaiseArgs, view: &u32, _: Option<&String>) -> Result<Next<String, NoArgs>, ActionError> {
        match args.goal {
            goal if goal <= *view => Ok(Next::Done(NoArgs {})),
            1000.. => Err(ActionError::last("too_high", "nothing goes that high")),
            goal => {
                let mut steps = (view + 1..=goal).map(|level| format!("raise to {level}"));
                Ok(Next::Do {
                    now: steps.next().unwrap_or_default(),
                    then: steps.collect(),
                })
            }
        }
    }

    async fn apply(&self, _: &RaiseArgs, _: &String, _: &Invocation) -> Result<(), ActionError> {
        Err(ActionError::last("fixed", "this world cannot be changed"))
    }

    fn unchecked(_: &RaiseArgs, _: &u32) -> Vec<String> {
        vec!["whether the number may be changed".to_owned()]
    }
}

/// Has a plan that goes wrong.
struct Broken;

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct BrokenArgs {
    /// Whether it hangs; else it panics.
    hangs: bool,
}

impl Kind for Broken {
    const KIND: &'static str = "example.org/broken";
    const SUMMARY: &'static str = "Has a plan that goes wrong.";
    const DEADLINE: Duration = Duration::from_secs(60);
    type Args = BrokenArgs;
    type Output = NoArgs;
}

impl Action for Broken {
    const PLANS: bool = true;

    async fn run(&self, _: &BrokenArgs, _: &mut Invocation) -> Result<NoArgs, ActionError> {
        Ok(NoArgs {})
    }

    async fn plan(&self, args: &BrokenArgs) -> Result<Plan, ActionError> {
        if args.hangs {
            std::future::pending::<()>().await;
        }
        panic!("a vendor's mistake")
    }
}

/// How a stage is set.
pub(super) struct Setting {
    pub(super) api: Api,
    pub(super) max_queued: usize,
    /// Whether actions are run, or only queued.
    pub(super) runs: bool,
    pub(super) cluster_id: Option<&'static str>,
}

impl Default for Setting {
    fn default() -> Self {
        let api = Api {
            bind: SocketAddr::from(([127, 0, 0, 1], 0)),
            anonymous: Some(Anonymous::Act),
            max_body_bytes: 4096,
            client_timeout_s: 1,
            ..Api::default()
        };
        Self {
            api,
            max_queued: 100,
            runs: false,
            cluster_id: None,
        }
    }
}

/// The agent.
pub(super) struct Stage {
    pub(super) address: SocketAddr,
    pub(super) scene: Arc<Mutex<Scene>>,
    pub(super) ledger: Ledger,
    pub(super) runtime: Runtime,
    /// The service without HTTP; it stops with `stop`, the server's own does not.
    pub(super) service: Service,
    pub(super) stop: CancellationToken,
    server: Option<Server>,
    _directory: StateDirectory,
    _place: tempfile::TempDir,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::set(Setting::default())
    }

    /// With actions that are run.
    pub(super) fn running() -> Self {
        Self::set(Setting {
            runs: true,
            ..Setting::default()
        })
    }

    pub(super) fn set(setting: Setting) -> Self {
        let Setting {
            api,
            max_queued,
            runs,
            cluster_id,
        } = setting;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let inside = runtime.enter();
        let place = tempfile::tempdir().unwrap();
        let directory = StateDirectory::acquire(place.path(), "wire").unwrap();
        let ledger = Ledger::open(
            &directory,
            Limits {
                max_queued,
                keep_finished: 100,
            },
        )
        .unwrap();
        let scene = Arc::new(Mutex::new(Scene::default()));
        let metrics = Arc::new(Metrics::default());
        let configured = Configured {
            node_id: None,
            store_version: None,
            address: None,
            cluster_id: cluster_id.map(str::to_owned),
            attributes: Attributes::new().with("replicante.io/zone", "z"),
            deadline: Duration::from_millis(200),
            reuse: Duration::ZERO,
        };
        let store = Arc::new(Scripted(scene.clone()));
        let observer = Observer::new(store, configured, Memory::none(), metrics.clone(), runtime.handle());
        let observer = Arc::new(observer);
        let catalogue = Arc::new(catalogue());
        let stop = CancellationToken::new();
        let parts = || Parts {
            observer: observer.clone(),
            ledger: ledger.clone(),
            catalogue: catalogue.clone(),
            version: AgentVersion {
                number: semver::Version::new(1, 2, 3),
                checkout: None,
                taint: None,
            },
            metrics: metrics.clone(),
            runtime: runtime.handle().clone(),
        };
        let service = Service::new(parts(), stop.clone());
        let tokens = Tokens::new().with(READS, Role::Read).with(ACTS, Role::Act);
        let listener = TcpListener::bind(api.bind).unwrap();
        let server = Server::start(listener, &api, parts(), tokens, Duration::from_secs(5)).unwrap();
        if runs {
            let runner = Runner {
                ledger: ledger.clone(),
                catalogue,
                observer,
                metrics,
                handlers: runtime.handle().clone(),
                grace: Duration::from_secs(5),
                stop: stop.clone(),
                watch: Arc::default(),
            };
            runtime.spawn(runner.run());
        }
        let address = server.address();
        drop(inside);
        Self {
            address,
            scene,
            ledger,
            runtime,
            service,
            stop,
            server: Some(server),
            _directory: directory,
            _place: place,
        }
    }

    pub(super) fn play(&self, change: impl FnOnce(&mut Scene)) {
        change(&mut self.scene.lock().unwrap());
    }

    /// Asks everybody to end and waits for the server to.
    fn end(&mut self) {
        self.stop.cancel();
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop()).unwrap();
        }
    }

    /// That no action was ever stored.
    #[track_caller]
    pub(super) fn assert_nothing_stored(&self) {
        let kept = self.runtime.block_on(async {
            let queue = self.ledger.queue(None, 10).await.unwrap().items;
            let finished = self.ledger.finished(None, 10).await.unwrap().items;
            queue.len() + finished.len()
        });
        assert_eq!(kept, 0);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.end();
    }
}

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::new().unwrap();
    catalogue.add(Gate).unwrap();
    catalogue.add(Raise).unwrap();
    catalogue.add(Broken).unwrap();
    catalogue.declare_absent(WellKnown::ClusterInit, "it forms by itself", "start the nodes");
    catalogue
}

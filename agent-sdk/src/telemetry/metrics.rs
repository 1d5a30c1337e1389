//! Metrics by Prometheus conventions.
//!
//! Every name, label and meaning is in `docs/metrics.md`, which a test compares with what is rendered. Units are seconds
//! and bytes, counters end in `_total`, and no label takes a value that a client chooses: kinds come from the catalogue,
//! routes are templates, and whatever is neither counts as `other`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::process::Process;
use super::text;
use crate::spec::State;

/// What is asked of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Observation {
    /// How the node is.
    Status,
    /// Who the node is.
    Identity,
    /// Attributes known without the store's process.
    NodeAttributes,
    /// The node's cluster.
    ClusterId,
    /// Attributes only the store's process knows.
    StoreAttributes,
    /// The node's shards.
    Shards,
}

impl Observation {
    /// Its name in logs and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Identity => "identity",
            Self::NodeAttributes => "node_attributes",
            Self::ClusterId => "cluster_id",
            Self::StoreAttributes => "store_attributes",
            Self::Shards => "shards",
        }
    }
}

/// How an observation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// With an answer.
    Answered,
    /// With the store's refusal or silence, told as an error.
    Failed,
    /// With the deadline.
    Deadline,
}

impl Outcome {
    /// Its name in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Deadline => "deadline",
        }
    }
}

/// What is read of the ledger whenever metrics are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgerGauges {
    /// Actions that wait and have not begun.
    pub waiting: usize,
    /// Finished actions that are kept.
    pub kept: usize,
    /// Whether the ledger records.
    pub recording: bool,
}

/// What metrics say of the program.
#[derive(Debug, Clone, Default)]
pub struct Build {
    /// The agent's version.
    pub version: String,
    /// Revision of its source.
    pub checkout: Option<String>,
    /// What kind of store it is for.
    pub store_id: String,
    /// Every kind of action that it offers; the only ones that become labels.
    pub kinds: BTreeSet<String>,
}

/// The label of what is not known.
const OTHER: &str = "other";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HttpLabels {
    method: &'static str,
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    kind: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ObservationLabels {
    observation: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: String,
    checkout: String,
    store_id: String,
}

type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// The agent's metrics.
pub struct Metrics {
    registry: Registry,
    kinds: BTreeSet<String>,
    requests: Family<HttpLabels, Counter>,
    request_duration: Durations<RouteLabels>,
    attempts: Family<KindLabels, Counter>,
    finished: Family<EndLabels, Counter>,
    action_duration: Durations<KindLabels>,
    observations: Family<ObservationLabels, Counter>,
    observation_duration: Durations<ObservationLabels>,
    ledger: Arc<LedgerReader>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(Build::default())
    }
}

impl Metrics {
    /// What [`Metrics::render`] writes, as a media type.
    pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// Metrics that all begin at zero.
    pub fn new(build: Build) -> Self {
        let quick: fn() -> Histogram =
            || Histogram::new([0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0]);
        let slow: fn() -> Histogram = || Histogram::new([0.01, 0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0]);
        let Build {
            version,
            checkout,
            store_id,
            kinds,
        } = build;
        let metrics = Self {
            registry: Registry::default(),
            kinds,
            requests: Family::default(),
            request_duration: Family::new_with_constructor(quick),
            attempts: Family::default(),
            finished: Family::default(),
            action_duration: Family::new_with_constructor(slow),
            observations: Family::default(),
            observation_duration: Family::new_with_constructor(quick),
            ledger: Arc::default(),
        };
        let about = Family::<BuildLabels, Gauge>::default();
        about
            .get_or_create(&BuildLabels {
                version,
                checkout: checkout.unwrap_or_default(),
                store_id,
            })
            .set(1);
        metrics.registered(about)
    }

    fn registered(mut self, about: Family<BuildLabels, Gauge>) -> Self {
        let all = &mut self.registry;
        all.register_collector(Box::new(Process::new()));
        let own = all.sub_registry_with_prefix("agent");
        own.register("build_info", "What runs here; always 1", about);
        own.register("http_requests", "HTTP requests answered", self.requests.clone());
        own.register_with_unit(
            "http_request_duration",
            "Time from a request's head to its answer, long polls included",
            Unit::Seconds,
            self.request_duration.clone(),
        );
        own.register("action_attempts", "Attempts of actions begun", self.attempts.clone());
        own.register(
            "actions_finished",
            "Actions that the runner ended, by final state; not those cancelled in the queue",
            self.finished.clone(),
        );
        own.register_with_unit(
            "action_duration",
            "Running time of ended actions, pauses between attempts included",
            Unit::Seconds,
            self.action_duration.clone(),
        );
        own.register(
            "observations",
            "Questions asked of the store",
            self.observations.clone(),
        );
        own.register_with_unit(
            "observation_duration",
            "Time that the store took to answer",
            Unit::Seconds,
            self.observation_duration.clone(),
        );
        own.register_collector(Box::new(Arc::clone(&self.ledger)));
        self
    }

    /// Says how the ledger's gauges are read. The first reader stays.
    pub fn read_ledger(&self, read: impl Fn() -> LedgerGauges + Send + Sync + 'static) {
        drop(self.ledger.read.set(Box::new(read)));
    }

    /// A request was answered. `route` is the template that it matched, such as `/api/v1/actions/{id}`, never a path that
    /// a client chose; none when it matched no route.
    pub fn http(&self, method: &str, route: Option<&'static str>, status: u16, took: Duration) {
        let method = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
            .into_iter()
            .find(|known| *known == method)
            .unwrap_or(OTHER);
        let route = route.unwrap_or(OTHER);
        self.request_duration
            .get_or_create(&RouteLabels { method, route })
            .observe(took.as_secs_f64());
        self.requests.get_or_create(&HttpLabels { method, route, status }).inc();
    }

    /// An attempt of an action begins.
    pub fn attempt(&self, kind: &str) {
        self.attempts.get_or_create(&KindLabels { kind: self.kind(kind) }).inc();
    }

    /// An action ended, after this much running time.
    pub fn finished(&self, kind: &str, state: State, ran: Duration) {
        let kind = self.kind(kind);
        self.action_duration
            .get_or_create(&KindLabels { kind: kind.clone() })
            .observe(ran.as_secs_f64());
        self.finished
            .get_or_create(&EndLabels {
                kind,
                state: state.name(),
            })
            .inc();
    }

    /// The store was asked.
    pub fn observed(&self, what: Observation, outcome: Outcome, took: Duration) {
        let labels = ObservationLabels {
            observation: what.name(),
            outcome: outcome.name(),
        };
        self.observation_duration
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
        self.observations.get_or_create(&labels).inc();
    }

    /// Everything, in Prometheus' text format.
    pub fn render(&self) -> String {
        let mut rendered = String::new();
        match prometheus_client::encoding::text::encode(&mut rendered, &self.registry) {
            Ok(()) => text::classic(&rendered),
            Err(error) => {
                tracing::error!(%error, "metrics cannot be written");
                String::new()
            }
        }
    }

    fn kind(&self, kind: &str) -> String {
        self.kinds.get(kind).map_or(OTHER, String::as_str).to_owned()
    }
}

/// Gauges that are read when they are asked for.
#[derive(Default)]
struct LedgerReader {
    read: OnceLock<Box<dyn Fn() -> LedgerGauges + Send + Sync>>,
}

impl fmt::Debug for LedgerReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerReader").finish_non_exhaustive()
    }
}

impl Collector for LedgerReader {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let LedgerGauges {
            waiting,
            kept,
            recording,
        } = self.read.get().map(|read| read()).unwrap_or_default();
        let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        for (name, help, value) in [
            (
                "actions_waiting",
                "Actions that wait and have not begun.",
                whole(waiting),
            ),
            ("actions_kept", "Finished actions that are kept.", whole(kept)),
            (
                "ledger_recording",
                "Whether the agent can record actions: 1 or 0.",
                i64::from(recording),
            ),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

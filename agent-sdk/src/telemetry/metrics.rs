//! Metrics by Prometheus conventions.

use std::time::Duration;

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

/// The agent's metrics.
#[derive(Debug, Default)]
pub struct Metrics {}

impl Metrics {
    /// An attempt at an action begins.
    pub fn attempt(&self, _kind: &str) {}

    /// An action has ended.
    pub fn finished(&self, _kind: &str, _state: crate::spec::State, _spent: Duration) {}

    /// The store was asked.
    pub fn observed(&self, _what: Observation, _outcome: Outcome, _took: Duration) {}

    /// A request was answered. `route` is its template, not its path.
    pub fn http(&self, _method: &'static str, _route: &'static str, _status: u16, _took: Duration) {}

    /// The media type of [`Metrics::render`].
    pub const MEDIA_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Everything, as Prometheus reads it.
    pub fn render(&self) -> String {
        String::new()
    }
}

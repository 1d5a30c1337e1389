//! How an agent is to be.

use std::path::PathBuf;

use super::fault::Fault;
use super::oddity::Oddity;

/// What the node is to its only shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Primary,
    Secondary,
}

/// The faults of one agent.
#[derive(Debug, Clone, Default)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    pub fn has(&self, fault: Fault) -> bool {
        self.0.contains(&fault)
    }
}

/// Right in everything, unless told otherwise.
#[derive(Debug, Clone)]
pub struct Options {
    /// In what it is wrong.
    pub faults: Vec<Fault>,
    /// In what it is lawful, and unlike most.
    pub oddities: Vec<Oddity>,
    /// What its node is to the shard.
    pub role: Role,
    /// In which cluster.
    pub cluster_id: String,
    /// The node's id.
    pub node_id: String,
    /// What clients have to show, if anything.
    pub token: Option<String>,
    /// How many actions may wait or run.
    pub max_queued: usize,
    /// Whether `/api/v1` is served.
    pub v1: bool,
    /// Whether `/api/unstable` is served.
    pub unstable: bool,
    /// Where everything is written before it is answered; kept in memory alone when not given.
    pub file: Option<PathBuf>,
    /// Any free one when 0.
    pub port: u16,
    /// The agent stops listening once it was asked this often.
    pub dies_after: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            faults: Vec::new(),
            oddities: Vec::new(),
            role: Role::Primary,
            cluster_id: "cluster-1".to_owned(),
            node_id: "node-1".to_owned(),
            token: None,
            max_queued: 1000,
            v1: true,
            unstable: true,
            file: None,
            port: 0,
            dies_after: None,
        }
    }
}

impl Options {
    /// With this one fault.
    pub fn with(fault: Fault) -> Self {
        Self {
            faults: vec![fault],
            ..Self::default()
        }
    }

    /// Another node of the same cluster, a secondary.
    #[must_use]
    pub fn peer(&self, node_id: &str) -> Self {
        Self {
            node_id: node_id.to_owned(),
            role: Role::Secondary,
            ..self.clone()
        }
    }
}

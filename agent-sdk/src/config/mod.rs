//! The configuration: what an operator can lay down, and its defaults.
//!
//! One YAML file, each value of which an environment variable can override. The `store` section is the vendor's own
//! type; everything else is the same for every agent.
//!
//! [`load`] reads it: first into a tree that knows the line or variable of each value (`tree`), then into the types
//! (`typed`), and then it is checked as a whole (`validate`). Ranges, meanings and defaults come from the JSON Schema of the
//! types (`schema`), which also gives [`example`].
//!
//! What sections of stores have in common is here as well: an [`Address`], and [`Credentials`] in a file of their own.

mod address;
mod credentials;
mod error;
mod example;
mod load;
mod log_filter;
mod schema;
#[cfg(test)]
mod tests;
mod tree;
mod typed;
mod validate;

pub use address::{Address, AddressError};
pub use credentials::{Credentials, CredentialsError};
pub use error::{ConfigError, ConfigFault};
pub use example::example;
pub use load::{load, parse};
pub use log_filter::{LogFilter, LogFilterError};
pub(crate) use schema::first_out_of_range;
pub use schema::schema;
pub use tree::Origin;
pub use validate::Validated;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The whole configuration of an agent, `S` being the store's own section.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config<S> {
    /// Directory for the agent's database, its local token and its lock. Made when missing, readable by its owner only.
    pub state_directory: PathBuf,
    /// What is known of the node whatever the store says.
    #[serde(default)]
    pub node: Node,
    /// The HTTP interface.
    #[serde(default)]
    pub api: Api,
    /// The queue of actions and the running of them.
    #[serde(default)]
    pub actions: Actions,
    /// Looking at the store.
    #[serde(default)]
    pub observe: Observe,
    /// Logs, on standard error.
    #[serde(default)]
    pub logs: Logs,
    /// Traces by OpenTelemetry.
    #[serde(default)]
    pub traces: Traces,
    /// The store beside the agent.
    pub store: S,
}

/// What is known of the node whatever the store says.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Node {
    /// Node id. When unset: the store's own, else the one last seen, else the node's address.
    pub id: Option<String>,
    /// Version of the store, such as 3.9.5. When unset: the store's own, else the one last seen, else 0.0.0.
    pub version: Option<String>,
    /// The node's address: its id when nothing better is known.
    pub address: Option<String>,
    /// Id of the cluster, told to clients that need one before the node is in it.
    pub cluster_id: Option<String>,
    /// Failure domain of the infrastructure, shown as the attribute replicante.io/zone.
    pub zone: Option<String>,
    /// Further attributes of the node: scoped names such as example.org/rack, and text, numbers, booleans or null.
    pub attributes: BTreeMap<String, serde_json::Value>,
}

/// The HTTP interface.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    /// Address and port to listen on, such as 127.0.0.1:8000. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// Which dialects are served.
    pub trees: Vec<Tree>,
    /// What clients without a token may do. When unset: read on a loopback address, none on any other.
    pub anonymous: Option<Anonymous>,
    /// Names besides the bound address and localhost by which clients may call the agent (the Host header).
    pub hosts: Vec<String>,
    /// Longest request body in bytes, 1 KiB to 16 MiB.
    #[schemars(range(min = 1024, max = 16_777_216))]
    pub max_body_bytes: usize,
    /// Most connections at once, 16 to 100,000.
    #[schemars(range(min = 16, max = 100_000))]
    pub max_connections: usize,
    /// How long a client may take for the head of a request, and again for its body, in seconds, 1 to 60.
    #[schemars(range(min = 1, max = 60))]
    pub client_timeout_s: u64,
    /// Threads that serve HTTP, 1 to 64.
    #[schemars(range(min = 1, max = 64))]
    pub workers: usize,
}

/// A dialect of the HTTP interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tree {
    /// `/api/v1`, the specification's own names.
    V1,
    /// `/api/unstable`, what the control plane `RepliCore` speaks.
    Unstable,
}

/// What a client without a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Anonymous {
    /// Nothing but /healthz and /readyz.
    None,
    /// Look.
    Read,
    /// Look, schedule, cancel and plan.
    Act,
}

/// The queue of actions and the running of them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Actions {
    /// Most actions that may wait at once, 1 to 1,000,000; one more is refused with 429.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_queued: usize,
    /// Finished actions that are kept, 1 to 1,000,000; the oldest go first.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub keep_finished: usize,
    /// How long a handler that is asked to end (deadline over, agent stopping) may take, in seconds, 1 to 600.
    #[schemars(range(min = 1, max = 600))]
    pub grace_s: u64,
}

/// Looking at the store.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Observe {
    /// How long any endpoint may take to look at the store, in milliseconds, 50 to 30,000.
    #[schemars(range(min = 50, max = 30_000))]
    pub deadline_ms: u64,
    /// For how long after it began a look at the node also answers those who ask later, in milliseconds, 0 to 10,000. However
    /// many clients poll, the store is asked the same at most once in this time.
    #[schemars(range(max = 10_000))]
    pub reuse_ms: u64,
}

/// Logs, on standard error.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Logs {
    /// Lines for people, or one JSON object a line.
    pub format: LogFormat,
    /// What is logged: a level (error, warn, info, debug, trace), or levels by module such as `info,agent_sdk=debug`.
    pub filter: String,
}

/// The form of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Traces by OpenTelemetry.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Traces {
    /// Where traces are sent by OTLP over HTTP (protobuf), such as <http://127.0.0.1:4318>. Unset: nowhere.
    pub otlp_endpoint: Option<String>,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8000)),
            trees: vec![Tree::V1, Tree::Unstable],
            anonymous: None,
            hosts: Vec::new(),
            max_body_bytes: 1024 * 1024,
            max_connections: 1024,
            client_timeout_s: 5,
            // One answers tens of thousands of requests a second and waits for nothing; each wakes up four times a second when
            // there are none.
            workers: 1,
        }
    }
}

impl Default for Actions {
    fn default() -> Self {
        Self {
            max_queued: 1_000,
            keep_finished: 10_000,
            grace_s: 10,
        }
    }
}

impl Default for Observe {
    fn default() -> Self {
        Self {
            deadline_ms: 2_000,
            reuse_ms: 5,
        }
    }
}

impl Default for Logs {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info,actix_server=warn".to_owned(),
        }
    }
}

impl Api {
    /// What clients without a token may do, the default for the bound address included.
    pub fn anonymous(&self) -> Anonymous {
        self.anonymous.unwrap_or(if self.bind.ip().is_loopback() {
            Anonymous::Read
        } else {
            Anonymous::None
        })
    }
}

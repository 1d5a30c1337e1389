//! The `store` section of the configuration.
//!
//! Addresses are checked while they are read, so that a mistake is told with its key and line; what only makes sense
//! together is checked by [`Process::validated`], once, before the agent starts. Certificates are read there as well; a
//! password is read anew for each connection, so that it can be changed without a restart.

use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_sdk::config::Address;
use agent_sdk::spec::StoreVersion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::client::endpoint::{Endpoint, LARGEST_ANSWER};
use crate::client::login::{Login, Mechanism};
use crate::client::tls::{Tls, TlsError};

/// The Kafka process beside the agent.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// The listener for clients. Needed where the process is a broker.
    #[serde(default)]
    pub broker: Option<Listener>,
    /// The listener of the controller. Needed where the process is a controller.
    #[serde(default)]
    pub controller: Option<Listener>,
    /// node.id of the process. When unset: from meta.properties in `log_directories`, else asked of the process.
    #[serde(default)]
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub node_id: Option<i32>,
    /// log.dirs of the process, that of the metadata log first, to read their meta.properties: the agent's user needs no
    /// more than to read that one file in each. Needed by cluster.init and cluster.join.
    #[serde(default)]
    pub log_directories: Vec<PathBuf>,
    /// Exact version of the process, such as 4.3.0. When unset: from the jar that the process runs, where the agent's user
    /// may see it; else the release line that the process tells, such as 4.3.
    #[serde(default)]
    pub version: Option<String>,
    /// How far replicas are behind their leaders.
    #[serde(default)]
    pub lag: Lag,
    /// Command that formats the storage, its arguments apart, such as
    /// [/opt/kafka/bin/kafka-storage.sh, format, --config, /etc/kafka/server.properties]. The agent adds --cluster-id with
    /// --standalone or --no-initial-controllers. Needed by cluster.init and cluster.join.
    #[serde(default)]
    pub format_command: Vec<String>,
    /// Command that starts the process and returns, such as [systemctl, start, kafka]. When unset, actions wait for the
    /// operator to start it.
    #[serde(default)]
    pub start_command: Vec<String>,
    /// How long the agent waits.
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// One listener, and what it asks of those who connect. Other nodes of the cluster are asked in the same way.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Where it is, as host:port.
    #[schemars(example = "127.0.0.1:9092")]
    pub address: Address,
    /// For a listener with TLS.
    #[serde(default)]
    pub tls: Option<TlsFiles>,
    /// For a listener with SASL.
    #[serde(default)]
    pub sasl: Option<Sasl>,
}

/// Certificates, all in PEM.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// Certificates of the authorities to trust; the system's are not.
    pub ca_file: PathBuf,
    /// The agent's own certificate, where the listener asks for one.
    #[serde(default)]
    pub certificate_file: Option<PathBuf>,
    /// Key of the agent's own certificate.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// Name in the certificate of the process beside the agent, where it is not the host of its address.
    #[serde(default)]
    pub server_name: Option<String>,
}

/// How to log in.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sasl {
    /// PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Controllers of Kafka take only PLAIN.
    pub mechanism: Mechanism,
    /// File with one line USER:PASSWORD, readable by the agent's user only. Read for each connection.
    pub credentials_file: PathBuf,
}

/// How far replicas are behind their leaders.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lag {
    /// none: not told. metrics: as this node's own metrics tell. leaders: the agent asks the leader of each
    /// partition, and so other nodes too, by one request to each of them whenever shards are asked for.
    pub source: LagSource,
    /// Where this node's metrics are had, as host:port, in the form of the Prometheus exporter for JMX. Needed by metrics.
    pub metrics_address: Option<Address>,
}

/// Where lag is known from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LagSource {
    /// It is not.
    #[default]
    None,
    /// From the node's own metrics.
    Metrics,
    /// From the partitions' leaders.
    Leaders,
}

/// How long the agent waits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For the answer to a question, in milliseconds, 20 to 20,000. Keep it well below `observe.deadline_ms`.
    #[schemars(range(min = 20, max = 20_000))]
    pub answer_ms: u64,
    /// For the answer to a change, in milliseconds, 500 to 600,000.
    #[schemars(range(min = 500, max = 600_000))]
    pub change_ms: u64,
    /// For the commands that format and start, each, in milliseconds, 1,000 to 3,600,000.
    #[schemars(range(min = 1_000, max = 3_600_000))]
    pub command_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            answer_ms: 1_000,
            change_ms: 15_000,
            command_ms: 120_000,
        }
    }
}

impl Timeouts {
    /// For a question.
    pub const fn answer(&self) -> Duration {
        Duration::from_millis(self.answer_ms)
    }

    /// For a change.
    pub const fn change(&self) -> Duration {
        Duration::from_millis(self.change_ms)
    }

    /// For a command.
    pub const fn command(&self) -> Duration {
        Duration::from_millis(self.command_ms)
    }
}

/// Why a section is of no use.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// Nobody to ask.
    #[error("neither store.broker nor store.controller is set: the agent has nobody to ask")]
    NoListener,
    /// A certificate without its key, or the reverse.
    #[error("{0}.certificate_file and {0}.key_file are set together or not at all")]
    HalfCertificate(&'static str),
    /// A file cannot be read.
    #[error("{key}: {} cannot be read: {cause}", .file.display())]
    Unreadable {
        /// What names it.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Certificates are of no use.
    #[error("{key}: {cause}")]
    Tls {
        /// Whose.
        key: &'static str,
        /// Why.
        cause: TlsError,
    },
    /// No version.
    #[error("store.version: {0:?} is no version, such as 4.3.0")]
    Version(String),
    /// Metrics without their address.
    #[error("store.lag.source is metrics, which needs store.lag.metrics_address")]
    NoMetrics,
}

/// A section that holds together.
#[derive(Debug, Clone)]
pub struct Validated {
    /// The listener for clients.
    pub broker: Option<Way>,
    /// The listener of the controller.
    pub controller: Option<Way>,
    /// As configured.
    pub node_id: Option<i32>,
    /// As configured.
    pub log_directories: Vec<PathBuf>,
    /// As configured.
    pub version: Option<StoreVersion>,
    /// Where lag is known from.
    pub lag: LagFrom,
    /// As configured.
    pub format_command: Vec<String>,
    /// As configured.
    pub start_command: Vec<String>,
    /// As configured.
    pub timeouts: Timeouts,
}

/// Where lag is known from, with all that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LagFrom {
    /// It is not.
    Nowhere,
    /// From the node's own metrics, there.
    Metrics(Address),
    /// From the partitions' leaders.
    Leaders,
}

/// The way to one kind of listener: the node's own, and those of other nodes.
#[derive(Debug, Clone)]
pub struct Way {
    own: Endpoint,
    /// Without the name that the certificate of this node has.
    tls: Option<Tls>,
}

/// A node that may not be asked.
#[derive(Debug, Error)]
#[error(
    "{0} is not asked: with PLAIN and without TLS the password would be in the hands of whoever listens there; use SCRAM or \
     TLS"
)]
pub struct Untrusted(Address);

impl Way {
    /// To the node beside the agent.
    pub const fn own(&self) -> &Endpoint {
        &self.own
    }

    /// To another node, that the cluster itself names.
    pub fn to(&self, address: Address) -> Endpoint {
        Endpoint {
            address,
            tls: self.tls.clone(),
            ..self.own.clone()
        }
    }

    /// To a node that somebody else names: nobody vouches for it, so it gets no password that it could keep.
    pub fn to_stranger(&self, address: Address) -> Result<Endpoint, Untrusted> {
        let login = self.own.login.as_ref();
        let keeps = login.is_some_and(|login| login.mechanism == Mechanism::Plain) && self.tls.is_none();
        if keeps && address != self.own.address {
            return Err(Untrusted(address));
        }
        Ok(self.to(address))
    }
}

impl Process {
    /// The section, checked as a whole.
    pub fn validated(self) -> Result<Validated, ProcessError> {
        let Self {
            broker,
            controller,
            node_id,
            log_directories,
            version,
            lag,
            format_command,
            start_command,
            timeouts,
        } = self;
        if broker.is_none() && controller.is_none() {
            return Err(ProcessError::NoListener);
        }
        let way = |listener: Option<Listener>, key| listener.map(|listener| listener.way(key)).transpose();
        let read = |text: String| StoreVersion::parse(&text).ok_or(ProcessError::Version(text));
        Ok(Validated {
            broker: way(broker, "store.broker.tls")?,
            controller: way(controller, "store.controller.tls")?,
            node_id,
            log_directories,
            version: version.map(read).transpose()?,
            lag: match (lag.source, lag.metrics_address) {
                (LagSource::None, _) => LagFrom::Nowhere,
                (LagSource::Leaders, _) => LagFrom::Leaders,
                (LagSource::Metrics, Some(address)) => LagFrom::Metrics(address),
                (LagSource::Metrics, None) => return Err(ProcessError::NoMetrics),
            },
            format_command,
            start_command,
            timeouts,
        })
    }
}

impl Listener {
    fn way(self, key: &'static str) -> Result<Way, ProcessError> {
        let Self { address, tls, sasl } = self;
        let failed = |cause| ProcessError::Tls { key, cause };
        let expected = tls.as_ref().and_then(|files| files.server_name.clone());
        let tls = tls.map(|files| files.read(key)).transpose()?;
        let own = match (&tls, expected) {
            (Some(tls), Some(name)) => Some(tls.clone().expecting(&name).map_err(failed)?),
            _ => tls.clone(),
        };
        let login = sasl.map(|sasl| Login {
            mechanism: sasl.mechanism,
            file: sasl.credentials_file,
        });
        let own = Endpoint {
            address,
            tls: own,
            login,
            largest_answer: LARGEST_ANSWER,
        };
        Ok(Way { own, tls })
    }
}

impl TlsFiles {
    fn read(self, key: &'static str) -> Result<Tls, ProcessError> {
        let read = |file: &Path| {
            std::fs::read(file).map_err(|cause| ProcessError::Unreadable {
                key,
                file: file.to_owned(),
                cause,
            })
        };
        let authorities = read(&self.ca_file)?;
        let own = match (&self.certificate_file, &self.key_file) {
            (None, None) => None,
            (Some(certificate), Some(secret)) => Some((read(certificate)?, read(secret)?)),
            _ => return Err(ProcessError::HalfCertificate(key)),
        };
        let own = own
            .as_ref()
            .map(|(certificate, secret)| (&certificate[..], &secret[..]));
        Tls::new(&authorities, own).map_err(|cause| ProcessError::Tls { key, cause })
    }
}

#[cfg(test)]
mod tests;

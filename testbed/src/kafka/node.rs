//! One node: its number, addresses, files, and the commands that format and start it.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::configuration::{self, Addresses, Own, Roles, Shared};
use super::error::failed;
use super::scripts::{self, Java};
use super::security::{self, Files};
use super::{Error, Release, metrics};
use crate::ports::Block;
use crate::supervision::recorded::Recorded;
use crate::supervision::script;

/// What the nodes of a cluster share.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) release: Release,
    /// Of the topics that Kafka makes for itself.
    pub(super) replicas: usize,
    /// In MiB.
    pub(super) heap: u32,
    pub(super) secured: bool,
    /// The jar of the exporter of metrics, where there is one.
    pub(super) exporter: Option<PathBuf>,
    pub(super) seats: Vec<Seat>,
    pub(super) directory: PathBuf,
}

impl Common {
    /// Where Kafka's tools are.
    pub(super) fn bin(&self) -> PathBuf {
        self.directory.join("bin")
    }

    pub(super) fn files(&self) -> Files<'_> {
        Files(&self.directory)
    }

    /// Which metrics the exporter shows.
    pub(super) fn rules_file(&self) -> PathBuf {
        self.directory.join("metrics.yaml")
    }

    fn controllers(&self) -> Vec<SocketAddr> {
        let controllers = self.seats.iter().filter(|seat| seat.roles.is_controller());
        controllers.map(|seat| seat.at.controller).collect()
    }
}

/// What every node may know of every other.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) number: u32,
    pub(super) roles: Roles,
    pub(super) rack: String,
    /// From the beginning.
    pub(super) formatted: bool,
    pub(super) at: Addresses,
    pub(super) process: Recorded,
}

/// A node of a [`super::Cluster`]. It keeps no state: whoever starts or ends the process, this sees it.
#[derive(Debug)]
pub struct Node {
    pub(super) seat: Seat,
    ports: Block,
    pub(super) common: Arc<Common>,
}

impl Node {
    pub(super) fn new(seat: Seat, ports: Block, common: Arc<Common>) -> Self {
        Self { seat, ports, common }
    }

    /// `kafka-1`.
    pub fn name(&self) -> &str {
        self.seat.process.name()
    }

    /// `node.id`.
    pub fn number(&self) -> u32 {
        self.seat.number
    }

    /// `process.roles`.
    pub fn roles(&self) -> Roles {
        self.seat.roles
    }

    /// `broker.rack`.
    pub fn rack(&self) -> &str {
        &self.seat.rack
    }

    /// Where clients connect; closed until the broker was unfenced. Of a controller alone, nothing is there.
    pub fn broker_address(&self) -> SocketAddr {
        self.seat.at.broker
    }

    /// Where controllers and brokers connect. Of a broker alone, nothing is there.
    pub fn controller_address(&self) -> SocketAddr {
        self.seat.at.controller
    }

    /// Where clients connect by TLS and log in (`SASL_SSL`: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512). Nothing is there unless the
    /// cluster is [secured](super::Builder::secured).
    pub fn secure_broker_address(&self) -> SocketAddr {
        self.seat.at.secure_broker
    }

    /// The controller's listener for TLS and a login (`SASL_SSL`: PLAIN, for a `KRaft` controller cannot do SCRAM). Nothing
    /// is there unless the cluster is [secured](super::Builder::secured).
    pub fn secure_controller_address(&self) -> SocketAddr {
        self.seat.at.secure_controller
    }

    /// Where clients connect by TLS and do not log in; they may do everything. Nothing is there unless the cluster is
    /// [secured](super::Builder::secured).
    pub fn tls_broker_address(&self) -> SocketAddr {
        self.seat.at.tls_broker
    }

    /// Where the exporter shows metrics, at `/metrics` by HTTP. Nothing is there unless the cluster has
    /// [metrics](super::Builder::metrics).
    pub fn metrics_address(&self) -> SocketAddr {
        self.seat.at.metrics
    }

    /// Where an agent's peers would ask for it: the controller's listener where there is one.
    pub fn member_address(&self) -> SocketAddr {
        if self.seat.roles.is_controller() {
            self.seat.at.controller
        } else {
            self.seat.at.broker
        }
    }

    /// `server.properties`.
    pub fn config_file(&self) -> PathBuf {
        self.seat.process.directory().join("server.properties")
    }

    /// `log.dirs`: what is formatted. Not there before.
    pub fn data_directory(&self) -> PathBuf {
        self.seat.process.directory().join("data")
    }

    /// Whether it has been formatted, by whomever.
    pub fn is_formatted(&self) -> bool {
        self.data_directory().join("meta.properties").exists()
    }

    /// Everything the process has written to its outputs, over all its starts.
    pub fn log_path(&self) -> PathBuf {
        self.seat.process.log_path()
    }

    /// The last lines of the log.
    pub fn log_tail(&self, lines: usize) -> String {
        self.seat.process.log_tail(lines)
    }

    /// The command that formats its storage, as an agent is configured with it. What makes a format unique follows:
    /// `--cluster-id ID`, and `--standalone` for the first node of a cluster, else `--no-initial-controllers`.
    ///
    /// It ends with its cluster, whoever runs it. In a secured cluster the user's secrets are among its arguments: the log of whoever runs it may show them.
    pub fn format_command(&self) -> Vec<OsString> {
        let mut command = vec![self.seat.process.directory().join("format").into()];
        if self.common.secured {
            command.extend(security::format_arguments());
        }
        command
    }

    /// The command that starts it in the background and returns, as an agent is configured with it. The process ends with
    /// its cluster, whoever started it; a second start is refused while it runs.
    pub fn start_command(&self) -> Vec<OsString> {
        vec![self.seat.process.start_script().into()]
    }

    /// Removes its data: a disk that was lost, a node that is not formatted any more.
    pub fn wipe(&self) -> Result<(), Error> {
        let data = self.data_directory();
        match fs::remove_dir_all(&data) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("remove", &data)(error)),
            _ => Ok(()),
        }
    }

    /// For `sh`.
    fn java_options(&self) -> String {
        let heap = format!("-Xmx{}m", self.common.heap);
        match &self.common.exporter {
            Some(jar) => heap + " " + &metrics::option(jar, self.metrics_address(), &self.common.rules_file()),
            None => heap,
        }
    }

    /// Writes its files; `more` are lines for its configuration.
    pub(super) fn write(&self, java: Java<'_>, more: &str) -> Result<(), Error> {
        let Seat {
            number,
            roles,
            rack,
            at,
            process,
            formatted: _,
        } = &self.seat;
        let (name, directory) = (process.name(), process.directory());
        fs::create_dir(directory).map_err(failed("create", directory))?;
        let own = Own {
            id: *number,
            roles: *roles,
            rack,
            at: *at,
            data: &self.data_directory(),
        };
        let shared = Shared {
            controllers: &self.common.controllers(),
            replicas: self.common.replicas,
            security: self.common.secured.then(|| self.common.files()),
        };
        let text = configuration::server_properties(&own, &shared, more);
        let config = self.config_file();
        fs::write(&config, text).map_err(failed("write", &config))?;
        let formatting = directory.with_file_name(format!("{name}-format"));
        fs::create_dir(&formatting).map_err(failed("create", &formatting))?;
        let tool = self.common.bin().join("kafka-storage.sh");
        let format = scripts::format(name, &formatting, &tool, &config);
        let script = directory.join("format");
        script::write(&script, &format).map_err(failed("write", &script))?;
        let ports: &Path = self.ports.lock_path();
        let start = scripts::start(java, name, directory, ports, &self.java_options(), &config);
        let script = process.start_script();
        script::write(&script, &start).map_err(failed("write", &script))
    }
}

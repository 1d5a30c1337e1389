//! The order in which an agent starts and stops.
//!
//! Start: what was handed in is looked at, the state directory is taken, the ledger opened (what ran is resumed or
//! ended), the address bound, and only then is anything answered or run. Stop: the runner first, so that a running
//! action reaches its next checkpoint while requests in flight are answered; both within the grace.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::build::{About, Agent};
use super::token;
use crate::action::CatalogueError;
use crate::api;
use crate::config::{Anonymous, Config, Validated};
use crate::datastore::{Configured, Memory};
use crate::ledger::{Ledger, Limits, OpenError, StateDirectory, Status};
use crate::runner::{Ended, Runner};
use crate::telemetry::{Build, LedgerGauges, Metrics};

/// Threads on which the store is looked at. Two, so that one blocking call does not hide the node's status.
const OBSERVERS: usize = 2;

/// How long requests in flight may still take once nothing can be recorded any more.
const FAREWELL: Duration = Duration::from_secs(1);

/// Everything an agent is started from.
pub(crate) struct Setup {
    pub(crate) about: About,
    pub(crate) agent: Agent,
    pub(crate) config: Validated<()>,
}

/// What is known once an agent answers.
#[derive(Clone)]
pub(crate) struct Ready {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The local token.
    pub(crate) token: String,
}

/// Why an agent does not start.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    /// What the vendor handed in cannot be offered.
    #[error("the agent was built wrongly: {0}")]
    Catalogue(#[from] CatalogueError),
    /// The state directory or the database.
    #[error(transparent)]
    State(#[from] OpenError),
    /// The local token.
    #[error("the local token cannot be kept in the state directory: {0}")]
    Token(#[source] std::io::Error),
    /// The address.
    #[error("the address {address} cannot be listened on: {cause}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// Threads, signals.
    #[error("the agent cannot start its threads: {0}")]
    Threads(#[source] std::io::Error),
}

/// Why an agent has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was asked to.
    Stopped,
    /// It was asked to, and what its running action does ends with the process only.
    Left,
    /// The ledger records nothing any more; the reason.
    LedgerFailed(String),
    /// An action's handler never yields, past its deadline and the grace.
    Stuck {
        /// The action.
        id: Uuid,
        /// Its kind.
        kind: String,
    },
    /// Something that an action has left behind blocks the runner.
    Blocked {
        /// The action that the runner was at.
        id: Uuid,
        /// Its kind.
        kind: String,
    },
    /// The runner ended by itself; why.
    RunnerFailed(String),
    /// The HTTP interface ended by itself.
    ServerFailed(String),
}

/// Runs an agent until `stop` is cancelled, or it cannot go on. `signals`, where given, is called inside the control's
/// runtime to cancel `stop`; `ready` once the agent answers.
///
/// The calling thread runs the agent's control: signals, the runner, the order of stopping. It must be in no runtime.
pub(crate) fn serve(
    setup: Setup,
    stop: &CancellationToken,
    signals: Option<fn(CancellationToken) -> std::io::Result<()>>,
    ready: impl FnOnce(&Ready),
) -> Result<Outcome, StartError> {
    let Setup { about, agent, config } = setup;
    let control = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::Threads)?;
    let observers = threads("observe", OBSERVERS)?;
    let handlers = threads("actions", 1)?;
    if let Some(signals) = signals {
        let _inside = control.enter();
        signals(stop.clone()).map_err(StartError::Threads)?;
    }
    let started = start(&about, agent, &config, &control, &observers, &handlers, stop)?;
    ready(&started.ready);
    let outcome = control.block_on(started.run(stop));
    // A handler or a store that blocks must not keep the process.
    handlers.shutdown_background();
    observers.shutdown_background();
    Ok(outcome)
}

fn threads(name: &str, count: usize) -> Result<Runtime, StartError> {
    Builder::new_multi_thread()
        .worker_threads(count)
        .thread_name(name)
        .enable_all()
        .build()
        .map_err(StartError::Threads)
}

/// An agent that answers, and whose runner has not begun.
struct Started {
    ready: Ready,
    ledger: Ledger,
    runner: Runner,
    server: api::Server,
    directory: StateDirectory,
}

fn start(
    about: &About,
    agent: Agent,
    config: &Validated<()>,
    control: &Runtime,
    observers: &Runtime,
    handlers: &Runtime,
    stop: &CancellationToken,
) -> Result<Started, StartError> {
    let Agent {
        store_id,
        cluster_id,
        observing,
        catalogue,
    } = agent;
    let catalogue = Arc::new(catalogue?);
    let settings = config.config();
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let directory = StateDirectory::acquire(&settings.state_directory, about.name)?;
    let limits = Limits {
        max_queued: settings.actions.max_queued,
        keep_finished: settings.actions.keep_finished,
    };
    let ledger = Ledger::open(&directory, limits)?;
    let token = token::local(&directory).map_err(StartError::Token)?;
    let bind = settings.api.bind;
    let listener = TcpListener::bind(bind).map_err(|cause| StartError::Bind { address: bind, cause })?;
    let address = listener
        .local_addr()
        .map_err(|cause| StartError::Bind { address: bind, cause })?;
    warn_of_clear_text(settings, address);

    let metrics = Arc::new(Metrics::new(Build {
        version: about.version.number.to_string(),
        checkout: about.version.checkout.clone(),
        store_id: store_id.to_owned(),
        kinds: catalogue.entries().map(|entry| entry.kind.to_string()).collect(),
    }));
    let gauges = ledger.clone();
    metrics.read_ledger(move || LedgerGauges {
        waiting: gauges.waiting(),
        kept: gauges.kept(),
        recording: gauges.health() == Status::Recording,
    });
    let memory = Memory::open(directory.last_seen());
    let observer = Arc::new(observing(
        configured(config, cluster_id),
        memory,
        metrics.clone(),
        observers.handle(),
    ));
    let parts = api::Parts {
        observer: observer.clone(),
        ledger: ledger.clone(),
        catalogue: catalogue.clone(),
        version: about.version.clone(),
        metrics: metrics.clone(),
        runtime: observers.handle().clone(),
    };
    let _inside = control.enter();
    let grace = Duration::from_secs(settings.actions.grace_s);
    let tokens = api::Tokens::new().with(&token, api::Role::Act);
    let server = api::Server::start(listener, &settings.api, parts, tokens, grace).map_err(StartError::Threads)?;
    let runner = Runner {
        ledger: ledger.clone(),
        catalogue,
        observer,
        metrics,
        handlers: handlers.handle().clone(),
        grace,
        stop: stop.clone(),
        watch: Arc::default(),
    };
    tracing::info!(agent = about.name, version = %about.version.number, %address, "the agent answers");
    Ok(Started {
        ready: Ready { address, token },
        ledger,
        runner,
        server,
        directory,
    })
}

impl Started {
    async fn run(self, stop: &CancellationToken) -> Outcome {
        let Self {
            ready: _,
            ledger,
            runner,
            mut server,
            directory,
        } = self;
        let mut running = tokio::spawn(runner.run());
        let mut server_fault = None;
        let ended = tokio::select! {
            biased;
            reason = ledger.failed() => {
                // Whoever asks meanwhile is told so; nobody is waited for.
                stop.cancel();
                drop(tokio::time::timeout(FAREWELL, server.stop()).await);
                directory.keep();
                return Outcome::LedgerFailed(reason.to_string());
            }
            ended = &mut running => Some(ended),
            error = server.failed() => {
                server_fault = Some(error.to_string());
                None
            }
            () = stop.cancelled() => None,
        };
        // Whatever it was that ended, nobody is kept waiting any more.
        stop.cancel();
        let ended = async {
            match ended {
                Some(ended) => ended,
                // The runner's guard bounds it: the grace, and a few seconds more for what does not yield.
                None => running.await,
            }
        };
        let answered = async {
            if server_fault.is_none()
                && let Err(error) = server.stop().await
            {
                tracing::warn!(%error, "the HTTP interface did not end well");
            }
        };
        let (ended, ()) = tokio::join!(ended, answered);
        let ended = ended.unwrap_or_else(|fault| Ended::Faulted(fault.to_string()));
        if ended != Ended::Stopped {
            directory.keep();
        }
        if let Status::Failed(reason) = ledger.health() {
            return Outcome::LedgerFailed(reason.to_string());
        }
        match (ended, server_fault) {
            (Ended::Stopped | Ended::Left, Some(reason)) => Outcome::ServerFailed(reason),
            (Ended::Stopped, None) => {
                tracing::info!("the agent has stopped");
                Outcome::Stopped
            }
            (Ended::Left, None) => {
                tracing::warn!("the agent has stopped; what its running action does ends with the process");
                Outcome::Left
            }
            (Ended::LedgerClosed(reason), _) => Outcome::LedgerFailed(reason),
            (Ended::Faulted(reason), _) => Outcome::RunnerFailed(reason),
            (Ended::Stuck { id, kind }, _) => Outcome::Stuck { id, kind },
            (Ended::Blocked { id, kind }, _) => Outcome::Blocked { id, kind },
        }
    }
}

pub(super) fn configured(config: &Validated<()>, meant_for: Option<String>) -> Configured {
    let node = &config.config().node;
    Configured {
        node_id: node.id.clone(),
        store_version: config.store_version().cloned(),
        address: node.address.clone(),
        cluster_id: node.cluster_id.clone().or(meant_for),
        attributes: config.attributes().clone(),
        deadline: Duration::from_millis(config.config().observe.deadline_ms),
        reuse: Duration::from_millis(config.config().observe.reuse_ms),
    }
}

/// Tokens, and whatever else is said, can be read on the way as long as there is no TLS.
fn warn_of_clear_text(config: &Config<()>, address: SocketAddr) {
    if !address.ip().is_loopback() && config.api.anonymous() != Anonymous::Act {
        tracing::warn!(%address, "the agent listens beyond this host without TLS: tokens travel in the clear");
    }
}

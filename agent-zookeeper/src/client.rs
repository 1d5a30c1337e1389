//! One session with one server, which is gone when it is dropped.
//!
//! The client library keeps a task that reconnects by itself and sends later what was asked before: a change that its
//! caller had given up was seen to commit after the reconnect. So each client here has a small runtime of its own, and
//! dropping the client ends that runtime: nothing is sent any more, and nobody reconnects to whatever listens on that
//! port by then. The price is a thread for as long as a session lives. On the same runtime runs the relay, over
//! which the library reaches the server: it bounds what the library keeps, and lets no lost connection be made again.

use std::time::Duration;

use thiserror::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use zookeeper_client::{EnsembleUpdate, SessionState};

use crate::ensemble::{Ensemble, EnsembleError, Version};
use crate::relay::Relay;
use agent_sdk::config::Address;
use agent_sdk::config::Credentials;

/// The node that holds the ensemble's configuration.
const CONFIG_NODE: &str = "/zookeeper/config";

/// How long closing may take. A session that is not closed expires on the server by itself.
const CLOSING: Duration = Duration::from_millis(500);

/// How long the server keeps a session whose client is silent; it shortens this to 20 of its ticks.
const SESSION: Duration = Duration::from_secs(30);

/// A session with a server.
pub struct Client {
    // Both are there until the drop, which takes them in this order, and the relay's port after them.
    inner: Option<zookeeper_client::Client>,
    runtime: Option<Runtime>,
    relay: Relay,
    address: Address,
}

/// Why a session, or a call on it, has no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No thread for the session.
    #[error("a session cannot be begun: {0}")]
    Runtime(#[from] std::io::Error),
    /// The server makes no session: it waits for a quorum, or hangs.
    #[error("{address} made no session within {} ms: it has no quorum, or hangs", .within.as_millis())]
    NoSession {
        /// Who was asked.
        address: Address,
        /// How long it was waited for.
        within: Duration,
    },
    /// No answer on a session.
    #[error("{address} did not answer within {} ms", .within.as_millis())]
    NoAnswer {
        /// Who was asked.
        address: Address,
        /// How long it was waited for.
        within: Duration,
    },
    /// The server's, or the library's, own error.
    #[error("{address}: {error}")]
    Answered {
        /// Who was asked.
        address: Address,
        /// The error.
        error: zookeeper_client::Error,
    },
    /// There is no connection, or it was ended from here.
    #[error("{address}: {reason}")]
    Cut {
        /// Who was asked.
        address: Address,
        /// Why.
        reason: String,
    },
    /// The config node's content is not what one holds.
    #[error(transparent)]
    Content(#[from] EnsembleError),
}

/// What is asked of the ensemble in one change.
pub enum Edit<'a> {
    /// Take this server line in.
    Join(&'a str),
    /// Let the server of this id go.
    Leave(&'a str),
}

/// What the scheme `digest` takes.
fn digest(credentials: &Credentials) -> String {
    format!("{}:{}", credentials.user(), credentials.password())
}

impl Client {
    /// Makes a session. It costs the ensemble a transaction, and so proves that there is a quorum.
    pub async fn open(
        address: &Address,
        credentials: Option<&Credentials>,
        within: Duration,
    ) -> Result<Self, ClientError> {
        // Whatever can fail goes first: a runtime must not be dropped here.
        let relay = Relay::bind()?;
        let relaying = relay.serve(address.clone(), SESSION)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .thread_name("zookeeper-session")
            .enable_all()
            .build()?;
        runtime.spawn(relaying);
        // From here on a dropped future takes the runtime with it.
        let mut client = Self {
            inner: None,
            runtime: Some(runtime),
            relay,
            address: address.clone(),
        };
        let mut connector = zookeeper_client::Client::connector()
            .with_session_timeout(client.relay.ticket())
            .with_connection_timeout(within)
            .with_fail_eagerly();
        if let Some(credentials) = credentials {
            connector = connector.with_auth("digest", digest(credentials).as_bytes());
        }
        let target = client.relay.address()?.to_string();
        let connecting = async move { connector.connect(&target).await };
        let Some(runtime) = &client.runtime else {
            return Err(std::io::Error::other("no runtime").into());
        };
        let connected = timeout(within, runtime.spawn(connecting)).await;
        let no_session = || ClientError::NoSession {
            address: address.clone(),
            within,
        };
        let connected = connected
            .map_err(|_| no_session())?
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        client.inner = Some(connected.map_err(|error| client.answered(error))?);
        Ok(client)
    }

    /// The ensemble as this server knows it by now: what was committed before is applied first.
    pub async fn synced(&self, within: Duration) -> Result<Option<Ensemble>, ClientError> {
        self.bounded(within, async {
            let inner = self.inner()?;
            inner.sync(CONFIG_NODE).await?;
            inner.get_config().await
        })
        .await
        .and_then(|(content, _)| Ok(Ensemble::parse(&content)?))
    }

    /// The ensemble as this server has it, without asking its leader.
    pub async fn local(&self, within: Duration) -> Result<Option<Ensemble>, ClientError> {
        self.bounded(within, async { self.inner()?.get_config().await })
            .await
            .and_then(|(content, _)| Ok(Ensemble::parse(&content)?))
    }

    /// Whether the server takes this session for `super`'s. `None` when it cannot tell (before 3.7).
    pub async fn is_super(&self, within: Duration) -> Option<bool> {
        let users = self
            .bounded(within, async { self.inner()?.list_auth_users().await })
            .await;
        Some(users.ok()?.iter().any(|user| user.scheme() == "super"))
    }

    /// Sends a change, guarded by the version that it is based on, and waits for its answer for as long as it takes: the
    /// caller bounds that, and drops the client to be sure that nothing more is sent.
    pub async fn reconfig(&self, edit: &Edit<'_>, base: Version) -> Result<(), zookeeper_client::Error> {
        let one = |text: &str| [text.to_owned()];
        let (joinings, leavings) = match edit {
            Edit::Join(line) => (Some(one(line)), None),
            Edit::Leave(id) => (None, Some(one(id))),
        };
        let update = EnsembleUpdate::Incremental {
            joinings: joinings.iter().flatten().map(String::as_str),
            leavings: leavings.iter().flatten().map(String::as_str),
        };
        self.inner()?.update_ensemble(update, Some(base.0)).await.map(drop)
    }

    /// Id of the server that made the session: it puts it into the session's id, up to 255.
    pub fn server_id(&self) -> Option<u64> {
        let id = self.inner.as_ref()?.session_id().0.cast_unsigned() >> 56;
        (id > 0).then_some(id)
    }

    /// Whether the session is connected, as far as the client has noticed.
    pub fn is_connected(&self) -> bool {
        let state = self.inner.as_ref().map(zookeeper_client::Client::state);
        matches!(
            state,
            Some(SessionState::SyncConnected | SessionState::ConnectedReadOnly)
        )
    }

    /// Returns when the session is no longer connected.
    pub async fn disconnected(&self) {
        let Some(inner) = &self.inner else { return };
        let mut states = inner.state_watcher();
        while self.is_connected() {
            states.changed().await;
        }
    }

    /// Closes the session, so that the server need not wait for its expiry.
    pub async fn close(mut self) {
        if let Some(inner) = self.inner.take() {
            let mut states = inner.state_watcher();
            drop(inner);
            let closed = async { while !states.changed().await.is_terminated() {} };
            // Not closed in time, it expires.
            drop(timeout(CLOSING, closed).await);
        }
    }

    fn inner(&self) -> Result<&zookeeper_client::Client, zookeeper_client::Error> {
        self.inner.as_ref().ok_or(zookeeper_client::Error::ClientClosed)
    }

    async fn bounded<T>(
        &self,
        within: Duration,
        call: impl Future<Output = Result<T, zookeeper_client::Error>>,
    ) -> Result<T, ClientError> {
        match timeout(within, call).await {
            Ok(answer) => answer.map_err(|error| self.answered(error)),
            Err(_) => Err(ClientError::NoAnswer {
                address: self.address.clone(),
                within,
            }),
        }
    }

    fn answered(&self, error: zookeeper_client::Error) -> ClientError {
        use zookeeper_client::Error::{AuthFailed, NoAuth};
        let address = self.address.clone();
        match (self.relay.cut(), error) {
            (Some(reason), error) if !matches!(error, NoAuth | AuthFailed) => {
                let reason = reason.to_owned();
                ClientError::Cut { address, reason }
            }
            (_, error) => ClientError::Answered { address, error },
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.inner = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

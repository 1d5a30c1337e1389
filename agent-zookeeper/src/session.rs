//! The one long-lived session through which the agent reads the membership.
//!
//! Every session costs the ensemble two transactions, so an agent that made one per poll would move the very offset it
//! reports. A single task owns the session: it makes it when somebody asks, keeps it while it is connected, drops it at
//! the first sign of a loss (see [`crate::client`]) and makes a new one when somebody asks again, with growing pauses
//! while that fails. Each answer is read from the server for the question: a local read, which costs no transaction
//! and is never older than the question, so no watch is needed to keep it fresh.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::client::{Client, ClientError};
use crate::config::Server;
use crate::ensemble::Ensemble;

/// Questions that may wait: three endpoints ask at once, and their calls are bounded to one each by the agent, plus what
/// was given up by callers meanwhile.
const WAITING: usize = 16;

/// Pauses between two attempts to make a session.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// What the server tells through its config node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// `None`: the server is standalone.
    pub ensemble: Option<Ensemble>,
    /// Id of the server as the session's id has it.
    pub server_id: Option<u64>,
}

/// Why the membership is not known.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum SessionError {
    /// The session or the read failed.
    #[error("the config node cannot be read: {0}")]
    Failed(String),
    /// The last attempt failed a moment ago, and the next is not due yet.
    #[error("the config node cannot be read: {0}; the next attempt is in a moment")]
    Pausing(String),
    /// Too many questions wait already.
    #[error("the config node cannot be read: earlier reads are not answered yet")]
    Busy,
    /// The server refuses to show the config node.
    #[error(
        "the server refuses to show /zookeeper/config (-102): let everybody read it again \
         (setAcl /zookeeper/config world:anyone:r), or put super:PASSWORD into store.credentials_file"
    )]
    NoAuth,
    /// The server refuses the session.
    #[error(
        "the server refuses the agent's session (-115): it takes none without credentials; put USER:PASSWORD for the \
         scheme digest into store.credentials_file, or correct it"
    )]
    AuthFailed,
}

type Answer = Result<Membership, SessionError>;

/// The way to the task that owns the session.
pub struct Session {
    server: Server,
    task: Mutex<Option<mpsc::Sender<oneshot::Sender<Answer>>>>,
}

impl Session {
    /// A session that is made when it is first needed.
    pub fn new(server: Server) -> Self {
        Self {
            server,
            task: Mutex::new(None),
        }
    }

    /// What the server's config node says now. The caller bounds the waiting; the task goes on without it.
    pub async fn membership(&self) -> Answer {
        let (ask, answer) = oneshot::channel();
        self.task().try_send(ask).map_err(|_| SessionError::Busy)?;
        answer.await.unwrap_or(Err(SessionError::Busy))
    }

    /// The task, begun on the runtime of whoever asks first.
    fn task(&self) -> mpsc::Sender<oneshot::Sender<Answer>> {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        match &*task {
            Some(sender) if !sender.is_closed() => sender.clone(),
            _ => {
                let (sender, questions) = mpsc::channel(WAITING);
                tokio::spawn(Keeper::new(self.server.clone()).run(questions));
                *task = Some(sender.clone());
                sender
            }
        }
    }
}

/// The owner of the session.
struct Keeper {
    server: Server,
    client: Option<Client>,
    last_failure: Option<(Instant, String)>,
    pause: Duration,
    /// Credentials are sent only where the config node is not shown without.
    with_credentials: bool,
}

impl Keeper {
    fn new(server: Server) -> Self {
        Self {
            server,
            client: None,
            last_failure: None,
            pause: SHORTEST_PAUSE,
            with_credentials: false,
        }
    }

    /// Answers until nobody can ask any more.
    async fn run(mut self, mut questions: mpsc::Receiver<oneshot::Sender<Answer>>) {
        loop {
            let question = match &self.client {
                None => questions.recv().await,
                Some(client) => tokio::select! {
                    question = questions.recv() => question,
                    () = client.disconnected() => {
                        tracing::debug!("the session for observation is lost");
                        self.client = None;
                        continue;
                    }
                },
            };
            let Some(question) = question else { break };
            // Nobody listens any more: a read for nobody would only delay the next one.
            if question.is_closed() {
                continue;
            }
            let answer = self.answer().await;
            // Who asked may have gone meanwhile.
            drop(question.send(answer));
        }
        if let Some(client) = self.client.take() {
            client.close().await;
        }
    }

    async fn answer(&mut self) -> Answer {
        match self.read().await {
            Ok(membership) => {
                (self.last_failure, self.pause) = (None, SHORTEST_PAUSE);
                Ok(membership)
            }
            Err(error @ (SessionError::Failed(_) | SessionError::AuthFailed)) => {
                let reason = match &error {
                    SessionError::Failed(reason) => reason.clone(),
                    error => error.to_string(),
                };
                self.client = None;
                self.last_failure = Some((Instant::now() + self.pause, reason));
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads as anybody; where that is refused and the agent has credentials, with those from then on.
    async fn read(&mut self) -> Answer {
        let read = self.read_once().await;
        let refused = matches!(read, Err(SessionError::NoAuth | SessionError::AuthFailed));
        if !refused || self.with_credentials || self.server.credentials_file.is_none() {
            return read;
        }
        self.with_credentials = true;
        if let Some(client) = self.client.take() {
            client.close().await;
        }
        self.read_once().await
    }

    async fn read_once(&mut self) -> Answer {
        let client = match self.client.take().filter(Client::is_connected) {
            Some(client) => client,
            None => self.open().await?,
        };
        let read = client.local(self.server.timeouts.answer()).await;
        let server_id = client.server_id();
        self.client = Some(client);
        Ok(Membership {
            ensemble: read.map_err(|error| failed(&error))?,
            server_id,
        })
    }

    async fn open(&self) -> Result<Client, SessionError> {
        if let Some((next, reason)) = &self.last_failure
            && Instant::now() < *next
        {
            return Err(SessionError::Pausing(reason.clone()));
        }
        let Server { address, timeouts, .. } = &self.server;
        let credentials = if self.with_credentials {
            let read = self.server.credentials();
            read.map_err(|error| SessionError::Failed(error.to_string()))?
        } else {
            None
        };
        let client = Client::open(address, credentials.as_ref(), timeouts.session())
            .await
            .map_err(|error| failed(&error))?;
        match client.synced(timeouts.session()).await {
            Ok(_) => Ok(client),
            Err(error) => {
                let refused = failed(&error);
                // A session that is refused the node now may be shown it later: it is kept.
                if refused == SessionError::NoAuth {
                    Ok(client)
                } else {
                    Err(refused)
                }
            }
        }
    }
}

fn failed(error: &ClientError) -> SessionError {
    match error {
        ClientError::Answered {
            error: zookeeper_client::Error::NoAuth,
            ..
        } => SessionError::NoAuth,
        ClientError::Answered {
            error: zookeeper_client::Error::AuthFailed,
            ..
        } => SessionError::AuthFailed,
        error => SessionError::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Peer;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refused_session_is_tried_with_the_credentials() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("credentials");
        std::fs::write(&file, "super:needed").unwrap();
        let peer = Peer::refusing(1, "server.1=h:1:2;3\nversion=1", b"super:needed");
        let mut server = Server::new(peer.address(), "zk");
        let refused = Session::new(server.clone()).membership().await.unwrap_err();
        assert_eq!(refused, SessionError::AuthFailed);
        assert!(!peer.has_seen(b"needed"));
        server.credentials_file = Some(file);
        let membership = Session::new(server).membership().await.unwrap();
        assert_eq!(membership.server_id, Some(1));
        assert!(peer.has_seen(b"needed"));
    }
}

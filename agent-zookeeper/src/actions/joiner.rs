//! A server that is to be admitted, as it answers itself.
//!
//! Whoever is named by somebody else is asked without credentials; the agent's own server may have them.

use crate::client::{Client, ClientError};
use crate::config::Server;
use crate::ensemble::Ensemble;
use crate::member::Member;
use crate::node::NoAnswer;
use crate::reach::srvr;
use crate::srvr::Mode;
use crate::words::WordError;
use agent_sdk::config::Address;
use agent_sdk::config::Credentials;

/// A server that is to be admitted, as it answers itself.
#[derive(Debug)]
pub enum Joiner {
    /// It cannot be asked: its line has no client part.
    NoAddress,
    /// It gives no answer.
    Silent(String),
    /// It answers that it does not serve.
    NotServing,
    /// It serves.
    Serving {
        /// What it calls itself.
        mode: Mode,
        /// The ensemble that it follows; `None` where it does not show one.
        ensemble: Option<Ensemble>,
        /// Its id, as a session with it tells.
        id: Option<u64>,
    },
}

/// Asks the server of this line.
pub(super) async fn look(server: &Server, wanted: &Member) -> Joiner {
    match wanted.client_address() {
        Some(address) => ask(server, &address).await,
        None => Joiner::NoAddress,
    }
}

/// Asks a server that somebody else named. It never gets credentials.
pub(super) async fn ask(server: &Server, address: &Address) -> Joiner {
    ask_with(server, address, None).await
}

/// Asks the agent's own server, which may have the credentials where it shows its ensemble to nobody else.
pub(super) async fn ask_own(server: &Server) -> Joiner {
    match server.credentials() {
        Ok(credentials) => ask_with(server, &server.address, credentials.as_ref()).await,
        Err(error) => Joiner::Silent(error.to_string()),
    }
}

async fn ask_with(server: &Server, address: &Address, credentials: Option<&Credentials>) -> Joiner {
    let mode = match srvr(server, address).await {
        Ok(srvr) => srvr.mode,
        Err(NoAnswer::Word(WordError::NotServing)) => return Joiner::NotServing,
        Err(error) => return Joiner::Silent(error.to_string()),
    };
    let client = match Client::open(address, credentials, server.timeouts.session()).await {
        Ok(client) => client,
        // It is there, and shows nothing to whoever comes without credentials that it takes.
        Err(ClientError::Answered {
            error: zookeeper_client::Error::AuthFailed,
            ..
        }) => {
            return Joiner::Serving {
                mode,
                ensemble: None,
                id: None,
            };
        }
        Err(error) => return Joiner::Silent(format!("it answers srvr, but {error}")),
    };
    let id = client.server_id();
    let followed = client.local(server.timeouts.answer()).await;
    client.close().await;
    let ensemble = followed.unwrap_or_else(|error| {
        tracing::debug!(%address, %error, "the joiner does not show its ensemble");
        None
    });
    Joiner::Serving { mode, ensemble, id }
}

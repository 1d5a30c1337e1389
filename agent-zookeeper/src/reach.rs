//! Ways to a quorum: a fresh session on the first server that serves, with the agent's authority.
//!
//! A new session is a transaction: having one proves that there is a quorum, so what follows on it does not hang for
//! want of one. Nothing is sent to a server that has not just answered `srvr`.

use std::time::Instant;

use agent_sdk::action::{ActionError, Fault};

use crate::address::Address;
use crate::client::{Client, ClientError};
use crate::config::{Credentials, Server};
use crate::ensemble::Ensemble;
use crate::node::NoAnswer;
use crate::srvr::{Mode, Srvr};
use crate::words;

/// A session with authority, and the ensemble as it read it at its start.
pub struct Reached {
    /// The session.
    pub client: Client,
    /// `None`: the server is standalone.
    pub ensemble: Option<Ensemble>,
    /// Whether the session had credentials.
    pub with_credentials: bool,
}

/// Makes a session on the first of these servers that serves, and reads the ensemble through it.
pub async fn reach(server: &Server, addresses: &[Address]) -> Result<Reached, ActionError> {
    let credentials = server
        .credentials()
        .map_err(|error| ActionError::Final(Fault::new("no_authority", error.to_string())))?;
    let (begun, mut why) = (Instant::now(), Vec::new());
    for address in addresses {
        // An action has to be able to end: where the first servers hang, the last ones are left to the next attempt.
        if begun.elapsed() > server.timeouts.session() {
            why.push(format!("{address}: not asked for want of time"));
            continue;
        }
        match on(server, address, credentials.as_ref()).await {
            Ok((client, ensemble)) => {
                return Ok(Reached {
                    client,
                    ensemble,
                    with_credentials: credentials.is_some(),
                });
            }
            Err(Refusal::Elsewhere(reason)) => why.push(format!("{address}: {reason}")),
            Err(Refusal::Everywhere(error)) => return Err(error),
        }
    }
    Err(ActionError::retry(
        "no_quorum",
        format!(
            "no server could be reached that has a quorum; nothing was sent ({})",
            why.join("; ")
        ),
    ))
}

/// Asks a server `srvr`.
pub async fn srvr(server: &Server, address: &Address) -> Result<Srvr, NoAnswer> {
    let answer = words::ask(address, "srvr", server.timeouts.answer()).await;
    Srvr::parse(&answer.map_err(NoAnswer::Word)?).map_err(NoAnswer::Srvr)
}

/// Why a server is of no use: another may be.
enum Refusal {
    Elsewhere(String),
    Everywhere(ActionError),
}

async fn on(
    server: &Server,
    address: &Address,
    credentials: Option<&Credentials>,
) -> Result<(Client, Option<Ensemble>), Refusal> {
    let elsewhere = |reason: String| Refusal::Elsewhere(reason);
    let srvr = srvr(server, address)
        .await
        .map_err(|error| elsewhere(error.to_string()))?;
    if srvr.mode == Mode::ReadOnly {
        return Err(elsewhere(
            "it is cut off from a quorum and serves reads only".to_owned(),
        ));
    }
    let within = server.timeouts.session();
    let client = Client::open(address, credentials, within)
        .await
        .map_err(|error| elsewhere(error.to_string()))?;
    match client.synced(within).await {
        Ok(ensemble) => Ok((client, ensemble)),
        Err(ClientError::Answered {
            error: zookeeper_client::Error::NoAuth,
            ..
        }) => Err(Refusal::Everywhere(ActionError::last(
            "no_authority",
            "the ensemble does not show its configuration to the agent (-102): give world:anyone the right to read \
             /zookeeper/config, or put super:PASSWORD into store.credentials_file",
        ))),
        Err(ClientError::Content(error)) => Err(Refusal::Everywhere(ActionError::last(
            "config_unreadable",
            error.to_string(),
        ))),
        Err(error) => Err(elsewhere(error.to_string())),
    }
}

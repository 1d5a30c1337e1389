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
    let client = Client::open(address, credentials, within).await.map_err(refusal)?;
    match client.synced(within).await {
        Ok(ensemble) => Ok((client, ensemble)),
        Err(error) => Err(refusal(error)),
    }
}

/// What an error at a server means for the others.
fn refusal(error: ClientError) -> Refusal {
    let everywhere = |code, message: String| Refusal::Everywhere(ActionError::last(code, message));
    match error {
        ClientError::Answered {
            error: zookeeper_client::Error::NoAuth,
            ..
        } => everywhere(
            "no_authority",
            "the ensemble does not show its configuration to the agent (-102): give world:anyone the right to read \
             /zookeeper/config, or put super:PASSWORD into store.credentials_file"
                .to_owned(),
        ),
        ClientError::Answered {
            error: zookeeper_client::Error::AuthFailed,
            address,
        } => everywhere(
            "no_authority",
            format!(
                "{address} refuses the agent's session (-115): the server takes none without credentials of a scheme \
                 that it knows; put USER:PASSWORD for the scheme digest into store.credentials_file, or correct it"
            ),
        ),
        ClientError::Content(error) => everywhere("config_unreadable", error.to_string()),
        error => Refusal::Elsewhere(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_credentials_are_no_authority() {
        use zookeeper_client::Error;
        for (error, code) in [
            (Error::AuthFailed, Some("no_authority")),
            (Error::NoAuth, Some("no_authority")),
            (Error::ConnectionLoss, None),
        ] {
            let address = Address::new("h", 1);
            match (refusal(ClientError::Answered { address, error }), code) {
                (Refusal::Everywhere(ActionError::Final(fault)), Some(code)) => assert_eq!(fault.code(), code),
                (Refusal::Elsewhere(_), None) => {}
                (_, code) => panic!("{code:?}"),
            }
        }
    }
}

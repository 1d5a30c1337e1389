//! Ways to a quorum: a fresh session on the first server that serves, with the agent's authority.
//!
//! A new session is a transaction: having one proves that there is a quorum, so what follows on it does not hang for
//! want of one. Nothing is sent to a server that has not just answered `srvr`.
//!
//! An action has to be able to end, so all ways together have a limit; and each has its share of what is left of it, so
//! that one server which answers `srvr` and then hangs leaves time for the others.

use std::time::Duration;

use agent_sdk::action::{ActionError, Fault};
use tokio::time::{Instant, timeout};

use crate::client::{Client, ClientError};
use crate::config::Server;
use crate::ensemble::Ensemble;
use crate::node::NoAnswer;
use crate::srvr::{Mode, Srvr};
use crate::words;
use agent_sdk::config::Address;
use agent_sdk::config::Credentials;

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
    let mut why = Vec::new();
    let end = Instant::now() + ALL * server.timeouts.session();
    for (index, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let within = share(left, addresses.len() - index, server.timeouts.answer());
        let asked = timeout(within, on(server, address, credentials.as_ref())).await;
        match asked.unwrap_or_else(|_| Err(Refusal::late(within))) {
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

/// All ways together may take this many times what one session may.
const ALL: u32 = 2;

/// What one way may take, with so much time left for so many: as much as each other, and enough for one answer.
fn share(left: Duration, ways: usize, shortest: Duration) -> Duration {
    let ways = u32::try_from(ways).unwrap_or(u32::MAX).max(1);
    (left / ways).max(shortest)
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

impl Refusal {
    fn late(within: Duration) -> Self {
        let within = within.as_millis();
        Self::Elsewhere(format!("no session within {within} ms: it has no quorum, or hangs"))
    }
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
    use crate::fake::Peer;

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

    #[test]
    fn each_way_has_its_share_and_time_for_an_answer() {
        let [second, left] = [Duration::from_secs(1), Duration::from_secs(9)];
        assert_eq!(share(left, 3, second), 3 * second);
        assert_eq!(share(left, 1, second), left);
        assert_eq!(share(left, 100, second), second);
        assert_eq!(share(Duration::ZERO, 0, second), second);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn servers_that_hang_leave_time_for_the_others() {
        const ONE: &str = "server.1=h:1:2;3\nversion=1";
        let peers = [1, 2, 3].map(|id| Peer::start(id, ONE));
        peers[0].hang(true);
        peers[1].hang(true);
        let mut server = Server::new(peers[0].address(), "zk");
        server.timeouts.session_ms = 3_000;
        let begun = Instant::now();
        let ways = peers.each_ref().map(Peer::address);
        let reached = reach(&server, &ways).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(reached.client.server_id(), Some(3));
        assert!(
            begun.elapsed() < ALL * server.timeouts.session(),
            "{:?}",
            begun.elapsed()
        );
    }
}

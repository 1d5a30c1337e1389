//! The `store` section of the configuration.
//!
//! Addresses and the server line are checked while they are read, so that a mistake is told with its key and line. The
//! password stays in a file of its own and is read anew for each action: it can be changed without a restart, and it
//! is in no dump of the configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_sdk::config::{Address, Credentials, CredentialsError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::member::Member;

/// The server beside the agent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where the server takes clients, as host:port. Plain, not TLS.
    #[serde(default = "local")]
    #[schemars(example = "127.0.0.1:2181")]
    pub address: Address,
    /// Name of the ensemble, the same on every agent of it: `ZooKeeper` has none of its own. Also the shard's id.
    #[schemars(example = "zookeeper-1")]
    pub cluster_id: String,
    /// This server's own line as other servers need it: server.ID=HOST:PORT:PORT:participant;CLIENT-HOST:PORT. Needed to
    /// join an ensemble; a member's is read from the ensemble.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub member: Option<Member>,
    /// Id of the server. When unset: myid in `data_directory`, else the id of `member`, else what a session tells.
    #[serde(default)]
    pub server_id: Option<u64>,
    /// dataDir of the server, to read its myid.
    #[serde(default)]
    pub data_directory: Option<PathBuf>,
    /// File with one line USER:PASSWORD for the scheme digest, such as super:secret: the authority to change the
    /// ensemble. Readable by the agent's user only.
    #[serde(default)]
    pub credentials_file: Option<PathBuf>,
    /// `AdminServer` of the server as host:port, when it is on: more attributes.
    #[serde(default)]
    pub admin_server: Option<Address>,
    /// How long the agent waits for the server.
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// How long the agent waits for the server.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For the answer to a word or a read, in milliseconds, 20 to 20,000. Keep it well below `observe.deadline_ms`.
    #[schemars(range(min = 20, max = 20_000))]
    pub answer_ms: u64,
    /// For a session to be made, in milliseconds, 100 to 60,000.
    #[schemars(range(min = 100, max = 60_000))]
    pub session_ms: u64,
    /// For the answer to a change of the ensemble, in milliseconds, 500 to 600,000.
    #[schemars(range(min = 500, max = 600_000))]
    pub reconfig_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            answer_ms: 1_000,
            session_ms: 5_000,
            reconfig_ms: 15_000,
        }
    }
}

impl Timeouts {
    /// For a word or a read.
    pub const fn answer(&self) -> Duration {
        Duration::from_millis(self.answer_ms)
    }

    /// For a session.
    pub const fn session(&self) -> Duration {
        Duration::from_millis(self.session_ms)
    }

    /// For a change of the ensemble.
    pub const fn reconfig(&self) -> Duration {
        Duration::from_millis(self.reconfig_ms)
    }
}

fn local() -> Address {
    Address::new("127.0.0.1", 2181)
}

impl Server {
    /// A server at this address in this ensemble, with everything else as by default.
    pub fn new(address: Address, cluster_id: impl Into<String>) -> Self {
        Self {
            address,
            cluster_id: cluster_id.into(),
            member: None,
            server_id: None,
            data_directory: None,
            credentials_file: None,
            admin_server: None,
            timeouts: Timeouts::default(),
        }
    }

    /// The id as far as it is known without the server: from its `myid`, else as configured.
    pub fn known_id(&self) -> Option<u64> {
        let myid = self.data_directory.as_deref().and_then(myid);
        let configured = self.server_id.or(self.member.as_ref().map(|member| member.id));
        myid.or(configured)
    }

    /// The authority to change the ensemble, when there is one.
    pub fn credentials(&self) -> Result<Option<Credentials>, CredentialsError> {
        self.credentials_file.as_deref().map(Credentials::read).transpose()
    }
}

fn myid(directory: &Path) -> Option<u64> {
    let file = directory.join("myid");
    match std::fs::read_to_string(&file) {
        Ok(text) => text.trim().parse().ok(),
        Err(error) => {
            tracing::debug!(file = %file.display(), %error, "the server's id cannot be read from its file");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_is_read_and_checked() {
        let text = r#"{"cluster_id": "zk", "member": "server.3=h:2888:3888;2181", "timeouts": {"answer_ms": 50}}"#;
        let server: Server = serde_json::from_str(text).unwrap();
        assert_eq!(server.address, Address::new("127.0.0.1", 2181));
        assert_eq!(
            (server.known_id(), server.timeouts.answer()),
            (Some(3), Duration::from_millis(50))
        );
        let wrong = |text: &str| serde_json::from_str::<Server>(text).unwrap_err().to_string();
        assert!(wrong(r#"{"cluster_id": "zk", "member": "zk-3"}"#).contains("no server line"));
        assert!(wrong(r#"{"cluster_id": "zk", "address": "h"}"#).contains("no address"));
        assert!(wrong(r#"{"cluster_id": "zk", "adress": "h:1"}"#).contains("adress"));
    }

    #[test]
    fn the_example_is_a_configuration() {
        let text = agent_sdk::config::example::<Server>("agent-zookeeper");
        let parsed = agent_sdk::config::parse::<Server>(Path::new("example"), &text, []);
        let (_, server) = parsed.unwrap_or_else(|error| panic!("{error}\n{text}")).split();
        assert_eq!((server.address, server.member), (local(), None));
    }

    #[test]
    fn a_mistake_is_told_with_its_key_and_line() {
        let text = "state_directory: /s\nstore:\n  cluster_id: zk\n  member: zk-3\n";
        let error = agent_sdk::config::parse::<Server>(Path::new("f"), text, [])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("store.member") && error.contains('4') && error.contains("server.ID="),
            "{error}"
        );
    }

    #[test]
    fn the_servers_own_file_goes_before_what_is_configured() {
        let directory = tempfile::tempdir().unwrap();
        let mut server = Server::new(local(), "zk");
        server.server_id = Some(2);
        server.data_directory = Some(directory.path().to_owned());
        assert_eq!(server.known_id(), Some(2), "no file yet");
        std::fs::write(directory.path().join("myid"), "7\n").unwrap();
        assert_eq!(server.known_id(), Some(7));
        std::fs::write(directory.path().join("myid"), "seven").unwrap();
        assert_eq!(server.known_id(), Some(2));
    }
}

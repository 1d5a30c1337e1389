//! The `store` section of the configuration.
//!
//! Addresses are checked while they are read, so that a mistake is told with its key and line; what only makes sense
//! together is checked by [`Server::validated`], once, before the agent starts. A password is read anew whenever the
//! server has not let the agent in, so that it can be changed without a restart.

use std::path::PathBuf;
use std::time::Duration;

use agent_sdk::config::{Address, Credentials};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The mongod beside the agent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Where the agent asks the mongod, as host:port.
    #[serde(default = "local")]
    #[schemars(example = "127.0.0.1:27017")]
    pub address: Address,
    /// Name of the replica set, as the mongod is given it (--replSet). It is the id of the cluster, and of its one shard.
    #[schemars(example = &"rs0")]
    pub replica_set: String,
    /// Where the other members find this mongod, as host:port: its name in the set. Needed by cluster.init, which gives it
    /// that name; a member's own is read from the set.
    #[serde(default)]
    #[schemars(example = "mongo-1.example:27017")]
    pub member_address: Option<Address>,
    /// For a mongod with TLS. Other members are asked in the same way.
    #[serde(default)]
    pub tls: Option<TlsFiles>,
    /// For a mongod with access control. Other members are asked in the same way.
    #[serde(default)]
    pub login: Option<Login>,
    /// How long the agent waits.
    #[serde(default)]
    pub timeouts: Timeouts,
}

/// Certificates, all in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// Certificates of the authorities to trust; the system's are not.
    pub ca_file: PathBuf,
    /// The agent's own certificate with its key, in one file as the tools of `MongoDB` have it. Where the mongod asks for
    /// one.
    #[serde(default)]
    pub certificate_key_file: Option<PathBuf>,
}

/// Who the agent is to the mongod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// SCRAM-SHA-256, SCRAM-SHA-1 or MONGODB-X509. The last takes the user from `tls.certificate_key_file`.
    #[serde(default)]
    pub mechanism: Mechanism,
    /// File with one line USER:PASSWORD, readable by the agent's user only. Needed by SCRAM.
    #[serde(default)]
    pub credentials_file: Option<PathBuf>,
    /// Database that the user was created in. For SCRAM.
    #[serde(default = "admin")]
    pub database: String,
}

/// How to log in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mechanism {
    /// A password, by its SHA-256.
    #[default]
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// A password, by its SHA-1.
    #[serde(rename = "SCRAM-SHA-1")]
    ScramSha1,
    /// The certificate of the connection.
    #[serde(rename = "MONGODB-X509")]
    X509,
}

/// How long the agent waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For all answers to one look at the mongod, in milliseconds, 20 to 20,000. Keep it well below
    /// `observe.deadline_ms`.
    #[schemars(range(min = 20, max = 20_000))]
    pub answer_ms: u64,
    /// For the answer to a change of the set, in milliseconds, 500 to 600,000. The mongod is told it as well. With a frozen
    /// member in the set 4.4 and 5.0 take up to 42,000.
    #[schemars(range(min = 500, max = 600_000))]
    pub change_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            answer_ms: 1_000,
            change_ms: 45_000,
        }
    }
}

impl Timeouts {
    /// For a look.
    pub const fn answer(&self) -> Duration {
        Duration::from_millis(self.answer_ms)
    }

    /// For a change.
    pub const fn change(&self) -> Duration {
        Duration::from_millis(self.change_ms)
    }
}

fn local() -> Address {
    Address::new("127.0.0.1", 27_017)
}

fn admin() -> String {
    "admin".to_owned()
}

/// Why a section is of no use.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ServerError {
    /// No name.
    #[error("store.replica_set is empty: it is the name that the mongod is given by --replSet")]
    NoName,
    /// A password is needed, and there is none.
    #[error("store.login.mechanism is {0}, which needs store.login.credentials_file")]
    NoCredentials(&'static str),
    /// A certificate is needed, and there is none.
    #[error("store.login.mechanism is MONGODB-X509, which needs store.tls.certificate_key_file")]
    NoCertificate,
    /// A password is given that nobody asks for.
    #[error("store.login.credentials_file is set, and MONGODB-X509 takes the user from the certificate")]
    Credentials,
    /// Others could not use it.
    #[error("store.member_address: {0} is no address that others could use")]
    Wildcard(Address),
    /// User and password are not there, or are none.
    #[error("store.login.credentials_file: {0}")]
    BadCredentials(String),
    /// A file of certificates has none.
    #[error("{key}: {} holds no {what} in PEM", .file.display())]
    NoPem {
        /// What names it.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// A file of certificates cannot be read.
    #[error("{key}: {} cannot be read: {cause}", .file.display())]
    Unreadable {
        /// What names it.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        cause: String,
    },
}

/// A section that holds together.
#[derive(Debug, Clone)]
pub struct Validated {
    /// As configured.
    pub address: Address,
    /// As configured.
    pub replica_set: String,
    /// As configured.
    pub member_address: Option<Address>,
    /// How a server of the set is asked.
    pub way: Way,
    /// As configured.
    pub timeouts: Timeouts,
}

/// How a server of the set is asked: the mongod beside the agent, and the other members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// For TLS.
    pub tls: Option<TlsFiles>,
    /// For access control.
    pub access: Access,
}

/// Who the agent is to a mongod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Nobody.
    Anonymous,
    /// A user with a password.
    Password {
        /// Which SCRAM.
        mechanism: Mechanism,
        /// Where user and password are.
        file: PathBuf,
        /// Where the user was created.
        database: String,
    },
    /// The subject of the connection's certificate.
    Certificate,
}

impl Way {
    /// The same, without saying who the agent is.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self {
            tls: self.tls.clone(),
            access: Access::Anonymous,
        }
    }
}

impl Mechanism {
    /// As `MongoDB` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::X509 => "MONGODB-X509",
        }
    }
}

impl Server {
    /// The mongod at this address, of this set, with everything else as by default.
    pub fn new(address: Address, replica_set: impl Into<String>) -> Self {
        Self {
            address,
            replica_set: replica_set.into(),
            member_address: None,
            tls: None,
            login: None,
            timeouts: Timeouts::default(),
        }
    }

    /// The section, checked as a whole.
    pub fn validated(self) -> Result<Validated, ServerError> {
        let Self {
            address,
            replica_set,
            member_address,
            tls,
            login,
            timeouts,
        } = self;
        if replica_set.is_empty() {
            return Err(ServerError::NoName);
        }
        if let Some(wildcard) = member_address.clone().filter(Address::is_wildcard) {
            return Err(ServerError::Wildcard(wildcard));
        }
        if let Some(files) = &tls {
            files.check()?;
        }
        let access = login.map_or(Ok(Access::Anonymous), |login| login.access(tls.as_ref()))?;
        Ok(Validated {
            address,
            replica_set,
            member_address,
            way: Way { tls, access },
            timeouts,
        })
    }
}

impl TlsFiles {
    /// Whether they are trusted is found out when the client connects; that they hold what they should, before the agent
    /// starts.
    fn check(&self) -> Result<(), ServerError> {
        let own = self.certificate_key_file.as_ref();
        let (ca, own_key) = ("store.tls.ca_file", "store.tls.certificate_key_file");
        let needed = [
            (ca, Some(&self.ca_file), "certificate", "BEGIN CERTIFICATE-----"),
            (own_key, own, "certificate", "BEGIN CERTIFICATE-----"),
            (own_key, own, "key", "PRIVATE KEY-----"),
        ];
        for (key, file, what, mark) in needed {
            let Some(file) = file else { continue };
            let text = std::fs::read(file).map_err(|cause| ServerError::Unreadable {
                key,
                file: file.clone(),
                cause: cause.to_string(),
            })?;
            if !String::from_utf8_lossy(&text).contains(mark) {
                let file = file.clone();
                return Err(ServerError::NoPem { key, file, what });
            }
        }
        Ok(())
    }
}

impl Login {
    fn access(self, tls: Option<&TlsFiles>) -> Result<Access, ServerError> {
        let Self {
            mechanism,
            credentials_file,
            database,
        } = self;
        let certificate = tls.and_then(|tls| tls.certificate_key_file.as_ref());
        match (mechanism, credentials_file) {
            (Mechanism::X509, Some(_)) => Err(ServerError::Credentials),
            (Mechanism::X509, None) if certificate.is_none() => Err(ServerError::NoCertificate),
            (Mechanism::X509, None) => Ok(Access::Certificate),
            (mechanism, None) => Err(ServerError::NoCredentials(mechanism.name())),
            (mechanism, Some(file)) => {
                // Read again for each login; what is wrong from the start is told before it.
                Credentials::read(&file).map_err(|error| ServerError::BadCredentials(error.to_string()))?;
                Ok(Access::Password {
                    mechanism,
                    file,
                    database,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;

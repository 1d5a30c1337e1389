//! What the agent last saw of its node's identity, kept in the state directory.
//!
//! A node that does not run has an id and a version all the same: those it had. The file is a convenience, so a fault
//! with it is a log line and never an error.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::spec::{Addresses, Identity, StoreVersion};

/// What was last seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Seen {
    node_id: Option<String>,
    version: Option<String>,
    checkout: Option<String>,
    extra: Option<String>,
    client: Option<String>,
    member: Option<String>,
}

/// The file with what was last seen, and its content.
#[derive(Debug)]
pub(crate) struct Memory {
    file: Option<PathBuf>,
    seen: Seen,
}

impl Memory {
    /// Reads the file; a missing or unreadable one is an empty memory.
    pub(crate) fn open(file: PathBuf) -> Self {
        let seen = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(file = %file.display(), %error, "what was last seen of the node cannot be read");
                Seen::default()
            }),
            Err(_) => Seen::default(),
        };
        Self { file: Some(file), seen }
    }

    /// A memory without a file.
    pub(crate) fn none() -> Self {
        Self {
            file: None,
            seen: Seen::default(),
        }
    }

    /// Fills what an identity lacks from memory and remembers what it has.
    pub(crate) fn complete(&mut self, mut identity: Identity) -> Identity {
        self.learn(&identity);
        let Addresses {
            client,
            member,
            others: _,
        } = &mut identity.addresses;
        let seen = &self.seen;
        identity.node_id = identity.node_id.or_else(|| seen.node_id.clone());
        *client = client.take().or_else(|| seen.client.clone());
        *member = member.take().or_else(|| seen.member.clone());
        identity.version = identity.version.or_else(|| {
            Some(StoreVersion {
                number: seen.version.as_deref()?.parse().ok()?,
                checkout: seen.checkout.clone(),
                extra: seen.extra.clone(),
            })
        });
        identity
    }

    fn learn(&mut self, identity: &Identity) {
        let mut seen = self.seen.clone();
        let Identity {
            node_id,
            version,
            addresses:
                Addresses {
                    client,
                    member,
                    others: _,
                },
        } = identity;
        if let Some(id) = node_id {
            seen.node_id = Some(id.clone());
        }
        if let Some(StoreVersion {
            number,
            checkout,
            extra,
        }) = version
        {
            (seen.version, seen.checkout, seen.extra) = (Some(number.to_string()), checkout.clone(), extra.clone());
        }
        if let Some(client) = client {
            seen.client = Some(client.clone());
        }
        if let Some(member) = member {
            seen.member = Some(member.clone());
        }
        if seen != self.seen {
            self.seen = seen;
            self.write();
        }
    }

    fn write(&self) {
        let Some(file) = &self.file else { return };
        if let Err(error) = replace(file, &self.seen) {
            tracing::warn!(file = %file.display(), %error, "what was seen of the node cannot be kept");
        }
    }
}

/// Writes the file anew, readable by its owner only and whole after any crash.
fn replace(file: &Path, seen: &Seen) -> io::Result<()> {
    let fresh = file.with_extension("new");
    let mut written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    written.write_all(&serde_json::to_vec(seen)?)?;
    written.sync_all()?;
    std::fs::rename(&fresh, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_does_not_run_keeps_the_id_and_version_it_had() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("last-seen.json");
        let alive = Identity {
            node_id: Some("n1".into()),
            version: StoreVersion::parse("3.9.5"),
            addresses: Addresses {
                client: Some("h:1".into()),
                ..Addresses::default()
            },
        };
        assert_eq!(Memory::open(file.clone()).complete(alive.clone()), alive);
        assert_eq!(Memory::open(file.clone()).complete(Identity::default()), alive);
        std::fs::write(&file, b"{").unwrap();
        assert_eq!(Memory::open(file).complete(Identity::default()), Identity::default());
    }
}

//! The ensemble as its config node tells it: server lines and the version of the configuration.
//!
//! Lines are compared as parsed entries, never as text: the server writes `;2181` back as `;0.0.0.0:2181` and fills in
//! roles. A version alone is no proof of being the same ensemble either (two can have the same), so what decides is
//! always the members.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::member::{Member, MemberError, Role};

/// Version of an ensemble's configuration: the zxid of the change that made it. Hexadecimal in text, as the server
/// writes it into the config node and into the names of its dynamic files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(pub i64);

/// A text that is no version.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no version of a configuration")]
pub struct VersionError(String);

impl Version {
    /// That of an ensemble whose servers do not allow changes: the first leader of any other commits its configuration,
    /// and so gives it a version. Each server of a static ensemble shows its own file.
    pub const STATIC: Self = Self(0);
}

/// The members of an ensemble and the version of its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ensemble {
    members: BTreeMap<u64, Member>,
    version: Version,
    hierarchical: bool,
}

/// Why a config node cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EnsembleError {
    /// Bytes that are no text.
    #[error("the config node is no text")]
    NotText,
    /// A server line that is none.
    #[error("the config node has a line that cannot be read")]
    Member(#[from] MemberError),
    /// One id in two lines.
    #[error("the config node names server {0} twice")]
    Twice(u64),
    /// A version that is none.
    #[error("the config node's version cannot be read")]
    Version(#[from] VersionError),
    /// Members without a version.
    #[error("the config node has no version")]
    Unversioned,
}

impl Ensemble {
    /// Reads the content of `/zookeeper/config`. `None`: the server is standalone, where it is empty.
    pub fn parse(content: &[u8]) -> Result<Option<Self>, EnsembleError> {
        let text = std::str::from_utf8(content).map_err(|_| EnsembleError::NotText)?;
        let (mut members, mut version, mut hierarchical) = (BTreeMap::new(), None, false);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line.starts_with("server.") {
                let member: Member = line.parse()?;
                let id = member.id;
                if members.insert(id, member).is_some() {
                    return Err(EnsembleError::Twice(id));
                }
            } else if let Some(text) = line.strip_prefix("version=") {
                version = Some(text.parse()?);
            } else if line.starts_with("group.") || line.starts_with("weight.") {
                hierarchical = true;
            }
        }
        match version {
            Some(version) => Ok(Some(Self {
                members,
                version,
                hierarchical,
            })),
            None if members.is_empty() => Ok(None),
            None => Err(EnsembleError::Unversioned),
        }
    }

    /// The member of this id.
    pub fn get(&self, id: u64) -> Option<&Member> {
        self.members.get(&id)
    }

    /// Every member, by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// Whether this is the ensemble of this version and these members. A step of an older agent has none.
    pub fn is(&self, version: Version, members: &[Member]) -> bool {
        self.version == version && (members.is_empty() || self.members().eq(members))
    }

    /// How many members vote.
    pub fn participants(&self) -> usize {
        self.members().filter(|member| member.role == Role::Participant).count()
    }

    /// How many members only follow.
    pub fn observers(&self) -> usize {
        self.members.len() - self.participants()
    }

    /// Version of the configuration.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Whether votes are counted by groups; such an ensemble refuses incremental changes.
    pub const fn is_hierarchical(&self) -> bool {
        self.hierarchical
    }

    /// Whether both have the same members; versions are not looked at.
    pub fn has_members_of(&self, other: &Self) -> bool {
        self.members == other.members
    }

    /// Ids in one line, for messages.
    pub fn ids(&self) -> String {
        self.members.keys().map(u64::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text.trim(), 16)
            .map(|version| Self(version.cast_signed()))
            .map_err(|_| VersionError(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: &str = "server.1=a:1:2:participant;0.0.0.0:3\nserver.2=b:1:2:participant;0.0.0.0:3\n\
                         server.3=c:1:2:observer;0.0.0.0:3\nversion=100000004";

    #[test]
    fn a_config_node_gives_members_and_version() {
        let ensemble = Ensemble::parse(THREE.as_bytes()).unwrap().unwrap();
        assert_eq!((ensemble.participants(), ensemble.observers()), (2, 1));
        assert_eq!(ensemble.version(), Version(0x1_0000_0004));
        assert_eq!(ensemble.version().to_string(), "100000004");
        assert_eq!(ensemble.ids(), "1, 2, 3");
        assert!(!ensemble.is_hierarchical());
    }

    #[test]
    fn a_standalone_server_has_an_empty_one() {
        assert_eq!(Ensemble::parse(b""), Ok(None));
        assert_eq!(Ensemble::parse(b"\n"), Ok(None));
    }

    #[test]
    fn members_are_compared_as_entries_and_versions_are_not() {
        let read = |text: &str| Ensemble::parse(text.as_bytes()).unwrap().unwrap();
        let one = read("server.1=a:1:2;3\nversion=1");
        assert!(one.has_members_of(&read("server.1=A:1:2:participant;0.0.0.0:3\nversion=2")));
        assert!(!one.has_members_of(&read("server.1=a:1:2;4\nversion=1")));
    }

    #[test]
    fn what_is_no_config_node_is_refused() {
        let refused = |text: &[u8]| Ensemble::parse(text).unwrap_err();
        assert_eq!(refused(b"\xff"), EnsembleError::NotText);
        assert_eq!(refused(b"server.1=a:1:2;3"), EnsembleError::Unversioned);
        assert_eq!(
            refused(b"server.1=a:1:2;3\nserver.1=b:1:2;3\nversion=1"),
            EnsembleError::Twice(1)
        );
        assert!(matches!(refused(b"server.x=1\nversion=1"), EnsembleError::Member(_)));
        assert!(matches!(
            refused(b"server.1=a:1:2;3\nversion=zz"),
            EnsembleError::Version(_)
        ));
    }

    #[test]
    fn groups_make_it_hierarchical() {
        let text = b"server.1=a:1:2;3\ngroup.1=1\nweight.1=1\nversion=1";
        assert!(Ensemble::parse(text).unwrap().unwrap().is_hierarchical());
    }
}

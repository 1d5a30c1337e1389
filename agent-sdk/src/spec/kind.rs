//! Names of kinds of action, and which of them belong to the specification (Behaviours → Agent Actions; Actions).

use std::fmt;

use thiserror::Error;

/// The scope that belongs to the specification, with everything below it.
const RESERVED: &str = "replicante.io";

/// Whether a scope is the specification's own.
pub(super) fn is_reserved(scope: &str) -> bool {
    let scope = scope.to_ascii_lowercase();
    scope == RESERVED || scope.strip_suffix(RESERVED).is_some_and(|rest| rest.ends_with('.'))
}

/// A kind's full name, `scope/name`, known to be well-formed.
///
/// The scope is a domain name, the name is made of lower-case letters, digits, `.`, `-` and `_`; together they have at
/// most 200 characters, so that a kind is always fit for a path, a metric's label and a table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KindName(String);

/// Why a text is no kind's name.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KindError {
    /// There is no `/`.
    #[error("{0:?} has no scope: a kind is named scope/name, such as example.org/compact")]
    Unscoped(String),
    /// Something else than the allowed characters, or too many of them.
    #[error(
        "{0:?} is no kind's name: lower-case letters, digits, '.', '-' and '_' around one '/', at most 200 characters"
    )]
    Malformed(String),
}

impl KindName {
    /// Checks a name.
    pub fn parse(text: &str) -> Result<Self, KindError> {
        let (scope, name) = text
            .split_once('/')
            .ok_or_else(|| KindError::Unscoped(text.to_owned()))?;
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.ends_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(allowed)
        };
        if text.len() <= 200 && part(scope) && part(name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KindError::Malformed(text.to_owned()))
        }
    }

    /// What stands for the kind of a record whose own cannot be read.
    pub(crate) fn damaged() -> Self {
        Self("damaged/record".to_owned())
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the scope belongs to the specification.
    pub fn is_reserved(&self) -> bool {
        self.0.split_once('/').is_some_and(|(scope, _)| is_reserved(scope))
    }
}

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The actions on a cluster that the specification gives a name and a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WellKnown {
    /// Initialises a cluster that is not initialised yet.
    ClusterInit,
    /// Run on a member: takes another node in.
    ClusterAdd,
    /// Run on a new node: takes itself in.
    ClusterJoin,
    /// Run on a member: removes and forgets another node; does nothing when it is not there.
    ClusterRemove,
}

impl WellKnown {
    /// All four.
    pub const ALL: [Self; 4] = [
        Self::ClusterInit,
        Self::ClusterAdd,
        Self::ClusterJoin,
        Self::ClusterRemove,
    ];

    /// The kind's full name.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ClusterInit => "agent.replicante.io/cluster.init",
            Self::ClusterAdd => "agent.replicante.io/cluster.add",
            Self::ClusterJoin => "agent.replicante.io/cluster.join",
            Self::ClusterRemove => "agent.replicante.io/cluster.remove",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserved_scope_is_the_domain_and_what_is_below_it() {
        let reserved = |name| KindName::parse(name).unwrap().is_reserved();
        assert!(reserved("replicante.io/x"));
        assert!(reserved("agent.replicante.io/cluster.init"));
        assert!(!reserved("notreplicante.io/x"));
        assert!(!reserved("replicante.io.example.org/x"));
    }

    #[test]
    fn malformed_names_are_refused() {
        for name in ["a", "a/", "/a", "a/b/c", "a b/c", "A/b", "a/b\n", "-a/b"] {
            assert!(KindName::parse(name).is_err(), "{name:?}");
        }
        assert!(KindName::parse(&format!("a/{}", "b".repeat(199))).is_err());
    }
}

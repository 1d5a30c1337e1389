//! Who the client says it is, by SASL.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

use super::scram::ScramError;

/// A mechanism of SASL that the client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// The password as it is, for whoever listens; without TLS also for whoever looks on.
    Plain,
    /// The password is proven, not sent, and the broker proves that it knows it too.
    ScramSha256,
    /// As before, with the longer hash.
    ScramSha512,
}

impl Mechanism {
    const ALL: [Self; 3] = [Self::Plain, Self::ScramSha256, Self::ScramSha512];

    /// Its registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl FromStr for Mechanism {
    type Err = LoginError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|mechanism| mechanism.name() == name);
        known.ok_or_else(|| LoginError::Unknown(name.chars().take(64).collect()))
    }
}

/// How to log in. The file is read for each connection, so credentials can be changed while the agent runs.
#[derive(Debug, Clone)]
pub struct Login {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// File with one line `USER:PASSWORD`, readable by the agent's user only.
    pub file: PathBuf,
}

/// Why there is no login.
#[derive(Debug, Error)]
pub enum LoginError {
    /// No mechanism of this name.
    #[error("{0:?} is no mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")]
    Unknown(String),
    /// The file cannot be read.
    #[error("the credentials file {} cannot be read: {cause}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file's content is something else.
    #[error("the credentials file {} is not one line USER:PASSWORD", .0.display())]
    Malformed(PathBuf),
    /// The listener takes other mechanisms.
    #[error("the listener does not take {}, but {offered}", .asked.name())]
    Mechanism {
        /// What the agent is told to use.
        asked: Mechanism,
        /// What the listener takes.
        offered: String,
    },
    /// The listener takes no credentials.
    #[error("the listener takes no SASL: it is one for {0}")]
    None(&'static str),
    /// The broker does not take these credentials.
    #[error("the broker refuses the credentials: {0}")]
    Refused(String),
    /// The broker's side of SCRAM is wrong.
    #[error(transparent)]
    Scram(#[from] ScramError),
}

/// User and password. They appear in no log and no error.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// From what a file contains. The password may have colons.
    pub(super) fn read(file: &Path) -> Result<Self, LoginError> {
        let text = std::fs::read_to_string(file).map_err(|cause| LoginError::Unreadable {
            file: file.to_owned(),
            cause,
        })?;
        let line = text.trim_end_matches(['\r', '\n']);
        match line.split_once(':') {
            // NUL is what PLAIN puts between the two.
            Some((user, password)) if !user.is_empty() && !password.is_empty() && !line.contains(['\n', '\0']) => {
                Ok(Self::new(user, password))
            }
            _ => Err(LoginError::Malformed(file.to_owned())),
        }
    }

    pub(super) fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn password(&self) -> &[u8] {
        self.password.as_bytes()
    }

    /// The one message of PLAIN (RFC 4616): no other identity than the user's.
    pub(super) fn plain(&self) -> Vec<u8> {
        [b"\0", self.user.as_bytes(), b"\0", self.password()].concat()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_one_line_and_never_shown() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("credentials");
        std::fs::write(&file, "agent:se:cret\n").unwrap();
        let credentials = Credentials::read(&file).unwrap();
        assert_eq!(credentials.plain(), b"\0agent\0se:cret");
        assert!(!format!("{credentials:?}").contains("cret"));
        for wrong in ["", "agent", "agent:", ":secret", "a:secret\nc:d", "a:secret\0"] {
            std::fs::write(&file, wrong).unwrap();
            let error = Credentials::read(&file).unwrap_err();
            assert!(matches!(error, LoginError::Malformed(_)), "{wrong:?}");
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
        let missing = Credentials::read(&directory.path().join("none"));
        assert!(matches!(missing, Err(LoginError::Unreadable { .. })));
    }

    #[test]
    fn mechanisms_have_their_registered_names() {
        for mechanism in Mechanism::ALL {
            assert_eq!(mechanism.name().parse::<Mechanism>().unwrap(), mechanism);
        }
        assert!("GSSAPI".parse::<Mechanism>().is_err());
    }
}

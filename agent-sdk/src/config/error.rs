//! What is wrong with a configuration: key, place, and what would be right.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use super::tree::Origin;

/// Why there is no configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {} cannot be read: {cause}", .file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// It can be read, and says something that cannot be.
    #[error("{}", Lines { file, faults })]
    Invalid {
        /// Which file.
        file: PathBuf,
        /// Each thing that is wrong; at least one.
        faults: Vec<ConfigFault>,
    },
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// The key's full path, such as `api.bind`; empty for the file as a whole.
    pub key: String,
    /// Where it was written down.
    pub origin: Origin,
    /// What is wrong, and what would be right. Never a value that could be a secret.
    pub detail: String,
}

struct Lines<'a> {
    file: &'a std::path::Path,
    faults: &'a [ConfigFault],
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            match &fault.origin {
                Origin::Line(line) => write!(f, "{}:{line}: ", self.file.display())?,
                Origin::Variable(name) => write!(f, "environment variable {name}: ")?,
                Origin::Nowhere => {}
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.detail)
    }
}

/// Whether a key's value must not be shown.
pub(super) fn is_secret(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "super",
        "credential",
        "private",
    ]
    .iter()
    .any(|word| path.contains(word))
}

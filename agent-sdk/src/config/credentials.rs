//! User and password, in a file of their own: they can be changed without a restart, and are in no dump of the
//! configuration.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// User and password. They appear in no log and no error.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

/// Why there are no credentials.
#[derive(Debug, Error)]
pub enum CredentialsError {
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
}

impl Credentials {
    /// User and password as they are.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
        }
    }

    /// From a file with one line `USER:PASSWORD`. The password may have colons; neither has a NUL.
    pub fn read(file: &Path) -> Result<Self, CredentialsError> {
        let text = std::fs::read_to_string(file).map_err(|cause| CredentialsError::Unreadable {
            file: file.to_owned(),
            cause,
        })?;
        let line = text.trim_end_matches(['\r', '\n']);
        match line.split_once(':') {
            Some((user, password)) if !user.is_empty() && !password.is_empty() && !line.contains(['\n', '\0']) => {
                Ok(Self::new(user, password))
            }
            _ => Err(CredentialsError::Malformed(file.to_owned())),
        }
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password.
    pub fn password(&self) -> &str {
        &self.password
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
        assert_eq!((credentials.user(), credentials.password()), ("agent", "se:cret"));
        assert!(!format!("{credentials:?}").contains("cret"));
        for wrong in ["", "agent", "agent:", ":secret", "a:secret\nc:d", "a:secret\0"] {
            std::fs::write(&file, wrong).unwrap();
            let error = Credentials::read(&file).unwrap_err();
            assert!(matches!(error, CredentialsError::Malformed(_)), "{wrong:?}");
            assert!(!format!("{error} {error:?}").contains("secret"));
        }
        assert!(matches!(
            Credentials::read(&directory.path().join("none")),
            Err(CredentialsError::Unreadable { .. })
        ));
    }
}

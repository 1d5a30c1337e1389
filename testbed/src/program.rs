//! The programs that must be installed: Java runs some servers, Maven and Python get them.

use std::env;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A program that this crate starts but does not bring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Program {
    /// The Java runtime.
    Java,
    /// Apache Maven.
    Maven,
    /// Python, with its package installer pip.
    Python,
}

/// The program is not on the `PATH`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "`{}` is not on the PATH: install {} (on Debian: apt-get install {})",
    .0.command(), .0.what(), .0.package()
)]
pub struct Missing(pub Program);

impl Program {
    /// Where it is.
    pub fn find(self) -> Result<PathBuf, Missing> {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path)
            .map(|place| place.join(self.command()))
            .find(|file| runs(file))
            .ok_or(Missing(self))
    }

    fn command(self) -> &'static str {
        match self {
            Self::Java => "java",
            Self::Maven => "mvn",
            Self::Python => "python3",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Java => "a Java runtime, 11 or newer (17 for Kafka 4), which runs the servers",
            Self::Maven => "Apache Maven, 3.6 or newer, which gets the servers",
            Self::Python => "Python 3 with pip, which gets the servers",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Java => "default-jre-headless",
            Self::Maven => "maven",
            Self::Python => "python3-pip",
        }
    }
}

fn runs(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_way_to_get_it() {
        let text = Missing(Program::Maven).to_string();
        assert!(
            text.contains("`mvn`") && text.contains("apt-get install maven"),
            "{text}"
        );
    }

    #[test]
    fn a_file_that_cannot_be_executed_is_no_program() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(!runs(file.path()));
    }
}

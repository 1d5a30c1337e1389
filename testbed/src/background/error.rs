//! Why `up` or `down` did not work.

use std::io;
use std::path::{Path, PathBuf};

use crate::{download, kafka, mongodb, zookeeper};

/// `up` or `down` did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No place for the run directory.
    #[error(transparent)]
    NoCache(#[from] download::Error),
    /// A ZooKeeper ensemble.
    #[error(transparent)]
    ZooKeeper(#[from] zookeeper::Error),
    /// A Kafka cluster.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// A MongoDB cluster.
    #[error(transparent)]
    MongoDb(#[from] mongodb::Error),
    /// One cluster per run directory.
    #[error(
        "a {store} {version} cluster runs already in {run}: end it with `cargo testbed down`, or choose another --dir"
    )]
    AlreadyUp {
        /// Which store.
        store: String,
        /// Which version.
        version: String,
        /// Where.
        run: PathBuf,
    },
    /// Another `up` or `down` is at work.
    #[error("another testbed command works in {run}: try again when it is through")]
    Busy {
        /// Where.
        run: PathBuf,
    },
    /// There is no state file.
    #[error("nothing was started in {run}")]
    NotUp {
        /// Where.
        run: PathBuf,
    },
    /// The state file cannot be understood.
    #[error("{path} is not a state file of this version of testbed; end its processes by hand and remove it")]
    State {
        /// Where.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// A process did not end.
    #[error("{name} (process {pid}) does not end")]
    Undying {
        /// The node.
        name: String,
        /// Its process.
        pid: u32,
    },
    /// Files, or a signal.
    #[error("could not {what} {path}")]
    Io {
        /// What was to be done.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

pub(super) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { what, path, source }
}

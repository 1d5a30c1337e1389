//! The state file: what runs, and where. Written whole, read strictly.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;
use super::error::failed;
use crate::identity::Identity;
use crate::supervision::record;

/// Its name in the run directory.
pub(super) const STATE: &str = "testbed.json";

/// A cluster that runs in the background, as its state file says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Running {
    /// Which store.
    pub store: String,
    /// Which version of it.
    pub version: String,
    /// Everything of the cluster is in here.
    pub directory: PathBuf,
    /// Its nodes.
    pub nodes: Vec<Node>,
}

/// One server of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// `zk-1`, `kafka-1`, `mongo-1`.
    pub name: String,
    /// Its process, where it was started with the cluster.
    pub process: Option<Identity>,
    /// Where clients connect.
    pub client: SocketAddr,
    /// Its member address: what an agent beside it reports, and `cluster.add` takes.
    pub member: String,
    /// What it was when it came up: `leader`, `follower`, `voter`, `unformatted`, `primary`, `blank`, …
    pub mode: String,
    /// Its configuration: a file, or the script that starts it, where that has its arguments.
    pub config: PathBuf,
    /// Its log.
    pub log: PathBuf,
}

impl Running {
    /// Whether anything of it runs, whoever started it.
    pub(super) fn is_alive(&self) -> bool {
        let known = self.nodes.iter().filter_map(|node| node.process.as_ref());
        let others = record::processes(&self.directory).unwrap_or_default();
        known.chain(&others).any(Identity::is_alive)
    }

    /// The file names the directory; what is not below the run directory was not made by us.
    pub(super) fn is_below(&self, run: &Path) -> bool {
        self.directory.starts_with(run) && self.directory != run
    }
}

pub(super) fn read(run: &Path) -> Result<Running, Error> {
    let path = run.join(STATE);
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|source| Error::State { path, source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NotUp { run: run.to_owned() }),
        Err(error) => Err(failed("read", &path)(error)),
    }
}

/// Whole or not at all: `down` must never see half a list.
pub(super) fn write(run: &Path, running: &Running) -> Result<(), Error> {
    let (path, new) = (run.join(STATE), run.join("testbed.json.new"));
    let text = serde_json::to_vec_pretty(running).map_err(|source| Error::State {
        path: path.clone(),
        source,
    })?;
    fs::write(&new, text).map_err(failed("write", &new))?;
    fs::rename(&new, &path).map_err(failed("put in place", &path))
}

pub(super) fn remove(run: &Path, running: &Running) -> Result<(), Error> {
    if running.is_below(run) {
        match fs::remove_dir_all(&running.directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", &running.directory)(error));
            }
            _ => {}
        }
    }
    let path = run.join(STATE);
    fs::remove_file(&path).map_err(failed("remove", &path))
}

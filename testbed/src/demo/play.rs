//! What differs from store to store.

use std::path::{Path, PathBuf};

use agent_sdk::client::Record;
use agent_sdk::spec::NodeState;
use futures_util::future::BoxFuture;

use super::Failure;

/// How many nodes, and agents, a story has.
pub(super) const NODES: usize = 3;

/// A store that the story can be told of: three nodes, by their place from 0.
pub(super) trait Play {
    /// What is written, as the story calls it.
    const WRITES: &'static str;
    /// How many writes show that a new primary takes them.
    const ENOUGH: u32 = 1;
    /// Whether an offset grows by one with each write, so that it is known where the last one ends.
    const COUNTS: bool = true;
    /// Whether copies are seen to be behind while the story writes.
    const LAGS: bool;
    /// What is started, in words.
    const START: &'static str;
    /// What `cluster.init` does, in words.
    const INIT: &'static str;
    /// What the first agent says before `cluster.init`.
    const BEFORE: NodeState;

    /// The node's name, as the story calls it.
    fn name(&self, place: usize) -> String;

    /// How the node is started, in words.
    fn about(&self, place: usize) -> String;

    /// Starts the node's process, and does not wait for it. Does nothing where that is its agent's to do: a blank node.
    fn start(&self, place: usize) -> Result<(), Failure>;

    /// SIGKILL to the node's process.
    fn kill(&self, place: usize) -> Result<(), Failure>;

    /// The node's log.
    fn log(&self, place: usize) -> PathBuf;

    /// The agent's program.
    fn agent(&self) -> &Path;

    /// What the agent's configuration says besides its directory and its own address: YAML.
    fn configuration(&self, place: usize) -> String;

    /// Writes `count` times to the store itself, through the node that takes writes.
    fn write(&self, primary: usize, count: u32) -> BoxFuture<'static, Result<(), String>>;

    /// What the record of a change tells: whether it changed something, and how it is now, in words.
    fn changed(&self, record: &Record) -> Option<(bool, String)>;
}

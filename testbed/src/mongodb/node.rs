//! One node: its number, address and files.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::failed;
use super::security::Files;
use super::{Error, Release};
use crate::ports::Block;
use crate::supervision::recorded::Recorded;

/// What the nodes of a cluster share.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) release: Release,
    pub(super) set_name: String,
    pub(super) secured: bool,
    pub(super) directory: PathBuf,
}

impl Common {
    pub(super) fn files(&self) -> Files<'_> {
        Files(&self.directory)
    }
}

/// What a node was made as.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) number: u32,
    /// Of the set, once it is initiated.
    pub(super) member: bool,
    pub(super) standalone: bool,
    pub(super) process: Recorded,
}

/// A node of a [`super::Cluster`]. It keeps no state: whoever starts or ends the process, this sees it.
#[derive(Debug)]
pub struct Node {
    pub(super) seat: Seat,
    pub(super) ports: Block,
    pub(super) common: Arc<Common>,
}

impl Node {
    pub(super) fn new(seat: Seat, ports: Block, common: Arc<Common>) -> Self {
        Self { seat, ports, common }
    }

    /// `mongo-1`.
    pub fn name(&self) -> &str {
        self.seat.process.name()
    }

    /// Its number among the nodes, from 1. What a set calls its member `_id` is one less where we initiated it.
    pub fn number(&self) -> u32 {
        self.seat.number
    }

    /// Where clients and members connect.
    pub fn address(&self) -> SocketAddr {
        self.ports.address(0)
    }

    /// What the set calls it by: `127.0.0.1:PORT`.
    pub fn member_address(&self) -> String {
        self.address().to_string()
    }

    /// `--dbpath`.
    pub fn data_directory(&self) -> PathBuf {
        self.seat.process.directory().join("data")
    }

    /// Everything the process has written to its outputs, over all its starts: a JSON document per line.
    pub fn log_path(&self) -> PathBuf {
        self.seat.process.log_path()
    }

    /// The last lines of the log.
    pub fn log_tail(&self, lines: usize) -> String {
        self.seat.process.log_tail(lines)
    }

    /// The script that starts it in the background and returns. The process ends with its cluster, whoever started it; a
    /// second start is refused while it runs.
    pub fn start_script(&self) -> PathBuf {
        self.seat.process.start_script()
    }

    /// Removes its data: a disk that was lost. It has to be stopped.
    pub fn wipe(&self) -> Result<(), Error> {
        let data = self.data_directory();
        match fs::remove_dir_all(&data) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed("remove", &data)(error)),
            _ => {}
        }
        fs::create_dir(&data).map_err(failed("create", &data))
    }
}

//! Makes what a cluster needs before it is formatted: its directory, ports, scripts and files.

use std::fs;
use std::path::Path;

use super::configuration::Addresses;
use super::error::failed;
use super::node::{Common, Seat};
use super::scripts::{self, Java};
use super::{Builder, Cluster, Error, metrics};
use crate::ports::Block;
use crate::program::Program;
use crate::supervision::recorded::Recorded;
use crate::supervision::{Watchdog, script};

impl Builder {
    /// Everything but formatting and starting: jars, directories, ports, files.
    ///
    /// # Errors
    /// Missing Java, jars that cannot be had, ports or directories; a number that is no node's.
    pub fn prepare(mut self) -> Result<Cluster, Error> {
        self.check()?;
        let java = Program::Java.find()?;
        let jars = self.release.fetch()?;
        let exporter = self.metrics.then(metrics::fetch_exporter).transpose()?;
        let below = self.below.take().unwrap_or_else(std::env::temp_dir);
        fs::create_dir_all(&below).map_err(failed("create", &below))?;
        let directory = tempfile::Builder::new()
            .prefix("testbed-kafka-")
            .tempdir_in(&below)
            .map_err(failed("create a directory in", &below))?;
        let watchdog = Watchdog::start(directory.path())?;
        // From here on the cluster removes it, or the watchdog.
        let directory = directory.keep();
        let (seats, blocks) = self.seats(&directory)?;
        let formatted = seats.iter().filter(|seat| seat.formatted && seat.roles.is_broker());
        let common = Common {
            release: self.release,
            replicas: formatted.count().clamp(1, 3),
            heap: self.heap,
            secured: self.secured,
            exporter,
            seats,
            directory,
        };
        let cluster = Cluster::new(self.voters, common, blocks, watchdog);
        let java = Java {
            program: &java,
            jars: &jars,
            release: self.release,
        };
        if self.secured {
            cluster.files().write()?;
        }
        if self.metrics {
            let rules = cluster.rules_file();
            fs::write(&rules, metrics::RULES).map_err(failed("write", &rules))?;
        }
        let bin = &cluster.bin();
        fs::create_dir(bin).map_err(failed("create", bin))?;
        for (name, text) in scripts::tools(java) {
            let tool = bin.join(name);
            script::write(&tool, &text).map_err(failed("write", &tool))?;
        }
        for node in cluster.nodes() {
            let more = self.more.remove(&node.number()).unwrap_or_default();
            node.write(java, &format!("{}{more}", self.everywhere))?;
        }
        Ok(cluster)
    }

    fn seats(&self, below: &Path) -> Result<(Vec<Seat>, Vec<Block>), Error> {
        let mut seats = Vec::new();
        let mut blocks = Vec::new();
        for number in 1..=self.nodes {
            let block = Block::claim()?;
            let rack = self.racks.get(&number);
            let name = format!("kafka-{number}");
            let directory = below.join(&name);
            seats.push(Seat {
                number,
                roles: self.roles.get(&number).copied().unwrap_or_default(),
                rack: rack.cloned().unwrap_or_else(|| format!("rack-{number}")),
                formatted: !self.unformatted.contains(&number),
                at: Addresses::of(&block),
                process: Recorded::new(name, directory),
            });
            blocks.push(block);
        }
        Ok((seats, blocks))
    }
}

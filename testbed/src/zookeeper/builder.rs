//! What kind of cluster: how many servers, how they know each other, with which switches.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::configuration::{self, Start, Switches};
use super::error::failed;
use super::release;
use super::server::{Common, Server};
use super::{Cluster, Error, Release};
use crate::ports::Block;
use crate::program::Program;
use crate::supervision::Watchdog;

/// How the servers of a cluster know each other when they start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Layout {
    /// All are participants of one ensemble from the beginning (configuration version 0).
    #[default]
    Ensemble,
    /// `zk-1` is an ensemble of one; the others start outside it, each with `zk-1` as the only member and itself as
    /// observer. They follow it, and are members only once somebody joins them.
    Blank,
    /// Every server for itself, without quorum code.
    Standalone,
}

/// A cluster that is described, not made yet. Defaults: newest release, [`Layout::Ensemble`], reconfig enabled, no
/// authority given to anybody, only `srvr` whitelisted (ZooKeeper's own default).
#[derive(Clone, Debug)]
pub struct Builder {
    nodes: u32,
    release: Release,
    layout: Layout,
    switches: Switches,
    more: BTreeMap<String, String>,
    below: Option<PathBuf>,
}

impl Builder {
    pub(super) fn new(nodes: u32) -> Self {
        Self {
            nodes,
            release: Release::default(),
            layout: Layout::default(),
            switches: Switches::default(),
            more: BTreeMap::new(),
            below: None,
        }
    }

    /// Which ZooKeeper.
    #[must_use]
    pub fn release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// How the servers know each other.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// `reconfigEnabled`.
    #[must_use]
    pub fn reconfig_enabled(mut self, enabled: bool) -> Self {
        self.switches.reconfig_enabled = enabled;
        self
    }

    /// `zookeeper.skipACL=yes`: everybody may change everything, the ensemble included.
    #[must_use]
    pub fn skip_acl(mut self, skip: bool) -> Self {
        self.switches.skip_acl = skip;
        self
    }

    /// Gives the user `super` this password (`superDigest`).
    #[must_use]
    pub fn super_password(mut self, password: &str) -> Self {
        self.switches.super_password = Some(password.to_owned());
        self
    }

    /// `4lw.commands.whitelist`, as written there: `srvr, mntr` or `*`.
    #[must_use]
    pub fn whitelist(mut self, words: &str) -> Self {
        self.switches.whitelist = Some(words.to_owned());
        self
    }

    /// Lines to add to one server's `zoo.cfg`; they win over ours.
    #[must_use]
    pub fn server_config(mut self, name: &str, lines: &str) -> Self {
        let text = self.more.entry(name.to_owned()).or_default();
        text.push_str(lines);
        text.push('\n');
        self
    }

    /// Makes the cluster's directory below this one, instead of below the system's temporary directory.
    #[must_use]
    pub fn below(mut self, directory: &Path) -> Self {
        self.below = Some(directory.to_owned());
        self
    }

    /// Everything but the start: jars, directories, ports, files.
    ///
    /// # Errors
    /// Missing Java, jars that cannot be had, ports or directories.
    pub fn prepare(self) -> Result<Cluster, Error> {
        let Self {
            nodes,
            release,
            layout,
            switches,
            more,
            below,
        } = self;
        let java = Program::Java.find()?;
        let jars = release.fetch()?;
        let below = below.unwrap_or_else(std::env::temp_dir);
        fs::create_dir_all(&below).map_err(failed("create", &below))?;
        let directory = tempfile::Builder::new()
            .prefix("testbed-zookeeper-")
            .tempdir_in(&below)
            .map_err(failed("create a directory in", &below))?;
        let watchdog = Watchdog::start(directory.path())?;
        // From here on the cluster removes it, or the watchdog.
        let directory = directory.keep();
        let common = Arc::new(Common {
            java,
            class_path: release::class_path(&jars),
            switches,
            watchdog,
        });
        let mut cluster = Cluster::new(release, directory.clone(), Arc::clone(&common));
        let mut ports = Vec::new();
        for id in 1..=nodes {
            ports.push((id, Block::claim()?));
        }
        let line = |(id, block): &(u32, Block)| configuration::server_line(*id, block, "participant");
        let everybody: Vec<String> = ports.iter().map(line).collect();
        for (id, block) in ports {
            let start = match layout {
                Layout::Standalone => Start::Standalone,
                Layout::Ensemble => Start::Member(everybody.clone()),
                Layout::Blank if id == 1 => Start::Member(everybody[..1].to_vec()),
                Layout::Blank => {
                    configuration::joiner(&everybody[..1], configuration::server_line(id, &block, "observer"))
                }
            };
            let name = format!("zk-{id}");
            let more = more.get(&name).cloned().unwrap_or_default();
            cluster.add(Server::create(
                id,
                &directory,
                block,
                &start,
                more,
                Arc::clone(&common),
            )?);
        }
        if let Some(name) = more.keys().find(|name| cluster.server(name).is_err()) {
            return Err(cluster.no_such(name));
        }
        Ok(cluster)
    }

    /// Prepares, starts all servers at once, and waits until every one serves.
    ///
    /// # Errors
    /// As [`Builder::prepare`]; a server that ends, or does not serve in time, with the end of its log.
    pub fn start(self, within: Duration) -> Result<Cluster, Error> {
        let cluster = self.prepare()?;
        cluster.start()?;
        cluster.wait_serving(within)?;
        Ok(cluster)
    }
}

//! One server: its name, addresses and files.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};

use super::Error;
use super::configuration::{self, DYNAMIC, Start, Switches, place};
use super::error::failed;
use crate::ports::Block;
use crate::supervision::{Supervised, Watchdog, log};

/// What the servers of a cluster share.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) java: PathBuf,
    pub(super) class_path: OsString,
    pub(super) switches: Switches,
    pub(super) watchdog: Watchdog,
}

/// Where a server is in its life.
#[derive(Debug)]
pub(super) enum Life {
    NotStarted,
    Running(Supervised),
    Ended(ExitStatus),
}

/// A server of a [`super::Cluster`]. All methods take `&self`: a test may hold several and use them from threads.
#[derive(Debug)]
pub struct Server {
    id: u32,
    name: String,
    directory: PathBuf,
    ports: Block,
    more: String,
    pub(super) common: Arc<Common>,
    pub(super) life: Mutex<Life>,
}

impl Server {
    pub(super) fn create(
        id: u32,
        below: &Path,
        ports: Block,
        start: &Start,
        more: String,
        common: Arc<Common>,
    ) -> Result<Self, Error> {
        let name = format!("zk-{id}");
        let directory = below.join(&name);
        let server = Self {
            id,
            name,
            directory,
            ports,
            more,
            common,
            life: Mutex::new(Life::NotStarted),
        };
        let data = server.data_directory();
        fs::create_dir_all(&data).map_err(failed("create", &data))?;
        let myid = data.join("myid");
        fs::write(&myid, format!("{id}\n")).map_err(failed("write", &myid))?;
        server.write_files(start)?;
        Ok(server)
    }

    /// `zk-1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its number in the ensemble, and in `myid`.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Where clients connect.
    pub fn client_address(&self) -> SocketAddr {
        self.ports.address(place::CLIENT)
    }

    /// Where a leader waits for its followers.
    pub fn quorum_address(&self) -> SocketAddr {
        self.ports.address(place::QUORUM)
    }

    /// Where leaders are elected.
    pub fn election_address(&self) -> SocketAddr {
        self.ports.address(place::ELECTION)
    }

    /// A port kept for the `AdminServer`, which is off unless `admin.enableServer` is appended to the configuration.
    pub fn admin_address(&self) -> SocketAddr {
        self.ports.address(place::ADMIN)
    }

    /// `server.N=127.0.0.1:Q:E:participant;127.0.0.1:C`: its member address, as a reconfig takes it.
    pub fn server_line(&self) -> String {
        configuration::server_line(self.id, &self.ports, "participant")
    }

    /// `dataDir`.
    pub fn data_directory(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// `zoo.cfg`. The server rewrites it when the ensemble changes.
    pub fn config_file(&self) -> PathBuf {
        self.directory.join("zoo.cfg")
    }

    /// The dynamic file that `zoo.cfg` names now: the first one, or the last that the server wrote.
    pub fn dynamic_config_file(&self) -> PathBuf {
        let config = fs::read_to_string(self.config_file()).unwrap_or_default();
        let named = config
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("dynamicConfigFile="));
        named.map_or_else(|| self.directory.join(DYNAMIC), PathBuf::from)
    }

    /// Everything the server has written to its outputs, over all its starts.
    pub fn log_path(&self) -> PathBuf {
        self.directory.join("server.log")
    }

    /// The last lines of the log.
    pub fn log_tail(&self, lines: usize) -> String {
        log::tail(&self.log_path(), lines)
    }

    /// Writes its files anew, so that its next start is that of a joiner: these members, and itself as observer.
    ///
    /// A server that was removed, or was stopped before it was joined, needs this before it may come (back): its own
    /// dynamic file no longer names it. Its data stays. `members` are the server lines of the ensemble as it is now.
    pub fn configure_joiner<S: AsRef<str>>(&self, members: &[S]) -> Result<(), Error> {
        let members: Vec<String> = members.iter().map(|line| line.as_ref().to_owned()).collect();
        let own = configuration::server_line(self.id, &self.ports, "observer");
        self.write_files(&configuration::joiner(&members, own))
    }

    /// Writes its files anew, with exactly these server lines.
    pub fn configure_member<S: AsRef<str>>(&self, lines: &[S]) -> Result<(), Error> {
        self.write_files(&Start::Member(
            lines.iter().map(|line| line.as_ref().to_owned()).collect(),
        ))
    }

    /// Removes its data, all but `myid`: a disk that was lost.
    pub fn wipe(&self) -> Result<(), Error> {
        let version_2 = self.data_directory().join("version-2");
        match fs::remove_dir_all(&version_2) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed("remove", &version_2)(error)),
            _ => Ok(()),
        }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn ports(&self) -> &Block {
        &self.ports
    }

    fn write_files(&self, start: &Start) -> Result<(), Error> {
        if let Start::Member(lines) = start {
            let dynamic = self.directory.join(DYNAMIC);
            fs::write(&dynamic, lines.join("\n") + "\n").map_err(failed("write", &dynamic))?;
        }
        let text = configuration::zoo_cfg(&self.common.switches, start, &self.ports, &self.directory, &self.more);
        let config = self.config_file();
        fs::write(&config, text).map_err(failed("write", &config))
    }
}

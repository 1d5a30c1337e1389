//! The directory and the processes of a demonstration.
//!
//! Everything is in one temporary directory, and every process is known to the watchdog before it runs. So nothing is
//! left when this process ends, in whatever way it does.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::Failure;
use crate::ports::Block;
use crate::supervision::{Launch, Supervised, Watchdog};

/// The directory, and the watchdog over all that happens in it.
#[derive(Debug)]
pub(super) struct Stage {
    watchdog: Watchdog,
    directory: PathBuf,
}

impl Stage {
    pub(super) fn new() -> Result<Self, Failure> {
        let directory = tempfile::Builder::new()
            .prefix("agent-demo-")
            .tempdir()
            .map_err(|error| Failure::setup("no temporary directory", error))?;
        let watchdog = Watchdog::start(directory.path())?;
        // From here on the watchdog removes it.
        let directory = directory.keep();
        Ok(Self { watchdog, directory })
    }

    /// A directory below the stage's, made when missing.
    pub(super) fn place(&self, name: &str) -> Result<PathBuf, Failure> {
        let place = self.directory.join(name);
        let failed = |error| Failure::setup(format!("{} cannot be made", place.display()), error);
        fs::create_dir_all(&place).map_err(failed)?;
        Ok(place)
    }

    /// Starts a process, its output going to its log.
    pub(super) fn start(&self, process: &Process) -> Result<(), Failure> {
        *process.running.borrow_mut() = Some(self.run(process)?);
        Ok(())
    }

    /// The same for one that comes to its end by itself, and is waited for by the caller.
    pub(super) fn run(&self, process: &Process) -> Result<Supervised, Failure> {
        let launch = Launch {
            program: process.program.clone(),
            arguments: process.arguments.clone(),
            directory: self.directory.clone(),
            log: process.log.clone(),
            held: process
                .ports
                .lock()
                .map_err(|error| Failure::setup("ports cannot be held", error))?,
        };
        Ok(Supervised::start(launch, &self.watchdog)?)
    }
}

/// A program with its arguments, ports and log, running or not.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    log: PathBuf,
    ports: Block,
    running: RefCell<Option<Supervised>>,
}

impl Process {
    /// A process that is not started yet. It keeps its ports over all its starts.
    pub(super) fn new(name: &str, program: &Path, arguments: Vec<OsString>, place: &Path, ports: Block) -> Self {
        Self {
            name: name.to_owned(),
            program: program.to_owned(),
            arguments,
            log: place.join(format!("{name}.log")),
            ports,
            running: RefCell::new(None),
        }
    }

    /// SIGKILL; returns once it has ended. Does nothing when it does not run.
    pub(super) fn kill(&self) -> Result<(), Failure> {
        if let Some(mut running) = self.running.borrow_mut().take() {
            running.kill()?;
        }
        Ok(())
    }

    /// How it ended by itself, when it did.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        self.running.borrow_mut().as_mut()?.try_wait().ok().flatten()
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.ports.address(0)
    }
}

//! What can be done to a process on [record], whoever started it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::{log, record};
use crate::identity::{self, Identity};
use crate::poll;

/// For SIGKILL and SIGSTOP to take effect.
const SIGNALLED: Duration = Duration::from_secs(10);

/// A node of a cluster: its name, and the directory that holds its record and its `start` script. It keeps no state:
/// whoever starts or ends the process, this sees it.
#[derive(Clone, Debug)]
pub struct Recorded {
    name: String,
    directory: PathBuf,
}

/// The process did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The start script refused.
    #[error("{said}")]
    Start {
        /// Its complaint, which names the node.
        said: String,
    },
    /// It should run for this.
    #[error("{name} does not run")]
    NotRunning {
        /// The node.
        name: String,
    },
    /// It did not end, or stop, in time.
    #[error("{name} still runs after {within:?}")]
    StillRunning {
        /// The node.
        name: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// A script, or a signal.
    #[error("could not {what} {name}")]
    Io {
        /// What was to be done.
        what: &'static str,
        /// The node.
        name: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl Recorded {
    /// A node by its name and its directory.
    pub fn new(name: String, directory: PathBuf) -> Self {
        Self { name, directory }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its record is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The script that starts it in the background and returns.
    pub fn start_script(&self) -> PathBuf {
        self.directory.join("start")
    }

    /// Everything the process has written to its outputs, over all its starts.
    pub fn log_path(&self) -> PathBuf {
        self.directory.join("node.log")
    }

    /// The last lines of the log.
    pub fn log_tail(&self, lines: usize) -> String {
        log::tail(&self.log_path(), lines)
    }

    /// Starts it, and does not wait for it to be ready.
    ///
    /// # Errors
    /// [`Error::Start`] when it runs already.
    pub fn start(&self) -> Result<(), Error> {
        let output = Command::new(self.start_script()).output();
        let output = output.map_err(|source| self.failed("start", source))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::Start { said })
    }

    /// The process, while it runs; a paused one does.
    pub fn process(&self) -> Option<Identity> {
        record::read(&self.directory).filter(Identity::is_alive)
    }

    /// Whether it runs and is not paused.
    pub fn is_awake(&self) -> bool {
        self.process()
            .is_some_and(|process| !identity::is_stopped(process.pid).unwrap_or(true))
    }

    /// SIGKILL, and waits for the end. Does nothing when it does not run.
    pub fn kill(&self) -> Result<(), Error> {
        if self.signal(Signal::KILL, "kill")? {
            self.wait_exit(SIGNALLED)?;
        }
        Ok(())
    }

    /// SIGSTOP: the process hangs, its connections stay open. When this returns it does nothing any more.
    ///
    /// # Errors
    /// [`Error::NotRunning`].
    pub fn pause(&self) -> Result<(), Error> {
        self.signal_running(Signal::STOP, "pause")?;
        let stopped = |_| Ok::<_, Error>((!self.is_awake()).then_some(()));
        poll::until(SIGNALLED, stopped)?.ok_or_else(|| self.still_running(SIGNALLED))
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// [`Error::NotRunning`].
    pub fn resume(&self) -> Result<(), Error> {
        self.signal_running(Signal::CONT, "resume")
    }

    /// SIGTERM, and does not wait: for who looks on while it leaves.
    ///
    /// # Errors
    /// [`Error::NotRunning`].
    pub fn terminate(&self) -> Result<(), Error> {
        self.signal_running(Signal::TERM, "stop")
    }

    /// SIGTERM, and SIGKILL when that has not ended it after `grace`; waits for the end. Does nothing when it does not run.
    pub fn stop(&self, grace: Duration) -> Result<(), Error> {
        if !self.signal(Signal::TERM, "stop")? {
            return Ok(());
        }
        match self.wait_exit(grace) {
            Err(Error::StillRunning { .. }) => self.kill(),
            other => other,
        }
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when the time is over.
    pub fn wait_exit(&self, within: Duration) -> Result<(), Error> {
        let gone = |_| Ok::<_, Error>(self.process().is_none().then_some(()));
        poll::until(within, gone)?.ok_or_else(|| self.still_running(within))
    }

    /// Whether there was a process to receive it.
    fn signal(&self, signal: Signal, what: &'static str) -> Result<bool, Error> {
        match self.process() {
            Some(process) => process.signal(signal).map_err(|source| self.failed(what, source)),
            None => Ok(false),
        }
    }

    fn signal_running(&self, signal: Signal, what: &'static str) -> Result<(), Error> {
        if self.signal(signal, what)? {
            return Ok(());
        }
        Err(Error::NotRunning {
            name: self.name.clone(),
        })
    }

    fn still_running(&self, within: Duration) -> Error {
        Error::StillRunning {
            name: self.name.clone(),
            within,
        }
    }

    fn failed(&self, what: &'static str, source: io::Error) -> Error {
        Error::Io {
            what,
            name: self.name.clone(),
            source,
        }
    }
}

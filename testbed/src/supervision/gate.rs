//! How a process starts under watch, and what can be done to it.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{Error, Watchdog};
use crate::identity::{self, Identity};
use crate::poll;

/// `$1` is the log, the rest the command. Standard output is the lock that the process shall hold as its input.
const SCRIPT: &str = r#"log=$1; shift; read -r go || exit 1; exec "$@" <&1 >>"$log" 2>&1"#;

/// For SIGSTOP to reach every thread; usually it takes less than one look.
const TO_STOP: Duration = Duration::from_secs(5);

/// What to start.
#[derive(Debug)]
pub struct Launch {
    /// The program, with its path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where it runs.
    pub directory: PathBuf,
    /// Where its output is appended.
    pub log: PathBuf,
    /// A lock that lives as long as the process: its standard input.
    pub held: File,
}

/// A running child of ours. Dropped alone it lives on; the [`Watchdog`] ends it.
#[derive(Debug)]
pub struct Supervised {
    child: Child,
    identity: Identity,
}

impl Supervised {
    /// Starts it. When this returns, the watchdog knows it.
    pub fn start(launch: Launch, watchdog: &Watchdog) -> Result<Self, Error> {
        let Launch {
            program,
            arguments,
            directory,
            log,
            held,
        } = launch;
        let what = program.display().to_string();
        let failed = |source| Error::Start { what, source };
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "testbed-gate"])
            .arg(&log)
            .arg(program)
            .args(arguments)
            .current_dir(directory)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(held)
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed.clone())?;
        let gate = child.stdin.take();
        let open = || {
            let identity = Identity::of(child.id()).map_err(failed.clone())?;
            watchdog.watch(&identity)?;
            gate.map_or(Ok(()), |mut gate| gate.write_all(b"go\n"))
                .map_err(failed)?;
            Ok(identity)
        };
        match open() {
            Ok(identity) => Ok(Self { child, identity }),
            Err(error) => {
                // The gate has seen the end of its pipe and goes by itself.
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Which process it is, for others.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Sends a signal. The child is not collected yet, so its pid cannot belong to anybody else.
    pub fn signal(&self, signal: Signal, what: &'static str) -> Result<(), Error> {
        let Some(pid) = i32::try_from(self.identity.pid).ok().and_then(Pid::from_raw) else {
            return Ok(());
        };
        kill_process(pid, signal).map_err(|errno| self.failed(what)(errno.into()))
    }

    /// SIGSTOP, and waits until no thread of it runs any more.
    pub fn pause(&self) -> Result<(), Error> {
        self.signal(Signal::STOP, "pause")?;
        let stopped = |_| identity::is_stopped(self.identity.pid).map(|stopped| stopped.then_some(()));
        let stopped = poll::until(TO_STOP, stopped).map_err(self.failed("pause"))?;
        stopped.ok_or_else(|| self.failed("pause")(std::io::ErrorKind::TimedOut.into()))
    }

    /// How it ended, or `None` while it runs (paused or not).
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Error> {
        let failed = self.failed("wait for");
        self.child.try_wait().map_err(failed)
    }

    /// SIGKILL, and waits for the end, which the kernel does not put off.
    pub fn kill(&mut self) -> Result<ExitStatus, Error> {
        let failed = self.failed("kill");
        self.child.kill().and_then(|()| self.child.wait()).map_err(failed)
    }

    fn failed(&self, what: &'static str) -> impl FnOnce(std::io::Error) -> Error + use<> {
        let pid = self.identity.pid;
        move |source| Error::Control { what, pid, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::fs;

    fn launch(place: &std::path::Path, script: &str) -> Launch {
        Launch {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            directory: place.to_owned(),
            log: place.join("log"),
            held: File::create(place.join("lock")).unwrap(),
        }
    }

    #[test]
    fn output_of_both_kinds_goes_to_the_log_and_the_exit_is_seen() {
        let place = tempfile::tempdir().unwrap();
        let watchdog = Watchdog::start(&place.path().join("none")).unwrap();
        let mut child = Supervised::start(launch(place.path(), "echo out; echo err >&2; exit 3"), &watchdog).unwrap();
        let status = poll::until(Duration::from_secs(10), |_| child.try_wait())
            .unwrap()
            .unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(fs::read_to_string(place.path().join("log")).unwrap(), "out\nerr\n");
    }

    #[test]
    fn the_process_holds_the_lock_until_it_ends() {
        let place = tempfile::tempdir().unwrap();
        let watchdog = Watchdog::start(&place.path().join("none")).unwrap();
        let start = launch(place.path(), "exec sleep 600");
        start.held.try_lock().unwrap();
        let mut child = Supervised::start(start, &watchdog).unwrap();
        let other = File::open(place.path().join("lock")).unwrap();
        assert!(other.try_lock().is_err());
        child.kill().unwrap();
        // What other tests start has a copy of the file until it executes its own program.
        let free = poll::until(Duration::from_secs(10), |_| {
            Ok::<_, Infallible>(other.try_lock().is_ok().then_some(()))
        });
        free.unwrap().unwrap();
    }

    #[test]
    fn a_dropped_watchdog_ends_it() {
        let place = tempfile::tempdir().unwrap();
        let watchdog = Watchdog::start(&place.path().join("none")).unwrap();
        let mut child = Supervised::start(launch(place.path(), "exec sleep 600"), &watchdog).unwrap();
        drop(watchdog);
        assert!(child.try_wait().unwrap().is_some());
    }
}

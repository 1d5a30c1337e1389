//! One node's life: start, pause, kill, wait.

use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::error::failed;
use super::node::{Node, Seat};
use super::{Error, Listening};
use crate::identity::{self, Identity};
use crate::poll;
use crate::supervision::record;

/// One question of a waiting loop. A paused node takes the connection and never answers.
const ONE_LOOK: Duration = Duration::from_millis(500);

/// After SIGTERM. A node hands over its leaderships and ends within 2 s; without a quorum 4.3 needs 7 s, and 3.9 never
/// ends.
const GRACE: Duration = Duration::from_secs(10);

/// For SIGKILL and SIGSTOP to take effect.
const SIGNALLED: Duration = Duration::from_secs(10);

/// Lines of the log in an error.
const SHOWN: usize = 15;

impl Seat {
    /// The process, while it runs; a paused one does.
    pub(super) fn process(&self) -> Option<Identity> {
        record::read(&self.directory).filter(Identity::is_alive)
    }

    /// Whether it runs and is not paused.
    pub(super) fn is_awake(&self) -> bool {
        self.process()
            .is_some_and(|process| !identity::is_stopped(process.pid).unwrap_or(true))
    }
}

impl Node {
    /// Starts it, and does not wait for it to be ready.
    ///
    /// # Errors
    /// [`Error::Start`] when it runs already. One that is not formatted starts, and [ends](Error::Ended) at once.
    pub fn start(&self) -> Result<(), Error> {
        let script = self.seat.directory.join("start");
        let output = Command::new(&script).output().map_err(failed("run", &script))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::Start { said })
    }

    /// SIGKILL, and waits for the end. Does nothing when it does not run.
    pub fn kill(&self) -> Result<(), Error> {
        if self.signal(Signal::KILL, "kill")? {
            self.wait_exit(SIGNALLED)?;
        }
        Ok(())
    }

    /// SIGSTOP: the process hangs, its connections stay open. When this returns it does nothing any more. The others fence
    /// it after 8 to 13 s.
    ///
    /// # Errors
    /// [`Error::NotRunning`].
    pub fn pause(&self) -> Result<(), Error> {
        self.signal_running(Signal::STOP, "pause")?;
        let stopped = |_| Ok::<_, Error>((self.process().is_none() || !self.seat.is_awake()).then_some(()));
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

    /// SIGTERM, and SIGKILL when that is not enough; waits for the end. Does nothing when it does not run.
    pub fn stop(&self) -> Result<(), Error> {
        if !self.signal(Signal::TERM, "stop")? {
            return Ok(());
        }
        match self.wait_exit(GRACE) {
            Err(Error::StillRunning { .. }) => self.kill(),
            other => other,
        }
    }

    /// Stops it if it runs, and starts it again. Does not wait for it to be ready.
    pub fn restart(&self) -> Result<(), Error> {
        self.stop()?;
        self.start()
    }

    /// Whether its process runs; a paused one does.
    pub fn is_running(&self) -> bool {
        self.process().is_some()
    }

    /// Its process, while it runs.
    pub fn process(&self) -> Option<Identity> {
        self.seat.process()
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when the time is over.
    pub fn wait_exit(&self, within: Duration) -> Result<(), Error> {
        let gone = |_| Ok::<_, Error>((!self.is_running()).then_some(()));
        poll::until(within, gone)?.ok_or_else(|| self.still_running(within))
    }

    /// Waits until a broker is unfenced and every other broker that answers has heard of it; until a controller answers.
    ///
    /// The others are asked because a node's own view is old for a moment after it was paused.
    ///
    /// # Errors
    /// [`Error::Ended`] as soon as its process ends, [`Error::NotReady`] when the time is over.
    pub fn wait_ready(&self, within: Duration) -> Result<(), Error> {
        let mut last = "not asked".to_owned();
        let look = |left: Duration| {
            if !self.is_running() {
                return Err(Error::Ended {
                    name: self.name().to_owned(),
                    log: self.log_tail(SHOWN),
                });
            }
            match self.look(left.clamp(poll::PAUSE, ONE_LOOK)) {
                Ok(()) => Ok(Some(())),
                Err(missing) => {
                    last = missing;
                    Ok(None)
                }
            }
        };
        poll::until(within, look)?.ok_or_else(|| Error::NotReady {
            name: self.name().to_owned(),
            within,
            last,
            log: self.log_tail(SHOWN),
        })
    }

    /// What is missing for it to be ready.
    fn look(&self, within: Duration) -> Result<(), String> {
        if !self.seat.roles.is_broker() {
            let answers = Listening(self.seat.at.controller).answers(within);
            return answers.map_err(|error| format!("its controller listener does not answer ({error})"));
        }
        let lists = |seat: &Seat| Listening(seat.at.broker).brokers(within).map(|ids| self.is_among(&ids));
        match lists(&self.seat) {
            Ok(true) => {}
            Ok(false) => return Err("it is fenced".to_owned()),
            Err(error) => return Err(format!("its broker listener does not answer ({error})")),
        }
        let brokers = self.common.seats.iter().filter(|seat| seat.roles.is_broker());
        let mut others = brokers.filter(|seat| seat.number != self.number() && seat.is_awake());
        match others.find(|seat| matches!(lists(seat), Ok(false))) {
            Some(other) => Err(format!("{} has not heard of it", other.name)),
            None => Ok(()),
        }
    }

    fn is_among(&self, ids: &[i32]) -> bool {
        ids.iter().any(|id| u32::try_from(*id) == Ok(self.number()))
    }

    /// Whether there was a process to receive it.
    fn signal(&self, signal: Signal, what: &'static str) -> Result<bool, Error> {
        match self.process() {
            Some(process) => process.signal(signal).map_err(failed(what, &self.seat.directory)),
            None => Ok(false),
        }
    }

    fn signal_running(&self, signal: Signal, what: &'static str) -> Result<(), Error> {
        if self.signal(signal, what)? {
            return Ok(());
        }
        Err(Error::NotRunning {
            name: self.name().to_owned(),
        })
    }

    fn still_running(&self, within: Duration) -> Error {
        Error::StillRunning {
            name: self.name().to_owned(),
            within,
        }
    }
}

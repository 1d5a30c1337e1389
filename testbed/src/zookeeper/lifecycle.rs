//! One server's life: start, pause, kill, wait.

use std::io;
use std::process::ExitStatus;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;

use super::configuration;
use super::error::failed;
use super::server::{Life, Server};
use super::{Error, Srvr, four_letter};
use crate::identity::Identity;
use crate::poll;
use crate::supervision::{Launch, Supervised};

/// One question of a waiting loop. A server that is just starting may take a connection and not answer for a while.
const ONE_LOOK: Duration = Duration::from_secs(1);

/// After SIGTERM. A ZooKeeper server ends within 100 ms; a paused one never does.
const GRACE: Duration = Duration::from_secs(5);

/// Lines of the log in an error.
const SHOWN: usize = 15;

impl Server {
    /// Starts it, and does not wait for it to serve.
    ///
    /// # Errors
    /// [`Error::Running`] when it runs already.
    pub fn start(&self) -> Result<(), Error> {
        let mut life = self.life();
        if matches!(*life, Life::Running(_)) {
            return Err(Error::Running {
                name: self.name().to_owned(),
            });
        }
        let mut arguments = vec!["-Xmx128m".into(), "-cp".into(), self.common.class_path.clone()];
        arguments.extend(
            configuration::properties(&self.common.switches)
                .into_iter()
                .map(Into::into),
        );
        arguments.push("org.apache.zookeeper.server.quorum.QuorumPeerMain".into());
        arguments.push(self.config_file().into_os_string());
        let launch = Launch {
            program: self.common.java.clone(),
            arguments,
            directory: self.directory().to_owned(),
            log: self.log_path(),
            held: self
                .ports()
                .lock()
                .map_err(failed("copy the lock of the ports of", self.directory()))?,
        };
        *life = Life::Running(Supervised::start(launch, &self.common.watchdog)?);
        Ok(())
    }

    /// SIGKILL, and waits for the end. Does nothing when it does not run.
    pub fn kill(&self) -> Result<(), Error> {
        let mut life = self.life();
        if let Life::Running(process) = &mut *life {
            *life = Life::Ended(process.kill()?);
        }
        Ok(())
    }

    /// SIGSTOP: the process hangs, its connections stay open. When this returns it does nothing any more.
    ///
    /// # Errors
    /// [`Error::NotRunning`].
    pub fn pause(&self) -> Result<(), Error> {
        match &*self.life() {
            Life::Running(process) => Ok(process.pause()?),
            Life::Ended(_) | Life::NotStarted => Err(Error::NotRunning {
                name: self.name().to_owned(),
            }),
        }
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// [`Error::NotRunning`].
    pub fn resume(&self) -> Result<(), Error> {
        self.signal(Signal::CONT, "resume")
    }

    /// SIGTERM, and SIGKILL when that is not enough; waits for the end. Does nothing when it does not run.
    pub fn stop(&self) -> Result<(), Error> {
        if !self.is_running() {
            return Ok(());
        }
        match self.signal(Signal::TERM, "stop") {
            Ok(()) => {}
            Err(Error::NotRunning { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
        match self.wait_exit(GRACE) {
            Ok(_) => Ok(()),
            Err(Error::StillRunning { .. }) => self.kill(),
            Err(error) => Err(error),
        }
    }

    /// Stops it if it runs, and starts it again. Does not wait for it to serve.
    pub fn restart(&self) -> Result<(), Error> {
        self.stop()?;
        self.start()
    }

    /// Whether its process runs; a paused one does.
    pub fn is_running(&self) -> bool {
        matches!(*self.life(), Life::Running(_))
    }

    /// How it ended, if it did.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        match *self.life() {
            Life::Ended(status) => Some(status),
            Life::Running(_) | Life::NotStarted => None,
        }
    }

    /// Its process, while it runs.
    pub fn process(&self) -> Option<Identity> {
        match &*self.life() {
            Life::Running(process) => Some(process.identity().clone()),
            Life::Ended(_) | Life::NotStarted => None,
        }
    }

    /// Waits for it to end by itself, and says how it did.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when the time is over, [`Error::NotRunning`] when it was never started.
    pub fn wait_exit(&self, within: Duration) -> Result<ExitStatus, Error> {
        let look = |_| match *self.life() {
            Life::Ended(status) => Ok(Some(status)),
            Life::Running(_) => Ok(None),
            Life::NotStarted => Err(Error::NotRunning {
                name: self.name().to_owned(),
            }),
        };
        poll::until(within, look)?.ok_or_else(|| Error::StillRunning {
            name: self.name().to_owned(),
            within,
        })
    }

    /// One `srvr`; `None` when it answers, but does not serve.
    pub fn srvr(&self, within: Duration) -> io::Result<Option<Srvr>> {
        four_letter(self.client_address(), "srvr", within).map(|answer| Srvr::parse(&answer))
    }

    /// Waits until it serves, in whatever mode.
    ///
    /// # Errors
    /// [`Error::Ended`] as soon as its process ends, [`Error::NotServing`] when the time is over.
    pub fn wait_serving(&self, within: Duration) -> Result<Srvr, Error> {
        self.wait_until(within, |_| true)
    }

    /// Waits until it serves in this mode: `leader`, `follower`, `observer`, `standalone`.
    ///
    /// # Errors
    /// As [`Server::wait_serving`].
    pub fn wait_mode(&self, mode: &str, within: Duration) -> Result<Srvr, Error> {
        self.wait_until(within, |srvr| srvr.mode() == mode)
    }

    /// Waits until it has seen this transaction.
    ///
    /// # Errors
    /// As [`Server::wait_serving`].
    pub fn wait_zxid(&self, zxid: u64, within: Duration) -> Result<Srvr, Error> {
        self.wait_until(within, |srvr| srvr.zxid() >= zxid)
    }

    fn wait_until(&self, within: Duration, wanted: impl Fn(&Srvr) -> bool) -> Result<Srvr, Error> {
        let mut last = "not asked".to_owned();
        let look = |left: Duration| {
            match *self.life() {
                Life::Running(_) => {}
                Life::NotStarted => {
                    return Err(Error::NotRunning {
                        name: self.name().to_owned(),
                    });
                }
                Life::Ended(status) => {
                    return Err(Error::Ended {
                        name: self.name().to_owned(),
                        status,
                        log: self.log_tail(SHOWN),
                    });
                }
            }
            match self.srvr(left.clamp(poll::PAUSE, ONE_LOOK)) {
                Ok(Some(srvr)) if wanted(&srvr) => return Ok(Some(srvr)),
                Ok(Some(srvr)) => last = format!("it is {} at 0x{:x}", srvr.mode(), srvr.zxid()),
                Ok(None) => "it answers that it is not serving".clone_into(&mut last),
                Err(error) => last = error.to_string(),
            }
            Ok(None)
        };
        poll::until(within, look)?.ok_or_else(|| Error::NotServing {
            name: self.name().to_owned(),
            within,
            last,
            log: self.log_tail(SHOWN),
        })
    }

    fn signal(&self, signal: Signal, what: &'static str) -> Result<(), Error> {
        match &*self.life() {
            Life::Running(process) => Ok(process.signal(signal, what)?),
            Life::Ended(_) | Life::NotStarted => Err(Error::NotRunning {
                name: self.name().to_owned(),
            }),
        }
    }

    /// The state as it is now: an end that nobody has noticed yet is noticed here.
    fn life(&self) -> MutexGuard<'_, Life> {
        let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        if let Life::Running(process) = &mut *life
            && let Ok(Some(status)) = process.try_wait()
        {
            *life = Life::Ended(status);
        }
        life
    }
}

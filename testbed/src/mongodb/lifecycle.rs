//! One node's life: start, pause, kill, wait.

use std::net::TcpStream;
use std::time::Duration;

use super::{Error, Node};
use crate::identity::Identity;
use crate::poll;

/// One question of a waiting loop. A paused node takes the connection and never answers.
const ONE_LOOK: Duration = Duration::from_secs(1);

/// After SIGTERM. A primary looks for a successor and then waits for its clients to go, which takes it up to 15 s each.
const GRACE: Duration = Duration::from_secs(40);

/// Lines of the log in an error.
const SHOWN: usize = 15;

impl Node {
    /// Starts it, and does not wait for it to be ready.
    ///
    /// # Errors
    /// [`Error::Process`] when it runs already.
    pub fn start(&self) -> Result<(), Error> {
        Ok(self.seat.process.start()?)
    }

    /// SIGKILL, and waits for the end. Does nothing when it does not run.
    pub fn kill(&self) -> Result<(), Error> {
        Ok(self.seat.process.kill()?)
    }

    /// SIGSTOP: the process hangs, its connections stay open. When this returns it does nothing any more. The others take
    /// it for lost after ten seconds.
    ///
    /// # Errors
    /// [`Error::Process`] when it does not run.
    pub fn pause(&self) -> Result<(), Error> {
        Ok(self.seat.process.pause()?)
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// [`Error::Process`] when it does not run.
    pub fn resume(&self) -> Result<(), Error> {
        Ok(self.seat.process.resume()?)
    }

    /// SIGTERM, and does not wait: for who looks on while it leaves.
    ///
    /// # Errors
    /// [`Error::Process`] when it does not run.
    pub fn terminate(&self) -> Result<(), Error> {
        Ok(self.seat.process.terminate()?)
    }

    /// SIGTERM, and SIGKILL when that is not enough; waits for the end. Does nothing when it does not run.
    pub fn stop(&self) -> Result<(), Error> {
        Ok(self.seat.process.stop(GRACE)?)
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
        self.seat.process.process()
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    /// [`Error::Process`] when the time is over.
    pub fn wait_exit(&self, within: Duration) -> Result<(), Error> {
        Ok(self.seat.process.wait_exit(within)?)
    }

    /// Waits until it answers `hello`, as whatever it is.
    ///
    /// # Errors
    /// [`Error::Ended`] as soon as its process ends, [`Error::NotReady`] when the time is over.
    pub fn wait_ready(&self, within: Duration) -> Result<(), Error> {
        self.wait(within, |left| {
            self.reach(left)
                .map_err(|error| format!("it does not listen ({error})"))?;
            self.hello(left).map(drop).map_err(|error| error.to_string())
        })
    }

    /// Waits until it calls itself primary or secondary of its set.
    ///
    /// # Errors
    /// As [`Node::wait_ready`].
    pub fn wait_member(&self, within: Duration) -> Result<(), Error> {
        self.wait(within, |left| {
            self.reach(left)
                .map_err(|error| format!("it does not listen ({error})"))?;
            match self.state() {
                Ok(1 | 2) => Ok(()),
                Ok(state) => Err(format!("it is in state {state}")),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    /// Waits until `look` misses nothing.
    fn wait(&self, within: Duration, mut look: impl FnMut(Duration) -> Result<(), String>) -> Result<(), Error> {
        let mut last = "not asked".to_owned();
        let look = |left: Duration| {
            if !self.is_running() {
                return Err(Error::Ended {
                    name: self.name().to_owned(),
                    log: self.log_tail(SHOWN),
                });
            }
            match look(left.clamp(poll::PAUSE, ONE_LOOK)) {
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

    /// The driver looks again only twice a second: before it is asked there has to be somebody.
    fn reach(&self, within: Duration) -> std::io::Result<()> {
        TcpStream::connect_timeout(&self.address(), within).map(drop)
    }
}

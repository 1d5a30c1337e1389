//! One node's life: start, pause, kill, wait.

use std::time::Duration;

use super::node::{Node, Seat};
use super::{Error, Listening};
use crate::identity::Identity;
use crate::poll;

/// One question of a waiting loop. A paused node takes the connection and never answers.
const ONE_LOOK: Duration = Duration::from_millis(500);

/// After SIGTERM. A node hands over its leaderships and ends within 2 s; without a quorum 4.3 needs 7 s, and 3.9 never
/// ends.
const GRACE: Duration = Duration::from_secs(10);

/// Lines of the log in an error.
const SHOWN: usize = 15;

impl Node {
    /// Starts it, and does not wait for it to be ready.
    ///
    /// # Errors
    /// [`Error::Process`] when it runs already. One that is not formatted starts, and [ends](Error::Ended) at once.
    pub fn start(&self) -> Result<(), Error> {
        Ok(self.seat.process.start()?)
    }

    /// SIGKILL, and waits for the end. Does nothing when it does not run.
    pub fn kill(&self) -> Result<(), Error> {
        Ok(self.seat.process.kill()?)
    }

    /// SIGSTOP: the process hangs, its connections stay open. When this returns it does nothing any more. The others fence
    /// it after 8 to 13 s.
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
        let mut others = brokers.filter(|seat| seat.number != self.number() && seat.process.is_awake());
        match others.find(|seat| matches!(lists(seat), Ok(false))) {
            Some(other) => Err(format!("{} has not heard of it", other.process.name())),
            None => Ok(()),
        }
    }

    fn is_among(&self, ids: &[i32]) -> bool {
        ids.iter().any(|id| u32::try_from(*id) == Ok(self.number()))
    }
}

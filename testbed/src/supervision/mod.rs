//! Processes that end with the one that wanted them, however that one ends.
//!
//! Dropping a guard is not enough: a test that is killed (SIGKILL, out of memory, a second Ctrl-C) drops nothing. The
//! kernel could tie a child to its parent (`PR_SET_PDEATHSIG`), but only by code between fork and exec, which is
//! `unsafe` and forbidden here. So two small shell scripts do it, and leave no gap:
//!
//! - The **watchdog** is one `sh` per cluster. It reads lines from a pipe whose other end only we hold; it has its own
//!   process group and ignores Ctrl-C. When the pipe closes, for whatever reason, it kills every process it was told
//!   of, if it still is that process (start time from `/proc`), and removes the cluster's directory.
//! - The **gate** is how a process starts: `sh` waits for one line on its own pipe and then becomes the server
//!   (`exec`, so the pid stays). Between the two its pid is told to the watchdog. If we die before, the gate sees the
//!   end of its pipe and never starts anything; if we die later, the watchdog knows.
//!
//! A process that somebody else starts leaves a [`record`], and the watchdog reads those too.
//!
//! The server runs in a process group of its own, so that Ctrl-C reaches only us. Its standard input is the lock of its
//! ports ([`crate::ports`]): the kernel frees them when it ends.

mod gate;
pub(crate) mod log;
pub mod record;
pub mod recorded;
pub(crate) mod script;
mod watchdog;

use std::io;
use std::path::PathBuf;

pub use gate::{Launch, Supervised};
pub use watchdog::Watchdog;

/// A process could not be started, or not be kept under watch.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `sh`, or the files it needs.
    #[error("could not start {what}")]
    Start {
        /// Of whom.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// Somebody killed the watchdog.
    #[error("the watchdog of {directory} has ended: nothing can be started there any more")]
    Unwatched {
        /// The cluster's directory.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A signal, or waiting for the end.
    #[error("could not {what} process {pid}")]
    Control {
        /// What was to be done.
        what: &'static str,
        /// To whom.
        pid: u32,
        /// Why it failed.
        source: io::Error,
    },
}

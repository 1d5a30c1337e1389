//! Which process exactly: a pid alone says little, because the kernel gives it out again.
//!
//! A process is its pid, the moment it started (clock ticks since boot) and the boot. Signals to a process that is not
//! our child go through a pidfd that was opened *before* the start time was compared, so between the look and the
//! signal nothing can take its place.

use std::{fs, io};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// One process of one boot; a later process with the same pid is another one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The number under which the kernel knows it.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    pub started: u64,
    /// The kernel's random id of this boot.
    pub boot: String,
}

impl Identity {
    /// The process that has this pid now.
    ///
    /// # Errors
    /// `NotFound` when there is none, or only its remains (a zombie).
    pub fn of(pid: u32) -> io::Result<Self> {
        let started = started(pid)?;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
        Ok(Self { pid, started, boot })
    }

    /// Whether this very process still runs. One that ended and was not yet collected by its parent does not.
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid).is_ok_and(|now| now == *self)
    }

    /// Sends a signal to this very process; `false` when it is gone. Never reaches another one.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return Ok(false);
        };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(rustix::io::Errno::SRCH) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if !self.is_alive() {
            return Ok(false);
        }
        match pidfd_send_signal(handle, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether SIGSTOP has reached every thread. The signal is sent in an instant, but a thread on another processor goes on
/// until the kernel interrupts it, and may still answer a request meanwhile.
pub(crate) fn is_stopped(pid: u32) -> io::Result<bool> {
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        match fs::read_to_string(thread?.path().join("stat")) {
            Ok(stat)
                if stat
                    .rsplit_once(") ")
                    .is_some_and(|(_, rest)| rest.starts_with(['T', 't'])) => {}
            Ok(_) => return Ok(false),
            // The thread ended between the listing and the look.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn started(pid: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    start_ticks(&text).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("process {pid} has ended")))
}

/// Field 22 of `/proc/PID/stat`; `None` for a process that has ended and only waits for its parent.
///
/// The name in field 2 may hold spaces and parentheses, so fields are counted from the last `)`.
fn start_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn this_process_is_alive_and_keeps_its_identity() {
        let me = Identity::of(std::process::id()).unwrap();
        assert!(me.is_alive());
        assert_eq!(me, Identity::of(me.pid).unwrap());
    }

    #[test]
    fn a_recycled_pid_is_another_process_and_is_not_signalled() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let mut earlier = Identity::of(child.id()).unwrap();
        earlier.started -= 1;
        assert!(!earlier.is_alive());
        assert!(!earlier.signal(Signal::KILL).unwrap());
        assert!(child.try_wait().unwrap().is_none(), "it must still run");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn an_earlier_boot_is_another_process() {
        let mut earlier = Identity::of(std::process::id()).unwrap();
        "another".clone_into(&mut earlier.boot);
        assert!(!earlier.is_alive());
    }

    #[test]
    fn what_has_ended_but_was_not_collected_is_gone() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = Identity::of(child.id()).unwrap();
        assert!(process.signal(Signal::KILL).unwrap());
        let gone = crate::poll::until(std::time::Duration::from_secs(10), |_| {
            Ok::<_, io::Error>((!process.is_alive()).then_some(()))
        });
        assert_eq!(gone.unwrap(), Some(()));
        child.wait().unwrap();
    }

    #[test]
    fn a_process_is_seen_to_stop() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert!(!is_stopped(child.id()).unwrap());
        Identity::of(child.id()).unwrap().signal(Signal::STOP).unwrap();
        let stopped = crate::poll::until(std::time::Duration::from_secs(10), |_| {
            is_stopped(child.id()).map(|stopped| stopped.then_some(()))
        });
        assert_eq!(stopped.unwrap(), Some(()));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 1 1";
        assert_eq!(start_ticks(stat), Some(4711));
        assert_eq!(start_ticks(&stat.replace(") S", ") Z")), None);
    }
}

//! Processes that are no children of ours, found by what they wrote down.
//!
//! A store's node may be started by somebody else: an agent, a person. Where that is so, its start script writes `PID
//! STARTED BOOT` into the file `process` of the node's directory, as the process itself and before it becomes the server
//! (`exec`, so the pid stays), and then gives up if the file `closed` is in the cluster's directory. Who ends the cluster
//! writes `closed` first and reads the records then: of a start and an end at the same time, one always sees the other.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use crate::identity::Identity;
use crate::poll;

/// For SIGKILL to take effect. Only a process inside a broken device's driver needs longer.
const DEATH: Duration = Duration::from_secs(10);

/// The last process that started in a node's directory, whether it still runs or not.
pub fn read(node: &Path) -> Option<Identity> {
    let text = fs::read_to_string(node.join("process")).ok()?;
    let mut fields = text.split_ascii_whitespace();
    Some(Identity {
        pid: fields.next()?.parse().ok()?,
        started: fields.next()?.parse().ok()?,
        boot: fields.next()?.to_owned(),
    })
}

/// Ends whatever runs in a cluster's directory, and lets nothing start there any more. Says how many processes it were.
///
/// # Errors
/// `TimedOut` when a process outlives SIGKILL; else what the directory or a signal says.
pub fn end(cluster: &Path) -> io::Result<usize> {
    File::create(cluster.join("closed"))?;
    let mut ended = Vec::new();
    for process in processes(cluster)? {
        if process.signal(Signal::KILL)? {
            ended.push(process);
        }
    }
    let gone = |_| Ok::<_, io::Error>((!ended.iter().any(Identity::is_alive)).then_some(ended.len()));
    poll::until(DEATH, gone)?.ok_or_else(|| io::ErrorKind::TimedOut.into())
}

/// Everything on record in a cluster's directory.
pub fn processes(cluster: &Path) -> io::Result<Vec<Identity>> {
    let nodes: Vec<PathBuf> = fs::read_dir(cluster)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    Ok(nodes.iter().filter_map(|node| read(node)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn only_the_process_on_record_is_ended() {
        let place = tempfile::tempdir().unwrap();
        let mut children: Vec<_> = (0..2)
            .map(|_| Command::new("sleep").arg("600").spawn().unwrap())
            .collect();
        for (number, child) in children.iter().enumerate() {
            let node = place.path().join(number.to_string());
            fs::create_dir(&node).unwrap();
            let Identity { pid, started, boot } = Identity::of(child.id()).unwrap();
            // The second record is that of an earlier process with the same pid.
            let started = if number == 0 { started } else { started - 1 };
            fs::write(node.join("process"), format!("{pid} {started} {boot}\n")).unwrap();
        }
        assert_eq!(end(place.path()).unwrap(), 1);
        assert!(!children[0].wait().unwrap().success());
        assert!(children[1].try_wait().unwrap().is_none(), "it must still run");
        children[1].kill().unwrap();
        children[1].wait().unwrap();
    }

    #[test]
    fn half_a_record_is_none() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(read(place.path()), None);
        fs::write(place.path().join("process"), "12 ").unwrap();
        assert_eq!(read(place.path()), None);
    }
}

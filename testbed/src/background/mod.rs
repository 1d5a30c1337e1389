//! Clusters that outlive the command that started them: `testbed up`, and `testbed down` some time later.
//!
//! What runs is written to `testbed.json` in a run directory, one cluster each. `up` starts the cluster under the
//! [watchdog](crate::supervision), writes that file, and only then lets the servers go: interrupted before, it leaves
//! nothing. `down` ends exactly the processes of that file, and those on [record] in the cluster's directory, each known
//! by its [`Identity`](crate::identity::Identity).

mod error;
mod kafka;
mod mongodb;
mod state;
mod zookeeper;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

pub use error::Error;
pub use kafka::{Besides, up_kafka};
pub use mongodb::{Access, up_mongodb};
pub use state::{Node, Running};
pub use zookeeper::up_zookeeper;

use error::failed;
use state::{read, remove, write};

use crate::supervision::record;
use crate::{download, poll};

/// For SIGKILL to take effect. Only a process inside a broken device's driver needs longer.
const DEATH: Duration = Duration::from_secs(10);

/// Where `up` and `down` meet when no directory is given: below the cache.
pub fn default_directory() -> Result<PathBuf, Error> {
    Ok(download::cache_directory()?.join("run"))
}

/// Finds the run directory free, and lets `begin` start a cluster in it, say what runs, and `leave` it.
///
/// # Guarantees
/// When this returns, [`down`] finds what was started. On an error, or when this process is killed, nothing runs.
fn up<C, T>(
    run: &Path,
    begin: impl FnOnce(&Path) -> Result<(C, Running, T), Error>,
    leave: impl FnOnce(C) -> Result<(), Error>,
) -> Result<(Running, T), Error> {
    fs::create_dir_all(run).map_err(failed("create", run))?;
    let run = &run.canonicalize().map_err(failed("resolve", run))?;
    let _lock = lock(run)?;
    match read(run) {
        Ok(earlier) if earlier.is_alive() => {
            let Running { store, version, .. } = earlier;
            return Err(Error::AlreadyUp {
                store,
                version,
                run: run.clone(),
            });
        }
        // Its machine was restarted, or somebody ended the servers: nothing of it is left but files.
        Ok(earlier) => remove(run, &earlier)?,
        Err(Error::NotUp { .. }) => {}
        Err(error) => return Err(error),
    }
    let (cluster, running, more) = begin(run)?;
    write(run, &running)?;
    leave(cluster)?;
    Ok((running, more))
}

/// Ends what was started here, and what others have started there since, and removes its files. Says how many servers
/// still ran.
///
/// # Errors
/// [`Error::NotUp`] when nothing was started.
pub fn down(run: &Path) -> Result<usize, Error> {
    if !run.is_dir() {
        return Err(Error::NotUp { run: run.to_owned() });
    }
    let _lock = lock(run)?;
    let running = read(run)?;
    let mut ended = 0;
    let known = || {
        running
            .nodes
            .iter()
            .filter_map(|node| Some((node, node.process.as_ref()?)))
    };
    for (_, process) in known() {
        // The data goes with the cluster, so there is nothing to save by a gentler end; and a paused server
        // would not hear it.
        let path = || PathBuf::from(format!("/proc/{}", process.pid));
        let reached = process
            .signal(Signal::KILL)
            .map_err(|error| failed("end", &path())(error))?;
        ended += usize::from(reached);
    }
    for (node, process) in known() {
        poll::until(DEATH, |_| Ok::<_, Error>((!process.is_alive()).then_some(())))?.ok_or_else(|| Error::Undying {
            name: node.name.clone(),
            pid: process.pid,
        })?;
    }
    if running.is_below(run) && running.directory.is_dir() {
        ended += record::end(&running.directory).map_err(failed("end what runs in", &running.directory))?;
    }
    remove(run, &running)?;
    Ok(ended)
}

/// A run directory taken for one command.
///
/// It is given back by name, not by closing the file: a process that is started in another thread at this moment has a
/// copy of the open file until it executes its own program, and would hold the directory as long.
struct Taken(File);

impl Drop for Taken {
    fn drop(&mut self) {
        // Closing the file does it too, only perhaps a moment later.
        drop(self.0.unlock());
    }
}

fn lock(run: &Path) -> Result<Taken, Error> {
    let path = run.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Taken(file)),
        Err(TryLockError::WouldBlock) => Err(Error::Busy { run: run.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::state::STATE;
    use crate::identity::Identity;
    use std::process::{Child, Command};

    fn started(run: &Path) -> (Child, Running) {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        let directory = run.join("cluster");
        fs::create_dir(&directory).unwrap();
        let node = Node {
            name: "zk-1".to_owned(),
            process: Some(Identity::of(child.id()).unwrap()),
            client: ([127, 0, 0, 1], 1).into(),
            member: String::new(),
            mode: String::new(),
            config: PathBuf::new(),
            log: PathBuf::new(),
        };
        let running = Running {
            store: "S".to_owned(),
            version: "1".to_owned(),
            directory,
            nodes: vec![node],
        };
        write(run, &running).unwrap();
        (child, running)
    }

    #[test]
    fn down_ends_what_was_started_and_removes_its_files() {
        let run = tempfile::tempdir().unwrap();
        let (mut child, running) = started(run.path());
        assert_eq!(down(run.path()).unwrap(), 1);
        assert!(!child.wait().unwrap().success());
        assert!(!running.directory.exists());
        assert!(matches!(down(run.path()), Err(Error::NotUp { .. })));
    }

    #[test]
    fn down_spares_a_process_that_only_has_the_same_pid() {
        let run = tempfile::tempdir().unwrap();
        let (mut child, mut running) = started(run.path());
        running.nodes[0].process.as_mut().unwrap().started -= 1;
        write(run.path(), &running).unwrap();
        assert_eq!(down(run.path()).unwrap(), 0);
        assert!(child.try_wait().unwrap().is_none(), "it must still run");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn down_ends_what_others_started_in_the_directory() {
        let run = tempfile::tempdir().unwrap();
        let (mut child, mut running) = started(run.path());
        let Identity { pid, started, boot } = running.nodes[0].process.take().unwrap();
        write(run.path(), &running).unwrap();
        let node = running.directory.join("node");
        fs::create_dir(&node).unwrap();
        fs::write(node.join("process"), format!("{pid} {started} {boot}\n")).unwrap();
        let second = up_zookeeper(run.path(), crate::zookeeper::Cluster::builder(1), Duration::ZERO);
        assert!(matches!(second, Err(Error::AlreadyUp { .. })), "{second:?}");
        assert_eq!(down(run.path()).unwrap(), 1);
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn a_directory_is_free_at_once_although_a_starting_process_has_a_copy_of_the_lock() {
        let run = tempfile::tempdir().unwrap();
        let taken = lock(run.path()).unwrap();
        assert!(matches!(lock(run.path()), Err(Error::Busy { .. })));
        let _copy = taken.0.try_clone().unwrap();
        drop(taken);
        drop(lock(run.path()).unwrap());
    }

    #[test]
    fn a_second_cluster_in_the_same_place_is_refused() {
        let run = tempfile::tempdir().unwrap();
        let (mut child, _) = started(run.path());
        let second = up_zookeeper(run.path(), crate::zookeeper::Cluster::builder(1), Duration::ZERO);
        assert!(matches!(second, Err(Error::AlreadyUp { .. })), "{second:?}");
        down(run.path()).unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_directory_elsewhere_is_never_removed() {
        let (run, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (mut child, mut running) = started(run.path());
        other.path().clone_into(&mut running.directory);
        write(run.path(), &running).unwrap();
        down(run.path()).unwrap();
        child.wait().unwrap();
        assert!(other.path().exists());
    }

    #[test]
    fn a_strange_state_file_is_named() {
        let run = tempfile::tempdir().unwrap();
        fs::write(run.path().join(STATE), "{}").unwrap();
        assert!(matches!(down(run.path()), Err(Error::State { .. })));
    }
}

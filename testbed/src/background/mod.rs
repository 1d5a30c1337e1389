//! Clusters that outlive the command that started them: `testbed up`, and `testbed down` some time later.
//!
//! What runs is written to `testbed.json` in a run directory, one cluster each. `up` starts the cluster under the
//! [watchdog](crate::supervision), writes that file, and only then lets the servers go: interrupted before, it leaves
//! nothing. `down` ends exactly the processes of that file, each known by its
//! [`Identity`](crate::identity::Identity).

mod error;
mod state;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

pub use error::Error;
pub use state::{Node, Running};

use error::failed;
use state::{read, remove, write};

use crate::progress::Progress;
use crate::zookeeper::{self, Builder, Server};
use crate::{download, poll};

/// For SIGKILL to take effect. Only a process inside a broken device's driver needs longer.
const DEATH: Duration = Duration::from_secs(10);

/// Where `up` and `down` meet when no directory is given: below the cache.
pub fn default_directory() -> Result<PathBuf, Error> {
    Ok(download::cache_directory()?.join("run"))
}

/// Starts a cluster and leaves it running.
///
/// # Guarantees
/// When this returns a cluster, all its servers serve, and [`down`] finds them. On an error, or when this process is
/// killed, nothing runs.
pub fn up_zookeeper(run: &Path, builder: Builder, within: Duration) -> Result<Running, Error> {
    fs::create_dir_all(run).map_err(failed("create", run))?;
    let run = &run.canonicalize().map_err(failed("resolve", run))?;
    let _lock = lock(run)?;
    match read(run) {
        Ok(earlier) if earlier.nodes.iter().any(|node| node.process.is_alive()) => {
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
    let cluster = builder.below(run).prepare()?;
    let progress = Progress::start("waiting for the servers to serve");
    cluster.start()?;
    cluster.wait_serving(within)?;
    drop(progress);
    let running = Running {
        store: "ZooKeeper".to_owned(),
        version: cluster.release().to_string(),
        directory: cluster.directory().to_owned(),
        nodes: cluster.servers().iter().map(node).collect::<Result<_, _>>()?,
    };
    write(run, &running)?;
    cluster.leave_running()?;
    Ok(running)
}

fn node(server: &Server) -> Result<Node, Error> {
    let name = server.name().to_owned();
    let mode = server.wait_serving(Duration::from_secs(5))?.mode().to_owned();
    Ok(Node {
        process: server
            .process()
            .ok_or(zookeeper::Error::NotRunning { name: name.clone() })?,
        name,
        client: server.client_address(),
        member: server.server_line(),
        mode,
        config: server.config_file(),
        log: server.log_path(),
    })
}

/// Ends what [`up_zookeeper`] started here, and removes its files. Says how many servers still ran.
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
    for node in &running.nodes {
        // The data goes with the cluster, so there is nothing to save by a gentler end; and a paused server
        // would not hear it.
        let path = || PathBuf::from(format!("/proc/{}", node.process.pid));
        let reached = node
            .process
            .signal(Signal::KILL)
            .map_err(|error| failed("end", &path())(error))?;
        ended += usize::from(reached);
    }
    for node in &running.nodes {
        poll::until(DEATH, |_| Ok::<_, Error>((!node.process.is_alive()).then_some(())))?.ok_or_else(|| {
            Error::Undying {
                name: node.name.clone(),
                pid: node.process.pid,
            }
        })?;
    }
    remove(run, &running)?;
    Ok(ended)
}

fn lock(run: &Path) -> Result<File, Error> {
    let path = run.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
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
            process: Identity::of(child.id()).unwrap(),
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
        running.nodes[0].process.started -= 1;
        write(run.path(), &running).unwrap();
        assert_eq!(down(run.path()).unwrap(), 0);
        assert!(child.try_wait().unwrap().is_none(), "it must still run");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_second_cluster_in_the_same_place_is_refused() {
        let run = tempfile::tempdir().unwrap();
        let (mut child, _) = started(run.path());
        let second = up_zookeeper(run.path(), zookeeper::Cluster::builder(1), Duration::ZERO);
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

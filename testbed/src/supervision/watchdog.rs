//! The `sh` that outlives us, for a moment.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Error;
use crate::identity::Identity;

/// `$1` is the directory. What is on [record](super::record) there is ended too. Killing is not instant: the directory
/// goes when nobody writes to it any more.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
is() {
    stat=
    { read -r stat < "/proc/$1/stat"; } 2>/dev/null
    case $stat in *') Z '*|*') X '*|'') return 1 ;; esac
    started=$2
    set -- ${stat##*) }
    shift 19
    [ "$1" = "$started" ]
}
watched=
while read -r what pid started; do
    case $what in
        watch) watched="$watched $pid:$started" ;;
        release) exit 0 ;;
    esac
done
touch -- "$1/closed" 2>/dev/null
for record in "$1"/*/process; do
    { read -r pid started boot < "$record"; } 2>/dev/null && watched="$watched $pid:$started"
done
for one in $watched; do
    is "${one%:*}" "${one#*:}" && kill -KILL "${one%:*}"
done
for one in $watched; do
    rounds=0
    while is "${one%:*}" "${one#*:}" && [ $rounds -lt 200 ]; do
        sleep 0.05
        rounds=$((rounds + 1))
    done
done
rm -rf -- "$1"
"#;

/// Ends what it watches and removes the directory as soon as this process is gone, or this value is.
#[derive(Debug)]
pub struct Watchdog {
    directory: PathBuf,
    child: Child,
    pipe: Mutex<Option<ChildStdin>>,
}

impl Watchdog {
    /// Begins to watch over a directory.
    pub fn start(directory: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Start {
            what: "the watchdog (sh)".to_owned(),
            source,
        };
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "testbed-watchdog"])
            .arg(directory)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let pipe = Mutex::new(child.stdin.take());
        Ok(Self {
            directory: directory.to_owned(),
            child,
            pipe,
        })
    }

    /// From now on this process is ended too.
    pub(super) fn watch(&self, process: &Identity) -> Result<(), Error> {
        self.tell(&format!("watch {} {}\n", process.pid, process.started))
    }

    /// Lets everything live on: the processes, and the directory.
    pub fn release(mut self) -> Result<(), Error> {
        self.tell("release\n")?;
        self.end();
        Ok(())
    }

    fn tell(&self, line: &str) -> Result<(), Error> {
        let result = match self.pipe().as_mut() {
            // One short write: a line arrives whole or not at all.
            Some(pipe) => pipe.write_all(line.as_bytes()),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        };
        result.map_err(|source| Error::Unwatched {
            directory: self.directory.clone(),
            source,
        })
    }

    fn pipe(&self) -> MutexGuard<'_, Option<ChildStdin>> {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&mut self) {
        drop(self.pipe().take());
        // It ends by itself once the pipe is closed; an error here would mean that it is gone already.
        let _ = self.child.wait();
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn ends_what_it_watches_and_removes_the_directory() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("a directory");
        fs::create_dir(&directory).unwrap();
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let watchdog = Watchdog::start(&directory).unwrap();
        watchdog.watch(&Identity::of(child.id()).unwrap()).unwrap();
        drop(watchdog);
        assert!(!directory.exists());
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn ends_what_others_started_in_the_directory() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("a cluster");
        fs::create_dir_all(directory.join("a node")).unwrap();
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let watchdog = Watchdog::start(&directory).unwrap();
        let Identity { pid, started, boot } = Identity::of(child.id()).unwrap();
        fs::write(directory.join("a node/process"), format!("{pid} {started} {boot}\n")).unwrap();
        drop(watchdog);
        assert!(!directory.exists());
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn never_ends_a_process_that_got_the_same_pid_later() {
        let place = tempfile::tempdir().unwrap();
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let mut earlier = Identity::of(child.id()).unwrap();
        earlier.started -= 1;
        let watchdog = Watchdog::start(&place.path().join("none")).unwrap();
        watchdog.watch(&earlier).unwrap();
        drop(watchdog);
        assert!(child.try_wait().unwrap().is_none(), "it must still run");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn released_it_leaves_everything() {
        let place = tempfile::tempdir().unwrap();
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let watchdog = Watchdog::start(place.path()).unwrap();
        watchdog.watch(&Identity::of(child.id()).unwrap()).unwrap();
        watchdog.release().unwrap();
        assert!(place.path().exists());
        assert!(child.try_wait().unwrap().is_none(), "it must still run");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

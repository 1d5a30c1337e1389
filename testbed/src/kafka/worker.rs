//! A tool in the background, and the values it prints.
//!
//! It is our child, and on [record](crate::supervision::record) as a node is: its guard ends it, or the end of its
//! cluster, or the watchdog.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::Error;
use super::error::failed;
use super::node::Common;
use crate::poll;
use crate::supervision::script;

/// After SIGTERM. A producer waits for its last records, which takes long only where nobody can take them.
const GRACE: Duration = Duration::from_secs(30);

/// Values in the order in which they were printed.
type Values = Arc<Mutex<Vec<i64>>>;

/// The running tool.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    values: Values,
    /// Ends with the tool's output.
    reader: Option<JoinHandle<()>>,
    directory: PathBuf,
}

/// A line of its output. There are other ones: of a start, of an end, of offsets.
#[derive(Deserialize)]
struct Line {
    name: String,
    value: Option<String>,
}

impl Worker {
    /// A new directory for one, beside those of the nodes, where records are looked for.
    pub(super) fn directory(common: &Common, what: &str) -> Result<PathBuf, Error> {
        let place = tempfile::Builder::new()
            .prefix(&format!("{what}-"))
            .tempdir_in(&common.directory);
        // It goes with the cluster's.
        place
            .map(tempfile::TempDir::keep)
            .map_err(failed("create a directory in", &common.directory))
    }

    /// Starts a tool in its directory. `event` names the lines whose values are kept.
    pub(super) fn start(tool: &Path, arguments: &[&str], directory: &Path, event: &'static str) -> Result<Self, Error> {
        let log = directory.join("log");
        let errors = File::create(&log).map_err(failed("create", &log))?;
        let mut child = Command::new("sh")
            .args(["-c", &script::recorded(), "testbed-worker"])
            .arg(tool)
            .args(arguments)
            .current_dir(directory)
            // Ctrl-C is for us: we end it in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(failed("run", tool))?;
        let values = Values::default();
        let reader = child.stdout.take().map(|output| {
            let values = Arc::clone(&values);
            thread::spawn(move || collect(output, event, &values))
        });
        Ok(Self {
            child,
            values,
            reader,
            directory: directory.to_owned(),
        })
    }

    /// How many values it has printed so far.
    pub(super) fn count(&self) -> usize {
        lock(&self.values).len()
    }

    /// Lets it end, makes it end if need be, and returns the values.
    pub(super) fn stop(mut self) -> Result<Vec<i64>, Error> {
        if self.has_ended()? {
            let log = fs::read(self.directory.join("log")).unwrap_or_default();
            return Err(Error::Ended {
                name: self.directory.file_name().unwrap_or_default().display().to_string(),
                log: String::from_utf8_lossy(&log).into_owned(),
            });
        }
        // Not collected yet, so its pid cannot belong to anybody else.
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let told = pid.map_or(Ok(()), |pid| kill_process(pid, Signal::TERM));
        told.map_err(|errno| failed("stop", &self.directory)(errno.into()))?;
        poll::until(GRACE, |_| self.has_ended().map(|ended| ended.then_some(())))?;
        self.end();
        // The output has come to its end, and with it this thread; it does not panic.
        let _ = self.reader.take().map(JoinHandle::join);
        Ok(std::mem::take(&mut lock(&self.values)))
    }

    fn has_ended(&mut self) -> Result<bool, Error> {
        let seen = self.child.try_wait().map_err(failed("wait for", &self.directory));
        seen.map(|status| status.is_some())
    }

    fn end(&mut self) {
        // Both only fail for what has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

fn collect(output: impl Read, event: &str, values: &Mutex<Vec<i64>>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Some(value) = value(&line, event) {
            lock(values).push(value);
        }
    }
}

fn value(line: &str, event: &str) -> Option<i64> {
    let Line { name, value } = serde_json::from_str(line).ok()?;
    if name == event { value?.parse().ok() } else { None }
}

fn lock(values: &Mutex<Vec<i64>>) -> MutexGuard<'_, Vec<i64>> {
    values.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;
    use crate::supervision::record;

    const SOON: Duration = Duration::from_secs(10);

    /// A cluster's directory with a worker's in it.
    fn stand() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("producer-1");
        fs::create_dir(&directory).unwrap();
        (place, directory)
    }

    fn start(script: &str, directory: &Path) -> Worker {
        Worker::start(Path::new("/bin/sh"), &["-c", script], directory, "sent").unwrap()
    }

    fn on_record(directory: &Path) -> Identity {
        let seen = poll::until(SOON, |_| Ok::<_, Error>(record::read(directory)));
        seen.unwrap().unwrap()
    }

    #[test]
    fn values_are_kept_until_it_is_stopped_and_other_lines_are_passed_over() {
        let (_place, directory) = stand();
        let worker = start(
            r#"echo '{"name":"begun"}'; echo words; echo '{"name":"sent","key":null,"value":"7"}'
            trap 'echo "{\"name\":\"sent\",\"value\":\"8\"}"; exit 3' TERM; echo '{"name":"sent","value":"3"}'
            while :; do sleep 0.02; done"#,
            &directory,
        );
        let both = |_| Ok::<_, Error>((worker.count() == 2).then_some(()));
        assert_eq!(poll::until(SOON, both).unwrap(), Some(()));
        assert_eq!(worker.stop().unwrap(), [7, 3, 8]);
    }

    #[test]
    fn one_that_has_ended_by_itself_says_why() {
        let (_place, directory) = stand();
        let worker = start("echo no such topic >&2", &directory);
        let process = on_record(&directory);
        let gone = |_| Ok::<_, Error>((!process.is_alive()).then_some(()));
        assert_eq!(poll::until(SOON, gone).unwrap(), Some(()));
        let error = worker.stop().unwrap_err().to_string();
        assert!(
            error.contains("producer-1") && error.contains("no such topic"),
            "{error}"
        );
    }

    #[test]
    fn it_ends_with_its_guard_and_with_its_cluster() {
        let (place, directory) = stand();
        let worker = start("exec sleep 600", &directory);
        let process = on_record(&directory);
        drop(worker);
        assert!(!process.is_alive());
        let (_worker, earlier) = (start("exec sleep 600", &directory), process);
        let again = |_| Ok::<_, Error>(record::read(&directory).filter(|process| *process != earlier));
        let process = poll::until(SOON, again).unwrap().unwrap();
        assert_eq!(record::end(place.path()).unwrap(), 1);
        assert!(!process.is_alive());
    }
}

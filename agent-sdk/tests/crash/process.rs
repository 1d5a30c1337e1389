//! An agent in a process of its own, on a place that outlives it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use agent_sdk::client::{Client, Record, Schedule, wait};
use rustix::process::{Pid, Signal, kill_process};
use uuid::Uuid;

use crate::store::DEADLINE;
use crate::victim::VARIABLE;

/// Nothing here takes longer, unless it never ends.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What comes within a limit that is promised. Tried up to three times: a busy machine may be late once, what hangs is late
/// each time.
pub fn within<T>(limit: Duration, mut ask: impl FnMut() -> T) -> T {
    let mut late = Vec::new();
    while late.len() < 3 {
        let began = Instant::now();
        let answer = ask();
        let took = began.elapsed();
        if took <= limit {
            return answer;
        }
        late.push(took);
    }
    panic!("late each time: {late:?}");
}

/// A state directory, a configuration and a journal.
pub struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self::with("")
    }

    /// The same, with a store to look at.
    pub fn looking_at(store: SocketAddr) -> Self {
        Self::with(&format!(", store: '{store}'"))
    }

    /// The same, on a port that stays the same.
    pub fn listening_on(port: u16) -> Self {
        let place = Self::new();
        let file = place.directory.path().join("agent.yaml");
        let config = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, config.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"))).unwrap();
        place
    }

    /// Where the process is told that runs.
    pub fn pid_file(&self) -> PathBuf {
        self.directory.path().join("pid")
    }

    /// The process that was started last by [`Place::commands`].
    pub fn left_running(&self) -> Option<i32> {
        std::fs::read_to_string(self.pid_file()).ok()?.trim().parse().ok()
    }

    /// What a shell needs to kill the agent, and to start it again.
    pub fn commands(&self) -> (String, String) {
        let (directory, pid) = (self.directory.path().display(), self.pid_file().display().to_string());
        let program = std::env::current_exe().unwrap();
        let start = format!(
            "{VARIABLE}=1 '{}' --config '{directory}/agent.yaml' run >'{directory}/log' 2>&1 </dev/null & echo $! >'{pid}'",
            program.display()
        );
        (format!("kill -9 $(cat '{pid}')"), start)
    }

    /// The local token of the agent that was started here.
    pub fn token(&self) -> String {
        let token = std::fs::read_to_string(self.directory.path().join("state/token")).unwrap();
        token.trim().to_owned()
    }

    fn with(store: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = format!(
            "state_directory: {0}/state\napi: {{bind: '127.0.0.1:0'}}\nlogs: {{format: json}}\n\
             actions: {{max_queued: 1000000, keep_finished: 1000000, grace_s: 2}}\nobserve: {{deadline_ms: {1}, reuse_ms: 0}}\nstore: {{journal: {0}/journal{store}}}\n",
            directory.path().display(),
            DEADLINE.as_millis()
        );
        std::fs::write(directory.path().join("agent.yaml"), config).unwrap();
        Self { directory }
    }

    pub fn journal(&self) -> PathBuf {
        self.directory.path().join("journal")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .env(VARIABLE, "1")
            .arg("--config")
            .arg(self.directory.path().join("agent.yaml"))
            .arg("run");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Starts an agent and waits until it answers.
    pub fn start(&self) -> Victim {
        let mut child = self.command().spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (address, found) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let kept = log.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(bound) = bound(&line) {
                    drop(address.send(bound));
                }
                kept.lock().unwrap().push(line);
            }
        });
        let Ok(address) = found.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            panic!("the agent does not answer: {:#?}", log.lock().unwrap());
        };
        let client = Client::new(&format!("http://{address}"))
            .unwrap()
            .with_token(self.token());
        Victim { child, client, log }
    }

    /// Starts an agent that is expected not to come up, and returns how it ended.
    pub fn start_and_fail(&self) -> (ExitStatus, String) {
        let output = self.command().output().unwrap();
        (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The address in the line that says that the agent answers.
fn bound(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    (line["message"] == "the agent answers").then(|| line["address"].as_str().map(str::to_owned))?
}

/// A running agent.
pub struct Victim {
    child: Child,
    pub client: Client,
    log: Arc<Mutex<Vec<String>>>,
}

impl Victim {
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// SIGKILL; returns when the process is gone.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        self.child.wait().unwrap();
    }

    /// How the process ends, which it does by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the agent does not end: {:#?}",
                self.log.lock().unwrap()
            );
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Waits until the log has these words.
    pub fn said(&self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log.lock().unwrap().iter().any(|line| line.contains(words)) {
            assert!(Instant::now() < deadline, "{:#?}", self.log.lock().unwrap());
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Schedules an action that may bring the agent down before it answers: it is on disk all the same.
    pub fn submit(&self, kind: &str, args: &impl serde::Serialize) -> Uuid {
        let id = Uuid::new_v4();
        let mut schedule = Schedule::new(kind).with_args(args);
        schedule.id = Some(id);
        drop(wait(self.client.schedule(&schedule)));
        id
    }

    pub fn schedule(&self, kind: &str, args: &impl serde::Serialize) -> Uuid {
        wait(self.client.schedule(&Schedule::new(kind).with_args(args)))
            .unwrap()
            .id
    }

    /// The record once `wanted` holds of it.
    pub fn until(&self, id: Uuid, wanted: impl Fn(&Record) -> bool) -> Record {
        let deadline = Instant::now() + PATIENCE;
        let mut after = 0;
        loop {
            let record = wait(self.client.changed(id, after, Duration::from_secs(5))).unwrap();
            if wanted(&record) {
                return record;
            }
            assert!(Instant::now() < deadline, "{record:?}");
            after = record.version;
        }
    }

    pub fn until_ended(&self, id: Uuid) -> Record {
        self.until(id, |record| record.state.is_final())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // Already gone when it was killed or has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

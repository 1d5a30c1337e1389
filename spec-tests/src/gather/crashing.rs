//! A crash: actions that have ended, run and wait; then the agent is killed and started again, and asked what is left.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::process::Command;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::acting::{LOOP, SUCCESS, ask};
use super::following::{PATIENCE, PAUSE, Still, drain, follow, schedule, state};
use super::looking::record;
use super::patience::Patient;
use super::stressing::node;
use super::{Crash, Crashed, Scheduled, Survivor, Told, Waited};
use crate::client::{Request, trimmed};
use crate::dialect::{Dialect, integer};
use crate::model::State;

/// Steps of the action that is interrupted, of 0.1 s each: enough of them to be left whatever the commands take.
const STEPS: u32 = 60;

/// Steps after which it is interrupted: enough for a beginning anew to show.
const ENOUGH: i64 = 8;

/// How long an action may run without telling of steps before it is interrupted all the same.
const SILENCE: Duration = Duration::from_secs(2);

/// Has actions finished, running and waiting, kills the agent, starts it again and looks at what is left of them.
pub(super) async fn crash(client: &Patient, dialect: Dialect, crash: &Crash, down: &Arc<Mutex<()>>) -> Crashed {
    // What others have queued would be ahead.
    let alone = drain(client, dialect).await;
    let mut finished = schedule(client, dialect, ask(SUCCESS, json!({}))).await;
    follow(client, dialect, &mut finished).await;
    let mut running = schedule(client, dialect, ask(LOOP, json!({"target": STEPS, "delay_ms": 100}))).await;
    let mut waiting = Vec::new();
    for _ in 0..8 {
        waiting.push(schedule(client, dialect, ask(SUCCESS, json!({}))).await);
    }
    let fault = if !running.is_accepted() {
        Some("an action that is to be interrupted was not accepted".to_owned())
    } else if !alone || !advance(client, dialect, &mut running).await {
        Some("others' actions were ahead of those that a crash is to interrupt".to_owned())
    } else if client.is_over() {
        Some("the run was over first".to_owned())
    } else {
        down_and_up(crash, client, down).await.err()
    };
    let mut crashed = Crashed {
        fault,
        finished: finished.into(),
        running: running.into(),
        waiting: waiting.into_iter().map(Survivor::from).collect(),
        listed: None,
    };
    if crashed.fault.is_none() {
        node(client, dialect, PATIENCE).await;
        look_back(client, dialect, &mut crashed).await;
    }
    crashed
}

/// Looks at an action until it has made some steps; false where it does not begin.
async fn advance(client: &Patient, dialect: Dialect, running: &mut Scheduled) -> bool {
    let mut still = Still::new(client, dialect, PATIENCE);
    let mut began = None;
    loop {
        let look = record(client, dialect, &running.id).await;
        let state = state(&look);
        let count = look
            .value()
            .and_then(|record| integer(&record.payload.value()?["count"]));
        running.looks.push(look);
        match state {
            Some(State::New) if still.over(&running.id, false, false).await.is_none() => {}
            Some(State::Running) => {
                let began = *began.get_or_insert_with(Instant::now);
                let longest = if count.is_some() { PATIENCE } else { SILENCE };
                if count >= Some(ENOUGH) || began.elapsed() > longest {
                    return true;
                }
            }
            state => return state != Some(State::New),
        }
        client.rest(PAUSE).await;
    }
}

/// Looks at everything at once, before it goes on, and then follows it to its end.
async fn look_back(client: &Patient, dialect: Dialect, crashed: &mut Crashed) {
    let Crashed {
        fault: _,
        finished,
        running,
        waiting,
        listed,
    } = crashed;
    let mut all = vec![running, finished];
    all.extend(waiting);
    for survivor in &mut all {
        if survivor.after.is_accepted() {
            let look = record(client, dialect, &survivor.after.id).await;
            survivor.after.looks.push(look);
        }
    }
    for survivor in all {
        follow(client, dialect, &mut survivor.after).await;
    }
    let path = match dialect {
        Dialect::V1 => "actions/finished?limit=1000",
        Dialect::Unstable => "actions/finished",
    };
    let list = client.ask(Request::get(dialect.path(path))).await;
    *listed = Some(Told::of(list, |body| dialect.list(body)));
}

impl From<Scheduled> for Survivor {
    fn from(before: Scheduled) -> Self {
        let after = Scheduled {
            looks: Vec::new(),
            waited: Waited::Not,
            ..before.clone()
        };
        Self { before, after }
    }
}

/// Kills the agent and starts it again. Once the first has begun the second follows, whatever became of the first, and
/// whatever becomes of the run: `down` is held until both have ended.
async fn down_and_up(crash: &Crash, client: &Patient, down: &Arc<Mutex<()>>) -> Result<(), String> {
    let held = Arc::clone(down).lock_owned().await;
    let Crash { kill, restart } = crash.clone();
    let agent = client.address().to_string();
    let both = tokio::spawn(async move {
        let _held = held;
        let killed = run("kill", &kill, &agent).await;
        let restarted = run("restart", &restart, &agent).await;
        killed.and(restarted)
    });
    both.await.unwrap_or_else(|fault| Err(fault.to_string()))
}

/// Runs a command of the user's, which is told of which agent it is; it has to end well, and soon.
async fn run(what: &str, command: &str, agent: &str) -> Result<(), String> {
    let said = Said::new().map_err(|error| format!("the {what} command cannot be listened to: {error}"))?;
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .env("SPEC_TESTS_AGENT", agent)
        // Neither it nor what it starts needs to know.
        .env_remove("SPEC_TESTS_TOKEN")
        // Ctrl-C is for the suite: it ends neither what starts an agent nor the agent.
        .process_group(0)
        .stdin(Stdio::null())
        // What it says is no part of a report, and an agent that it starts does not hold the report's reader up.
        .stdout(Stdio::null())
        .stderr(said.writer().map_err(|error| error.to_string())?)
        // What did not kill in time must not do so once the agent was started again.
        .kill_on_drop(what == "kill");
    let fault = match tokio::time::timeout(PATIENCE, shell.status()).await {
        Ok(Ok(status)) if status.success() => return Ok(()),
        Ok(Ok(status)) => format!("ended with {status}"),
        Ok(Err(error)) => format!("cannot be run: {error}"),
        Err(_) => format!("did not end within {} s", PATIENCE.as_secs()),
    };
    // The command itself may hold secrets; what it said may explain it.
    Err(format!("the {what} command {fault}{}", said.told()))
}

/// So much of what a command says is read, in bytes.
const SAID: u64 = 4096;

/// Where a command says what is wrong: a file without a name, which it may go on to write to for as long as it likes.
struct Said(File);

impl Said {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("spec-tests-{}", Uuid::new_v4()));
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(Self(file))
    }

    fn writer(&self) -> std::io::Result<Stdio> {
        self.0.try_clone().map(Stdio::from)
    }

    /// The beginning of what was said, to be put behind a sentence.
    fn told(mut self) -> String {
        let mut beginning = Vec::new();
        let read = self
            .0
            .rewind()
            .and_then(|()| self.0.take(SAID).read_to_end(&mut beginning));
        match (read, String::from_utf8_lossy(&beginning).trim()) {
            (Err(_), _) | (_, "") => String::new(),
            (_, text) => format!(": {}", trimmed(text, 400)),
        }
    }
}

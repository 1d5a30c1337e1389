//! Following an action to its end.
//!
//! The agent is asked for the next change and answers when there is one, so watching costs it nothing. An agent that goes
//! away meanwhile is waited for a while: the action is on its disk, and goes on when it is back.

use std::future::Future;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use super::actions::record_table;
use super::args::Args;
use super::connect::Connection;
use super::output::{self, Console, brief, printable};
use super::{Exit, Failure};
use crate::client::{ClientError, Record};
use crate::spec::{State, Timestamp};

/// How long one question may be open.
const POLL: Duration = Duration::from_secs(30);

/// Pause before an agent that is gone is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// How often that is done: for half a minute.
const TRIES: u32 = 60;

/// Follows an action; its outcome is the exit code. Ctrl-C ends the watching, not the action.
pub(super) fn watch(
    args: &Args,
    connection: &Connection,
    id: Uuid,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Fault, format!("no runtime: {error}")))?;
    runtime.block_on(async {
        let stop = async {
            // Without the signal's handler Ctrl-C ends the process, as it would anyway.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        follow(args, connection, id, console, stop, PAUSE).await
    })
}

/// The same with another reason to stop.
pub(super) async fn follow(
    args: &Args,
    connection: &Connection,
    id: Uuid,
    console: &mut Console<'_>,
    stop: impl Future<Output = ()>,
    pause: Duration,
) -> Result<Exit, Failure> {
    let mut progress = Progress::new(console.live);
    let end = {
        let watching = to_the_end(connection, id, &mut progress, console, pause);
        tokio::select! {
            end = watching => Some(end),
            () = stop => None,
        }
    };
    progress.clear();
    let Some(end) = end else {
        console.note(&format!(
            "no longer watched; the action goes on: `{} actions show {id}`",
            connection.name()
        ));
        return Ok(Exit::Unfinished);
    };
    let record = end.map_err(|error| connection.failure(&error))?;
    if args.json {
        console.document(&record)?;
    } else {
        console.table(record_table(&record))?;
    }
    Ok(if record.state == State::Done {
        Exit::Done
    } else {
        Exit::Failed
    })
}

async fn to_the_end(
    connection: &Connection,
    id: Uuid,
    progress: &mut Progress,
    console: &mut Console<'_>,
    pause: Duration,
) -> Result<Record, ClientError> {
    let mut seen: Option<u64> = None;
    let mut failures = 0;
    loop {
        let answer = match seen {
            None => connection.client.record(id).await,
            Some(version) => connection.client.changed(id, version, POLL).await,
        };
        match answer {
            Ok(record) => {
                failures = 0;
                if seen != Some(record.version) {
                    progress.show(&record, console);
                }
                if record.state.is_final() {
                    return Ok(record);
                }
                seen = Some(record.version);
            }
            Err(ClientError::Unreachable { .. } | ClientError::Timeout { .. }) if failures < TRIES => {
                if failures == 0 {
                    progress.say(
                        "the agent does not answer; the action is on its disk, waiting for it to be back",
                        console,
                    );
                }
                failures += 1;
                tokio::time::sleep(pause).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The line that shows how far it is: one that moves on a terminal, one per change elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(live: bool) -> Self {
        let bar = live.then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {elapsed:>4} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar }
    }

    fn show(&self, record: &Record, console: &mut Console<'_>) {
        let words = words(record);
        if let Some(bar) = &self.bar {
            bar.set_message(words);
        } else {
            let now = Timestamp::now().to_string();
            console.note(&format!("{} {words}", now.get(11..19).unwrap_or_default()));
        }
    }

    fn say(&self, text: &str, console: &mut Console<'_>) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => console.note(text),
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Where an action is, on one line.
fn words(record: &Record) -> String {
    let Record {
        kind,
        state,
        state_payload,
        error,
        attempt,
        ..
    } = record;
    let mut line = format!("{} {}", printable(kind), state.name());
    if *attempt > 1 {
        line = format!("{line}, attempt {attempt}");
    }
    match (error, state_payload) {
        (Some(error), _) => format!("{line}: {}", output::error(error)),
        (None, Some(payload)) => format!("{line} {}", brief(payload, 48)),
        (None, None) => line,
    }
}

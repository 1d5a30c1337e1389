//! Commands of the operator's: the one that formats the storage, and the one that starts the process.
//!
//! **Guarantees**: one returns within the time given. It is ended then, with all that it has begun in its own process group,
//! as far as the agent's user may: what runs as another user goes on, and the error says so. When nobody waits for it any
//! more it is ended itself. Of what it prints, the end is kept. One that leaves a process behind, as a start does, is over
//! when itself is. Of the agent's environment it is given what programs need to find their way, and what is Kafka's.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Of what a command prints, this many bytes are kept.
const KEPT: usize = 4 * 1024;

/// For what it printed to arrive after its end. What it leaves running may hold its output open for ever.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Why a command did not do what it is for.
#[derive(Debug, Error)]
pub enum CommandError {
    /// There is none.
    #[error("{0} is not configured")]
    Missing(&'static str),
    /// It cannot be run.
    #[error("{command} cannot be run: {cause}")]
    Unrunnable {
        /// Its name.
        command: String,
        /// Why.
        cause: std::io::Error,
    },
    /// It failed.
    #[error("{command} failed ({status}): {said}")]
    Failed {
        /// Its name.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed.
        said: String,
    },
    /// It took too long.
    #[error("{command} did not end within {} s: {said}", .within.as_secs())]
    Endless {
        /// Its name.
        command: String,
        /// How long it was given.
        within: Duration,
        /// The end of what it printed.
        said: String,
    },
}

/// Runs a command with further arguments. `key`: what configures it. `held`: what it holds open as its input, for as long
/// as it runs, whatever becomes of the agent; without that it has none.
pub async fn run(
    command: &[String],
    more: &[&str],
    key: &'static str,
    held: Option<OwnedFd>,
    within: Duration,
) -> Result<(), CommandError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(CommandError::Missing(key));
    };
    let unrunnable = |cause| CommandError::Unrunnable {
        command: program.clone(),
        cause,
    };
    let mut child = Command::new(program)
        .args(arguments)
        .args(more)
        .stdin(held.map_or_else(Stdio::null, Stdio::from))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| is_passed_on(name)))
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(unrunnable)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let mut said = tokio::spawn(async move { tokio::join!(end_of(out), end_of(err)) });
    let ended = timeout(within, child.wait()).await;
    let killed = if ended.is_err() { kill(&mut child) } else { Ok(()) };
    let said = if let Ok(Ok((out, err))) = timeout(LAST_WORDS, &mut said).await {
        shown(&[out, err])
    } else {
        said.abort();
        "its output is held open by what it has left behind".to_owned()
    };
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(CommandError::Failed {
            command: program.clone(),
            status,
            said,
        }),
        Ok(Err(cause)) => Err(unrunnable(cause)),
        Err(_) => Err(CommandError::Endless {
            command: program.clone(),
            within,
            said: match killed {
                Ok(()) => said,
                Err(error) => format!("{said} (it could not be ended, and goes on: {error})"),
            },
        }),
    }
}

/// Ends it and what it has begun.
fn kill(child: &mut Child) -> std::io::Result<()> {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let Some(group) = group else { return Ok(()) };
    match kill_process_group(group, Signal::KILL) {
        Err(error) if error != rustix::io::Errno::SRCH => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether a command gets this variable of the agent's: not its configuration, nor what else it may have been given.
fn is_passed_on(name: &OsStr) -> bool {
    const KNOWN: [&str; 8] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "JAVA_HOME"];
    let name = name.to_string_lossy();
    KNOWN.contains(&&*name) || name.starts_with("LC_") || name.starts_with("KAFKA_")
}

/// The end of what comes.
async fn end_of(from: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut from) = from else { return kept };
    let mut buffer = [0; 4096];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..read]);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
    kept
}

fn shown(outputs: &[Vec<u8>]) -> String {
    let texts = outputs
        .iter()
        .map(|output| String::from_utf8_lossy(output).trim().to_owned());
    let texts: Vec<_> = texts.filter(|text| !text.is_empty()).collect();
    if texts.is_empty() {
        return "it printed nothing".to_owned();
    }
    texts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    async fn sh(script: &str, within: Duration) -> Result<(), CommandError> {
        let command = ["sh", "-c", script].map(str::to_owned);
        run(&command, &["zero", "one"], "store.format_command", None, within).await
    }

    #[tokio::test]
    async fn a_command_gets_what_is_added_to_it_and_says_why_it_failed() {
        sh("test $0 = zero && test $1 = one", SOON).await.unwrap();
        let error = sh("echo to-out; echo to-err >&2; exit 3", SOON)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("exit status: 3") && error.contains("to-out\nto-err"),
            "{error}"
        );
        let error = sh("yes | head -c 100000; exit 1", SOON).await.unwrap_err().to_string();
        assert!(error.len() < KEPT + 100);
    }

    #[tokio::test]
    async fn one_that_is_missing_or_cannot_be_run_says_so() {
        let none = run(&[], &[], "store.start_command", None, SOON).await.unwrap_err();
        assert_eq!(none.to_string(), "store.start_command is not configured");
        let wrong = run(&["/no/such/program".to_owned()], &[], "x", None, SOON)
            .await
            .unwrap_err()
            .to_string();
        assert!(wrong.contains("/no/such/program cannot be run"), "{wrong}");
    }

    #[tokio::test]
    async fn one_that_leaves_a_process_behind_is_over_when_itself_is() {
        // What is left behind waits for the end of this test's pipe, and is gone with it.
        let left = tempfile::tempdir().unwrap();
        let pipe = left.path().join("pipe");
        let script = format!("mkfifo {0}; (cat {0} >/dev/null) & exit 0", pipe.display());
        sh(&script, SOON).await.unwrap();
        // Opening it for writing, and closing it, ends the one that reads it.
        drop(std::fs::OpenOptions::new().write(true).open(&pipe).unwrap());
    }

    #[tokio::test]
    async fn an_endless_one_is_ended_with_what_it_has_begun() {
        let error = sh("sleep 1000 & echo $!; wait", Duration::from_millis(500))
            .await
            .unwrap_err();
        let CommandError::Endless { said, .. } = &error else {
            panic!("{error}")
        };
        let begun = std::path::Path::new("/proc").join(said).join("stat");
        // Gone, or waiting to be collected by whoever inherits it.
        let ended = |_| {
            let stat = std::fs::read_to_string(&begun).unwrap_or_default();
            Ok::<_, ()>((stat.is_empty() || stat.contains(") Z ")).then_some(()))
        };
        assert!(testbed::poll::until(SOON, ended).unwrap().is_some(), "{said}");
    }

    #[test]
    fn a_command_gets_nothing_of_the_agents_configuration() {
        for (name, passed) in [
            ("PATH", true),
            ("KAFKA_HEAP_OPTS", true),
            ("LC_ALL", true),
            ("AGENT_STORE__X", false),
        ] {
            assert_eq!(is_passed_on(OsStr::new(name)), passed, "{name}");
        }
    }
}

//! Building what is shown, so that a fresh clone needs nothing but `cargo demo`.
//!
//! Cargo itself says what it made (`--message-format=json`), so no path is guessed. It stays in our
//! process group: Ctrl-C ends it too.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::Failure;
use super::screen::Screen;

/// Bytes of the compiler's words that a failure shows.
const WORDS: u64 = 16 * 1024;

/// What Cargo says of one thing that it made; its other messages have another reason.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds programs of the workspace and says where they are, by name.
pub(super) async fn build(screen: &Screen, arguments: &[&str]) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let failed = |error| Failure::setup("cargo cannot be run", error);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    screen.act(&format!("cargo build {}", arguments.join(" ")));
    let line = screen.line("building");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--message-format=json-render-diagnostics"])
        .args(arguments)
        .current_dir(workspace)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let (stdout, stderr) = (cargo.stdout.take(), cargo.stderr.take());
    let words = async {
        let mut words = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = (&mut stderr).take(WORDS).read_to_end(&mut words).await;
            let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await; // or cargo would wait for a reader
        }
        String::from_utf8_lossy(&words).into_owned()
    };
    let made = async {
        let (mut made, mut count) = (BTreeMap::new(), 0_u32);
        let Some(stdout) = stdout else { return made };
        let mut lines = BufReader::new(stdout).lines();
        while let Ok(Some(text)) = lines.next_line().await {
            let Ok(Message {
                reason,
                target: Some(target),
                executable,
            }) = serde_json::from_str(&text)
            else {
                continue;
            };
            if reason == "compiler-artifact" {
                count += 1;
                line.at(&format!("{count} crates, at last {}", target.name));
                made.extend(executable.map(|executable| (target.name, executable)));
            }
        }
        made
    };
    let (words, made) = tokio::join!(words, made);
    let status = cargo.wait().await.map_err(failed)?;
    drop(line);
    if status.success() {
        Ok(made)
    } else {
        Screen::show(words);
        Err(Failure::unexpected("cargo builds it", status.to_string()))
    }
}

/// The program of this name among those that were built.
pub(super) fn find(made: &BTreeMap<String, PathBuf>, name: &str) -> Result<PathBuf, Failure> {
    made.get(name)
        .cloned()
        .ok_or_else(|| Failure::unexpected(format!("cargo builds {name}"), "it did not say where it is"))
}

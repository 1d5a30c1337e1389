//! Runs Maven: it resolves the pom and copies the jars, from its own repository or the network.
//!
//! Maven and its plugin are started without a terminal (`-B`), in a version of the plugin that is pinned too. Its
//! output is read line by line for the progress line, and kept for the error.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::failed;
use super::{Bundle, Error};
use crate::progress::Progress;

const GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// Lines of Maven's output that an error shows at most.
const SHOWN: usize = 12;

/// Fills `incoming/jars`.
pub(super) fn run(maven: &Path, bundle: &Bundle, cache: &Path, incoming: &Path) -> Result<(), Error> {
    let pom = incoming.join("pom.xml");
    fs::write(&pom, bundle.pom).map_err(failed("could not write", &pom))?;
    let progress = Progress::start(&format!("fetching {} by Maven into {}", bundle.title, cache.display()));
    let mut command = Command::new(maven);
    command.arg("-B").arg("-f").arg(&pom);
    command.args(bundle.properties.iter().map(|property| format!("-D{property}")));
    command
        .arg(format!("-DoutputDirectory={}", incoming.join("jars").display()))
        .arg(GOAL);
    // One pipe for both: what the launcher itself complains about (a bad JAVA_HOME) belongs to the error too.
    let (output, writer) = std::io::pipe().map_err(failed("could not make a pipe for", maven))?;
    let copy = writer.try_clone().map_err(failed("could not make a pipe for", maven))?;
    let child = command.stdin(Stdio::null()).stdout(writer).stderr(copy).spawn();
    // It holds our ends of the pipe, which would never come to its end.
    drop(command);
    let mut child = child.map_err(failed("could not run", maven))?;
    let mut lines = Vec::new();
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        let line = plain(&line);
        if let Some(file) = downloaded(&line) {
            progress.at(file);
        }
        lines.push(line);
    }
    let status = child.wait().map_err(failed("could not wait for", maven))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Maven {
        title: bundle.title,
        coordinates: bundle.coordinates,
        count: bundle.pins.lines().count(),
        cache: cache.to_owned(),
        said: complaint(&lines),
    })
}

/// `[INFO] Downloading from central: https://…/zookeeper-3.9.5.jar` → the file.
fn downloaded(line: &str) -> Option<&str> {
    line.contains("Downloading from")
        .then(|| line.rsplit('/').next())
        .flatten()
}

/// Maven colours its output even when told not to ask.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or("", |(_, rest)| rest)
    })
}

/// The lines that say why: up to the first empty one, after which Maven explains its own switches.
fn complaint(lines: &[String]) -> String {
    let errors: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("[ERROR]"))
        .map(|line| line.trim().trim_end_matches(" -> [Help 1]"))
        .take_while(|line| !line.is_empty())
        .take(SHOWN)
        .collect();
    if errors.is_empty() {
        return lines[lines.len().saturating_sub(SHOWN)..].join("\n");
    }
    errors.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_line_names_the_file() {
        let line = "[INFO] Downloading from central: https://repo.example/org/apache/zookeeper-3.9.5.jar";
        assert_eq!(downloaded(line), Some("zookeeper-3.9.5.jar"));
        assert_eq!(downloaded("[INFO] BUILD SUCCESS"), None);
    }

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(plain("\u{1b}[1;31m[ERROR]\u{1b}[m no"), "[ERROR] no");
        assert_eq!(plain("plain m"), "plain m");
    }

    #[test]
    fn only_the_reason_is_shown() {
        let lines = [
            "[INFO] on",
            "[ERROR] Unknown host -> [Help 1]",
            "[ERROR] ",
            "[ERROR] re-run with -e",
        ];
        assert_eq!(complaint(&lines.map(str::to_owned)), "Unknown host");
    }

    #[test]
    fn without_error_lines_the_last_ones_are_shown() {
        let lines: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        assert!(complaint(&lines).starts_with("8\n") && complaint(&lines).ends_with("\n19"));
    }
}

//! Runs Maven: it resolves the pom and copies the jars, from its own repository or the network.
//!
//! Maven and its plugin are started without a terminal (`-B`), in a version of the plugin that is pinned too. Its
//! output is read line by line for the progress line, and kept for the error.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::failed;
use super::run::{SHOWN, last, run};
use super::{Bundle, Error};
use crate::progress::Progress;

const GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// Jars that a Maven project names.
#[derive(Clone, Copy, Debug)]
pub struct Maven {
    /// Coordinates of the jar that people would look for.
    pub coordinates: &'static str,
    /// Which jars: a Maven project.
    pub pom: &'static str,
    /// Properties that the pom leaves open, as `name=value`.
    pub properties: &'static [&'static str],
}

impl Maven {
    /// Fills a directory in `incoming`, and says which.
    pub(super) fn run(self, maven: &Path, bundle: &Bundle, cache: &Path, incoming: &Path) -> Result<PathBuf, Error> {
        let pom = incoming.join("pom.xml");
        fs::write(&pom, self.pom).map_err(failed("could not write", &pom))?;
        let jars = incoming.join("jars");
        let progress = Progress::start(&format!("fetching {} by Maven into {}", bundle.title, cache.display()));
        let mut command = Command::new(maven);
        command.arg("-B").arg("-f").arg(&pom);
        command.args(self.properties.iter().map(|property| format!("-D{property}")));
        command.arg(format!("-DoutputDirectory={}", jars.display())).arg(GOAL);
        let mut lines = Vec::new();
        let status = run(command, |line| {
            let line = plain(&line);
            if let Some(file) = downloaded(&line) {
                progress.at(file);
            }
            lines.push(line);
        })?;
        if status.success() {
            return Ok(jars);
        }
        Err(Error::Maven {
            title: bundle.title,
            coordinates: self.coordinates,
            count: bundle.pins.lines().count(),
            cache: cache.to_owned(),
            said: complaint(&lines),
        })
    }
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
        return last(lines);
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

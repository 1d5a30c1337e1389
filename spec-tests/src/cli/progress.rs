//! What a run is at: one line that changes on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::say;
use crate::report;

/// Who is told.
#[derive(Debug)]
pub(super) enum Progress {
    /// Nobody.
    Quiet,
    /// A log, line by line.
    Lines,
    /// Who looks at a terminal.
    Line(ProgressBar),
}

impl Progress {
    /// By what standard error is.
    pub(super) fn new(quiet: bool) -> Self {
        if quiet {
            Self::Quiet
        } else if io::stderr().is_terminal() {
            let line = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                line.set_style(style);
            }
            line.enable_steady_tick(Duration::from_millis(120));
            Self::Line(line)
        } else {
            Self::Lines
        }
    }

    /// What is done now.
    pub(super) fn now(&self, what: &str) {
        match self {
            Self::Quiet => {}
            Self::Lines => say(what),
            Self::Line(line) => line.set_message(report::visible(what).into_owned()),
        }
    }
}

impl Drop for Progress {
    /// The line is gone before anything else is written.
    fn drop(&mut self) {
        if let Self::Line(line) = self {
            line.finish_and_clear();
        }
    }
}

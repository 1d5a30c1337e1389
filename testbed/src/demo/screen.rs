//! Where the story is told: numbered steps, what is done in them, what was seen, and a live line while it waits.
//!
//! On a terminal the live line is redrawn in place and vanishes; elsewhere everything is a plain line, and a wait is
//! told only once it takes long. Colours follow `NO_COLOR`. Lines fit 100 columns.

use std::cell::Cell;
use std::fmt::Display;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{sleep, timeout};

use super::{Failure, Outcome};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// When a wait is worth a plain line.
const LONG: Duration = Duration::from_secs(3);
/// The time a check took begins here.
const COLUMN: usize = 92;

/// What one look found.
pub(super) enum Look<T> {
    /// What was waited for.
    Yes(T),
    /// Something else, for now: this.
    NotYet(String),
    /// What was waited for will not come, for this reason.
    Never(String),
}

/// The terminal, or what stands for it.
pub(super) struct Screen {
    colour: bool,
    live: bool,
    step: Cell<u32>,
    /// When what is going to be seen was begun.
    began: Cell<Instant>,
    told: Cell<bool>,
}

impl Screen {
    pub(super) fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let live = std::io::stdout().is_terminal();
        Self {
            colour: live && !plain,
            live,
            step: Cell::new(0),
            began: Cell::new(Instant::now()),
            told: Cell::new(false),
        }
    }

    /// Begins a step, with what it is for.
    pub(super) fn step(&self, title: &str, about: &str) {
        self.step.set(self.step.get() + 1);
        println!(
            "\n{} {}",
            self.paint("36", &format!("{:>2}", self.step.get())),
            self.paint("1", title)
        );
        if !about.is_empty() {
            self.note(about);
        }
    }

    /// A line of explanation.
    pub(super) fn note(&self, text: &str) {
        println!("   {}", self.paint("2", text));
    }

    /// What is done now.
    pub(super) fn act(&self, text: &str) {
        println!("   {} {text}", self.paint("36", "→"));
        self.began.set(Instant::now());
    }

    /// What was seen, and how long it took since the last act or sight.
    pub(super) fn seen(&self, text: &str) {
        let took = format!("{:.1} s", self.began.replace(Instant::now()).elapsed().as_secs_f32());
        let gap = COLUMN.saturating_sub(text.chars().count() + took.len()).max(2);
        println!(
            "   {} {text}{}{}",
            self.paint("32", "✓"),
            " ".repeat(gap),
            self.paint("2", &took)
        );
    }

    /// Notes that the whole story was told.
    pub(super) fn end(&self) {
        self.told.set(true);
    }

    /// Any lines.
    pub(super) fn show(text: impl Display) {
        println!("{text}");
    }

    /// A line that lives until it is dropped.
    pub(super) fn line(&self, what: &str) -> Line {
        if !self.live {
            return Line(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        let template = if self.colour {
            "   {spinner:.yellow} {prefix}  {wide_msg:.dim} {elapsed:.dim}"
        } else {
            "   {spinner} {prefix}  {wide_msg} {elapsed}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Line(bar)
    }

    /// Looks until it is there.
    ///
    /// **Errors**: `what` did not come `within` the time, or never will.
    pub(super) async fn wait<T>(
        &self,
        what: &str,
        within: Duration,
        mut look: impl AsyncFnMut() -> Look<T>,
    ) -> Result<T, Failure> {
        let (line, began) = (self.line(what), Instant::now());
        let (mut last, mut told) = ("nothing yet".to_owned(), self.live);
        loop {
            let left = within.saturating_sub(began.elapsed());
            match timeout(left, look()).await {
                Ok(Look::Yes(found)) => return Ok(found),
                Ok(Look::Never(reason)) => return Err(Failure::unexpected(what, reason)),
                Ok(Look::NotYet(now)) => {
                    line.at(&now);
                    last = now;
                }
                Err(_) => {}
            }
            if began.elapsed() >= within {
                let seen = format!("not seen within {} s; at last: {last}", within.as_secs());
                return Err(Failure::unexpected(what, seen));
            }
            if !told && began.elapsed() > LONG {
                println!("   … {what}");
                told = true;
            }
            sleep(PAUSE).await;
        }
    }

    /// Tells of a failure, and what may explain it.
    pub(super) fn failed(&self, failure: &Failure, logs: &str) -> Outcome {
        println!("   {} {failure}", self.paint("31", "✗"));
        if !logs.is_empty() {
            println!("\n{logs}");
        }
        let end = "The demonstration ended: this was not expected. Everything was ended and removed.";
        println!("\n{}", self.paint("31", end));
        Outcome::Unexpected
    }

    /// Tells that a signal came: before the end, or as it was waited for there.
    pub(super) fn interrupted(&self) -> Outcome {
        let (text, outcome) = if self.told.get() {
            ("Everything was ended and removed.", Outcome::Seen)
        } else {
            ("Interrupted: everything was ended and removed.", Outcome::Interrupted)
        };
        println!("\n{}", self.paint("33", text));
        outcome
    }

    /// Text in a style, by its number.
    pub(super) fn paint(&self, style: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// A line that is redrawn in place, on a terminal.
pub(super) struct Line(ProgressBar);

impl Line {
    /// Says what is seen just now.
    pub(super) fn at(&self, now: &str) {
        self.0.set_message(now.to_owned());
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

//! Where answers and words go, and how tables look.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Exit, Failure};
use crate::spec::{ErrorRecord, Timestamp};

/// The width that every table keeps to.
pub(super) const WIDTH: u16 = 100;

/// The two ways out of a command.
pub(super) struct Console<'a> {
    /// Answers.
    pub(super) out: &'a mut dyn Write,
    /// Everything else.
    pub(super) err: &'a mut dyn Write,
    /// Whether answers may have colours.
    pub(super) colour: bool,
    /// Whether lines on `err` may be written over.
    pub(super) live: bool,
}

impl Console<'_> {
    /// Prints an answer.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Failure> {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| {
            if text.ends_with('\n') {
                Ok(())
            } else {
                self.out.write_all(b"\n")
            }
        });
        match written.and_then(|()| self.out.flush()) {
            // Who reads no further has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| Failure::new(Exit::Fault, format!("the answer cannot be written: {error}"))),
        }
    }

    /// Prints an answer for programs.
    pub(super) fn document(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(document)
            .map_err(|error| Failure::new(Exit::Fault, format!("the answer is no JSON: {error}")))?;
        self.say(&text)
    }

    /// Prints a table.
    pub(super) fn table(&mut self, mut table: Table) -> Result<(), Failure> {
        lay_out(&mut table);
        let lines: Vec<String> = table.lines().map(|line| self.painted(line.trim_end())).collect();
        self.say(&lines.join("\n"))
    }

    /// Prints a line for the one who watches.
    pub(super) fn note(&mut self, text: &str) {
        // Nobody is left to be told that nobody can be told.
        let _ = writeln!(self.err, "{text}");
    }

    /// Tells of a failure, and how to exit with it.
    pub(super) fn failure(&mut self, failure: &Failure) -> Exit {
        self.note(&format!("error: {}", failure.message));
        failure.exit
    }

    /// Tells what clap has to say: help and version are answers, anything else is not.
    pub(super) fn usage(&mut self, error: &clap::Error) -> Exit {
        let text = error.render();
        if error.use_stderr() {
            let text = if self.live {
                text.ansi().to_string()
            } else {
                text.to_string()
            };
            self.note(text.trim_end());
            Exit::Usage
        } else {
            let text = if self.colour {
                text.ansi().to_string()
            } else {
                text.to_string()
            };
            self.say(&text).map_or(Exit::Fault, |()| Exit::Done)
        }
    }

    /// A table's line with its first state in colour. A state stands alone in its cell, or begins it.
    fn painted(&self, line: &str) -> String {
        if !self.colour {
            return line.to_owned();
        }
        for (word, colour) in COLOURS {
            let found = line.match_indices(word).find(|(at, _)| {
                let (before, after) = (&line[..*at], &line[at + word.len()..]);
                (before.is_empty() || before.ends_with("  ")) && (after.is_empty() || after.starts_with(' '))
            });
            if let Some((at, _)) = found {
                let (before, after) = (&line[..at], &line[at + word.len()..]);
                return format!("{before}\u{1b}[{colour}m{word}\u{1b}[0m{after}");
            }
        }
        line.to_owned()
    }
}

/// Words that stand for a state, and the colour (of ANSI's) that goes with them.
const COLOURS: [(&str, u8); 18] = [
    ("HEALTHY", 32),
    ("DONE", 32),
    ("ok", 32),
    ("PRIMARY", 32),
    ("SECONDARY", 36),
    ("RUNNING", 36),
    ("STOPPING", 33),
    ("NEW", 36),
    ("warning", 33),
    ("NOT_IN_CLUSTER", 33),
    ("JOINING_CLUSTER", 33),
    ("LEAVING_CLUSTER", 33),
    ("RECOVERING", 33),
    ("UNKNOWN", 33),
    ("UNHEALTHY", 31),
    ("UNAVAILABLE", 31),
    ("FAILED", 31),
    ("bad", 31),
];

/// A table with a header.
pub(super) fn rows<const N: usize>(header: [&str; N]) -> Table {
    let mut table = empty();
    table.set_header(header);
    table
}

/// A table of names and values.
pub(super) fn pairs<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> Table {
    let mut table = empty();
    for (name, value) in rows {
        table.add_row([name.to_owned(), printable(&value)]);
    }
    table
}

/// The widest first column that is kept in one piece, so that an id can be copied.
const WHOLE: u16 = 48;

fn lay_out(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let first = table.column_max_content_widths().first().copied();
    if first.is_some_and(|width| width <= WHOLE)
        && let Some(first) = table.column_mut(0)
    {
        first.set_constraint(ColumnConstraint::ContentWidth);
    }
}

fn empty() -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    table
}

/// Text from elsewhere without the characters that would steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c })
        .collect()
}

/// A value, or a sign that there is none.
pub(super) fn or_dash(value: Option<&str>) -> String {
    value.map_or_else(|| "-".to_owned(), printable)
}

/// A time to the second.
pub(super) fn time(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..19)
        .map_or_else(|| text.clone(), |second| format!("{}Z", second.replace('T', " ")))
}

/// A time to the second, without its year, for lists.
pub(super) fn short_time(at: Timestamp) -> String {
    time(at).get(5..19).unwrap_or_default().to_owned()
}

/// What came of an action.
pub(super) fn error(error: &ErrorRecord) -> String {
    let ErrorRecord {
        code,
        message,
        retryable,
    } = error;
    let again = if *retryable { " (it may succeed later)" } else { "" };
    printable(&format!("{code}: {message}{again}"))
}

/// JSON on one line of at most so many characters.
pub(super) fn brief(json: &RawValue, most: usize) -> String {
    let one_line: String = json.get().split_whitespace().collect::<Vec<_>>().join(" ");
    let text = printable(&one_line);
    if text.chars().count() <= most {
        return text;
    }
    let mut cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

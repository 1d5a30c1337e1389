//! What was measured, as a table for people and as a document for programs.

use std::fmt::Write;
use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::rounds::{Rounds, Spread};

/// One figure beside its yardstick.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    /// The promise that it belongs to.
    pub(crate) promise: &'static str,
    what: &'static str,
    #[serde(rename = "figure")]
    measured: Measure,
    /// None where the target is absolute.
    yardstick: Option<Measure>,
    ratio: Option<f64>,
    /// How the ratios of single pairs are spread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pairs: Option<Spread>,
    target: Target,
    met: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Measure {
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<&'static str>,
}

/// What the ratio, or where there is no yardstick the figure, has to be.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    fn met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {least}"),
            Self::AtMost(most) => format!("≤ {most}"),
        }
    }
}

impl Figure {
    /// A figure with its yardstick, both in the same unit.
    pub(crate) fn beside(
        promise: &'static str,
        what: &'static str,
        unit: &'static str,
        yardstick: &'static str,
        rounds: &Rounds,
        target: Target,
    ) -> Self {
        let measure = |value, what| Measure { value, unit, what };
        let ratio = rounds.ratio();
        Self {
            promise,
            what,
            measured: measure(rounds.figure(), None),
            yardstick: Some(measure(rounds.yardstick(), Some(yardstick))),
            ratio: Some(ratio),
            pairs: Some(rounds.spread()),
            target,
            met: target.met(ratio),
            note: None,
        }
    }

    /// A figure with a target of its own.
    pub(crate) fn alone(
        promise: &'static str,
        what: &'static str,
        value: f64,
        unit: &'static str,
        target: Target,
    ) -> Self {
        Self {
            promise,
            what,
            measured: Measure {
                value,
                unit,
                what: None,
            },
            yardstick: None,
            ratio: None,
            pairs: None,
            target,
            met: target.met(value),
            note: None,
        }
    }

    /// The same, with what else has to be known of it.
    pub(crate) fn noting(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// Everything that was measured, and on what.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    figures: Vec<Figure>,
}

#[derive(Debug, Serialize)]
struct Machine {
    cores: usize,
    /// The file system that held the databases.
    file_system: String,
    sqlite: &'static str,
}

impl Report {
    pub(crate) fn new(directory: &Path, figures: Vec<Figure>) -> anyhow::Result<Self> {
        let machine = Machine {
            cores: std::thread::available_parallelism()?.get(),
            file_system: file_system(directory)?,
            sqlite: rusqlite::version(),
        };
        Ok(Self { machine, figures })
    }

    pub(crate) fn document(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(100)
            .set_header(["", "", "figure", "yardstick", "ratio", "target", "met"]);
        for figure in &self.figures {
            let ratio = figure
                .ratio
                .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            let yardstick = figure.yardstick.as_ref().map_or_else(|| "–".to_owned(), Measure::text);
            table.add_row([
                figure.promise.to_owned(),
                figure.what.to_owned(),
                figure.measured.text(),
                yardstick,
                ratio,
                figure.target.text(),
                if figure.met { "yes" } else { "NO" }.to_owned(),
            ]);
        }
        for column in 2..=4 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let Machine {
            cores,
            file_system,
            sqlite,
        } = &self.machine;
        let mut text = format!("{table}\n{cores} cores, databases on {file_system}, SQLite {sqlite}\n");
        for figure in &self.figures {
            let yardstick = figure.yardstick.as_ref().and_then(|yardstick| yardstick.what);
            let spread = figure.pairs.as_ref().map(Spread::text);
            for words in yardstick
                .into_iter()
                .chain(spread.as_deref())
                .chain(figure.note.as_deref())
            {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{} {}: {words}", figure.promise, figure.what);
            }
        }
        text
    }
}

impl Measure {
    fn text(&self) -> String {
        let digits = if self.value < 10.0 {
            2
        } else {
            usize::from(self.value < 100.0)
        };
        format!("{:.digits$} {}", self.value, self.unit)
    }
}

/// The type of the file system that a directory is on.
fn file_system(directory: &Path) -> anyhow::Result<String> {
    let directory = directory.canonicalize()?;
    let mounts = std::fs::read_to_string("/proc/self/mounts")?;
    let longest = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(place, _)| directory.starts_with(place))
        .max_by_key(|(place, _)| place.len());
    Ok(longest.map_or("an unknown file system", |(_, kind)| kind).to_owned())
}

//! How things stand, in words and numbers that all formats share.

use crate::verdict::{Judged, Outcome, Severity, Verdict};

/// What became of a check, in the order in which it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Broken.
    Broken,
    /// Broken, which a baseline accepts.
    Accepted,
    /// It could not be seen.
    NotRun,
    /// The run was not given what it takes.
    NotAsked,
    /// Held.
    Held,
    /// There is nothing that it speaks of.
    Idle,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Broken,
        Self::Accepted,
        Self::NotRun,
        Self::NotAsked,
        Self::Held,
        Self::Idle,
    ];

    /// Of a check.
    pub const fn of(judged: &Judged) -> Self {
        match (&judged.outcome, &judged.accepted) {
            (Outcome::Broken { .. }, None) => Self::Broken,
            (Outcome::Broken { .. }, Some(_)) => Self::Accepted,
            (Outcome::NotRun { .. }, _) => Self::NotRun,
            (Outcome::NotAsked { .. }, _) => Self::NotAsked,
            (Outcome::Held { .. }, _) => Self::Held,
            (Outcome::Idle { .. }, _) => Self::Idle,
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Accepted => "accepted",
            Self::NotRun => "not run",
            Self::NotAsked => "not asked for",
            Self::Held => "held",
            Self::Idle => "nothing to see",
        }
    }

    /// In one word, for programs.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Accepted => "accepted",
            Self::NotRun => "not-run",
            Self::NotAsked => "not-asked",
            Self::Held => "held",
            Self::Idle => "idle",
        }
    }
}

/// What a verdict rests on: what was not run is always told, what is nought besides is not.
pub fn tally(verdict: &Verdict) -> String {
    let mut parts = vec![format!("{} held", verdict.held)];
    let severities = [Severity::Must, Severity::Should, Severity::Wire];
    let broken: Vec<String> = std::iter::zip(verdict.broken, severities)
        .filter(|(number, _)| *number > 0)
        .map(|(number, severity)| format!("{number} {}", severity.name()))
        .collect();
    if !broken.is_empty() {
        parts.push(format!("broken: {}", broken.join(", ")));
    }
    if verdict.accepted > 0 {
        parts.push(format!("{} accepted", verdict.accepted));
    }
    parts.push(match verdict.not_run_must {
        0 => format!("{} not run", verdict.not_run),
        must => format!("{} not run ({must} MUST)", verdict.not_run),
    });
    if verdict.not_asked > 0 {
        parts.push(format!("{} not asked for", verdict.not_asked));
    }
    parts.join("; ")
}

/// Milliseconds as seconds, for people.
pub fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}

//! What an exit code means. It follows from the report alone.

use crate::report::{self, Baseline};
use crate::verdict::Report;

/// How the program ends. The numbers are a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every rule that counts was seen to hold, but for those that a baseline accepts.
    Conformant,
    /// A rule was seen broken, a recommendation included, or the baseline is not as things are.
    NotConformant,
    /// The command line, or a file that it names, makes no sense. Nothing was asked.
    Usage,
    /// An agent cannot be asked.
    Unreachable,
    /// A fault of the suite's own, which it is as well where the same run comes to another result.
    Fault,
    /// No rule was seen broken, and not all that count were looked at.
    Incomplete,
}

impl Exit {
    /// Its number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Conformant => 0,
            Self::NotConformant => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Fault => 4,
            Self::Incomplete => 5,
        }
    }

    /// What follows from a report.
    ///
    /// What was seen broken weighs more than what was not seen: a run that is cut short after a finding has found something.
    pub fn of(report: &Report) -> Self {
        let broken = |report: &Report| report.verdicts.iter().any(|verdict| verdict.broken != [0; 3]);
        let unseen = |report: &Report| {
            let mut verdicts = report.verdicts.iter();
            verdicts.any(|verdict| verdict.not_run > 0 || verdict.held + verdict.accepted == 0)
        };
        if !report.differences.is_empty() {
            Self::Fault
        } else if report.unreachable.is_some() {
            Self::Unreachable
        } else if broken(report) || !report.baseline_faults.is_empty() {
            Self::NotConformant
        } else if report.cut_short.is_some() || report.verdicts.is_empty() || unseen(report) {
            Self::Incomplete
        } else {
            Self::Conformant
        }
    }
}

impl Report {
    /// For a vendor's own test, with failures that are accepted for a time.
    ///
    /// # Panics
    ///
    /// With what failed, where the program would not end with 0.
    pub fn assert_accepted(mut self, baseline: &Baseline) {
        baseline.apply(&mut self);
        assert!(Exit::of(&self) == Exit::Conformant, "{}", report::text(&self, false));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::verdict::{BaselineFault, Outcome, Severity};

    #[test]
    fn a_code_follows_from_what_was_seen() {
        let of = |checks| Exit::of(&sample::report(checks));
        let (must, should) = (Severity::Must, Severity::Should);
        let held = || sample::judged("node.id", must, Outcome::Held { seen: 1 });
        let not_run = || {
            let reason = String::new();
            sample::judged("node.status", must, Outcome::NotRun { reason })
        };
        let broken = |severity| sample::judged("info.prompt", severity, sample::broken());
        assert_eq!(of(vec![held()]), Exit::Conformant);
        assert_eq!(of(vec![held(), broken(must)]), Exit::NotConformant);
        assert_eq!(
            of(vec![held(), broken(should)]),
            Exit::NotConformant,
            "it ran, and failed"
        );
        assert_eq!(of(vec![held(), not_run()]), Exit::Incomplete);
        assert_eq!(of(vec![held(), not_run(), broken(should)]), Exit::NotConformant);
        assert_eq!(of(Vec::new()), Exit::Incomplete, "nothing ran");
        let accepted = sample::accepted(broken(must));
        assert_eq!(of(vec![held(), accepted.clone()]), Exit::Conformant);
        assert_eq!(of(vec![held(), accepted, not_run()]), Exit::Incomplete);

        let mut report = sample::report(vec![held()]);
        report.cut_short = Some("Ctrl-C".to_owned());
        assert_eq!(Exit::of(&report), Exit::Incomplete);
        report.baseline_faults.push(BaselineFault {
            entry: String::new(),
            fault: String::new(),
        });
        assert_eq!(Exit::of(&report), Exit::NotConformant);
        let mut report = sample::report(vec![held()]);
        report.verdicts.clear();
        assert_eq!(Exit::of(&report), Exit::Incomplete, "no dialect was looked at");
        assert_eq!(Exit::of(&sample::unreachable()), Exit::Unreachable);
        let mut report = sample::report(vec![held(), broken(must)]);
        report.differences.push(String::new());
        assert_eq!(Exit::of(&report), Exit::Fault, "which of the two results counts?");
    }
}

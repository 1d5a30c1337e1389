//! Failures that are known, and accepted for a time.
//!
//! A baseline never makes a verdict better than it is: what it accepts is broken all the same, counted and shown as accepted.
//! It only lets a run pass, and only as long as each of its entries is needed and has not expired.

use chrono::NaiveDate;
use serde::Deserialize;
use thiserror::Error;

use super::nearest::nearest;
use crate::check;
use crate::dialect::Dialect;
use crate::verdict::{Accepted, BaselineFault, Judged, Outcome, Report, Verdict};

/// What is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    entries: Vec<Entry>,
}

/// As it is written down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    accepted: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    check: String,
    dialect: Option<Dialect>,
    reason: String,
    expires: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// The check's id.
    check: String,
    /// Both where none is named.
    dialect: Option<Dialect>,
    /// Why.
    reason: String,
    /// The last day on which it is accepted, in UTC.
    expires: NaiveDate,
}

/// Why a text is no baseline.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BaselineError {
    /// It does not have the form.
    #[error("{0}")]
    Malformed(String),
    /// Entries that can mean nothing, each named.
    #[error("{}", .0.join("; "))]
    Entries(Vec<String>),
}

impl Entry {
    fn covers(&self, judged: &Judged) -> bool {
        self.check == judged.id && self.dialect.is_none_or(|dialect| dialect == judged.dialect)
    }

    fn name(&self) -> String {
        match self.dialect {
            Some(dialect) => format!("{} of {dialect}", self.check),
            None => self.check.clone(),
        }
    }

    /// Why it is not needed, as far as one of its checks shows.
    fn needless(&self, report: &Report) -> String {
        let mut covered = report.checks.iter().filter(|judged| self.covers(judged));
        match covered.next().map(|judged| &judged.outcome) {
            None => "it is not needed: the check is not part of this run".to_owned(),
            Some(Outcome::NotRun { reason } | Outcome::NotAsked { reason }) => {
                format!("it is not needed: the check was not run: {reason}")
            }
            Some(_) => "it is not needed: the check holds".to_owned(),
        }
    }
}

impl Baseline {
    /// Reads YAML, or the JSON that is YAML too.
    ///
    /// **Errors**: where it does not have the form, names a check that does not exist, or not in that dialect, gives no reason,
    /// no day, or says the same twice.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_depth: 16, max_nodes: 20_000, max_aliases: 100 },
            with_snippet: false,
        };
        let document: Document = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| BaselineError::Malformed(error.without_snippet().to_string()))?;
        let (mut entries, mut faults) = (Vec::<Entry>::new(), Vec::new());
        for written in document.accepted {
            let Written {
                check,
                dialect,
                reason,
                expires,
            } = written;
            let day = NaiveDate::parse_from_str(&expires, "%Y-%m-%d");
            let entry = Entry {
                check,
                dialect,
                reason,
                expires: day.unwrap_or_default(),
            };
            if day.is_err() {
                let name = entry.name();
                faults.push(format!(
                    "{name} expires {expires:?}, which is no day: right is YYYY-MM-DD"
                ));
            }
            match (check::find(&entry.check), entry.dialect) {
                (None, _) => {
                    let near = nearest(&entry.check).join(", ");
                    faults.push(format!("there is no check {:?}; near are {near}", entry.check));
                }
                (Some(check), Some(dialect)) if !check.dialects.contains(&dialect) => {
                    faults.push(format!("there is no {}", entry.name()));
                }
                _ => {}
            }
            if entry.reason.trim().is_empty() {
                faults.push(format!("{} has no reason", entry.name()));
            }
            let same = |other: &Entry| {
                let apart = other.dialect.is_some() && entry.dialect.is_some() && other.dialect != entry.dialect;
                other.check == entry.check && !apart
            };
            if entries.iter().any(same) {
                faults.push(format!("{} is there twice", entry.name()));
            }
            entries.push(entry);
        }
        if faults.is_empty() {
            Ok(Self { entries })
        } else {
            Err(BaselineError::Entries(faults))
        }
    }

    /// Marks what is accepted, draws the verdicts anew, and tells which entries are not as things are today.
    pub fn apply(&self, report: &mut Report) {
        self.apply_on(report, today());
    }

    fn apply_on(&self, report: &mut Report, today: NaiveDate) {
        for entry in &self.entries {
            let mut needed = false;
            for judged in &mut report.checks {
                if entry.covers(judged) && matches!(judged.outcome, Outcome::Broken { .. }) {
                    needed = true;
                    if entry.expires >= today {
                        judged.accepted = Some(Accepted {
                            reason: entry.reason.clone(),
                            expires: entry.expires.to_string(),
                        });
                    }
                }
            }
            let fault = if entry.expires < today {
                format!("it has expired: its last day was {}", entry.expires)
            } else if needed || report.cut_short.is_some() {
                // What a run that was cut short did not see broken may be so all the same.
                continue;
            } else {
                entry.needless(report)
            };
            report.baseline_faults.push(BaselineFault {
                entry: entry.name(),
                fault,
            });
        }
        for verdict in &mut report.verdicts {
            *verdict = Verdict::of(verdict.dialect, verdict.level, &report.checks);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether an entry has expired is a matter of the day on which one looks"
)]
fn today() -> NaiveDate {
    chrono::Utc::now().date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::verdict::{Conclusion, Severity};

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, 31).unwrap()
    }

    fn entry(check: &str, expires: &str) -> String {
        format!("  - check: {check}\n    reason: known\n    expires: {expires}\n")
    }

    fn applied(entries: &str) -> Report {
        let held = Outcome::Held { seen: 1 };
        let not_run = Outcome::NotRun {
            reason: "no answer".to_owned(),
        };
        let mut report = sample::report(vec![
            sample::judged("node.id", Severity::Must, sample::broken()),
            sample::judged("info.prompt", Severity::Must, held),
            sample::judged("node.status", Severity::Must, not_run),
        ]);
        let baseline = Baseline::parse(&format!("accepted:\n{entries}")).unwrap();
        baseline.apply_on(&mut report, today());
        report
    }

    fn faults(report: &Report) -> Vec<String> {
        let told = report.baseline_faults.iter();
        told.map(|fault| format!("{}: {}", fault.entry, fault.fault)).collect()
    }

    #[test]
    fn what_is_accepted_is_no_longer_broken_and_never_conformant() {
        let report = applied(&entry("node.id", "2026-03-31"));
        assert!(faults(&report).is_empty(), "its last day counts");
        assert_eq!(report.verdicts[0].broken, [0; 3]);
        assert_eq!(report.verdicts[0].accepted, 1);
        assert_eq!(report.verdicts[0].conclusion, Conclusion::Partial);
        let Accepted { reason, expires } = report.checks[0].accepted.as_ref().unwrap();
        assert_eq!((reason.as_str(), expires.as_str()), ("known", "2026-03-31"));
    }

    #[test]
    fn an_expired_entry_accepts_nothing_and_is_named() {
        let report = applied(&entry("node.id", "2026-03-30"));
        assert_eq!(report.verdicts[0].conclusion, Conclusion::NotConformant);
        assert_eq!(
            faults(&report),
            ["node.id: it has expired: its last day was 2026-03-30"]
        );
    }

    #[test]
    fn a_needless_entry_is_named_with_the_reason() {
        let entries = [
            entry("info.prompt", "2027-01-01"),
            entry("node.status", "2027-01-01"),
            entry("node.agent_version", "2027-01-01"),
            entry("node.id", "2027-01-01").replace("node.id", "node.id\n    dialect: unstable"),
        ];
        assert_eq!(
            faults(&applied(&entries.concat())),
            [
                "info.prompt: it is not needed: the check holds",
                "node.status: it is not needed: the check was not run: no answer",
                "node.agent_version: it is not needed: the check is not part of this run",
                "node.id of unstable: it is not needed: the check is not part of this run",
            ]
        );
    }

    #[test]
    fn a_run_that_was_cut_short_calls_no_entry_needless() {
        let entries = [entry("info.prompt", "2027-01-01"), entry("node.status", "2026-01-01")];
        let mut report = applied("  []");
        report.cut_short = Some("Ctrl-C".to_owned());
        let baseline = Baseline::parse(&format!("accepted:\n{}", entries.concat())).unwrap();
        baseline.apply_on(&mut report, today());
        assert_eq!(
            faults(&report),
            ["node.status: it has expired: its last day was 2026-01-01"]
        );
    }

    #[test]
    fn json_is_read_as_well() {
        let text =
            r#"{"accepted": [{"check": "node.id", "dialect": "v1", "reason": "known", "expires": "2026-12-31"}]}"#;
        assert_eq!(Baseline::parse(text).unwrap().entries[0].name(), "node.id of v1");
        assert!(Baseline::parse("accepted: []").unwrap().entries.is_empty());
    }

    #[test]
    fn what_can_mean_nothing_is_named() {
        let ok = entry("node.id", "2026-12-31");
        for (entries, fault) in [
            (
                entry("node.idd", "2026-12-31"),
                "there is no check \"node.idd\"; near are node.id",
            ),
            (ok.replace("known", "' '"), "node.id has no reason"),
            (ok.replace("    reason: known\n", ""), "reason"),
            (ok.replace("    expires: 2026-12-31\n", ""), "expires"),
            (
                ok.replace("2026-12-31", "soon"),
                "node.id expires \"soon\", which is no day",
            ),
            (
                ok.replace("node.id", "wire.bad_cursor\n    dialect: unstable"),
                "there is no wire.bad_cursor of unstable",
            ),
            (format!("{ok}    until: never\n"), "until"),
            (
                format!("{ok}{}", ok.replace("node.id", "node.id\n    dialect: v1")),
                "node.id of v1 is there twice",
            ),
        ] {
            let error = Baseline::parse(&format!("accepted:\n{entries}"))
                .unwrap_err()
                .to_string();
            assert!(error.contains(fault), "{entries}: {error}");
        }
        assert!(Baseline::parse("").is_err());
    }
}

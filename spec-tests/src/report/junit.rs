//! For CI systems: `JUnit` XML, one test suite for each dialect, one test case for each check.
//!
//! A system that looks at nothing else has to come to the same conclusion as the exit code: what is broken is a failure;
//! a run that was cut short, looked at nothing, could ask nobody or came to another result the next time is an error in a test
//! suite `run`; an entry of the baseline that does not do what it was written for is a failure of a test suite `baseline`.
//! What was not run is skipped, with its reason, and so is what is accepted, and a dialect that was not looked at.

use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use quick_junit::{NonSuccessKind, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::tally::tally;
use super::visible::visible;
use crate::dialect::Dialect;
use crate::verdict::{Accepted, Finding, Judged, Outcome, Report, Unseen};

/// The report as `JUnit` XML.
///
/// **Errors**: none that is known of; it is written to memory.
pub fn junit(report: &Report) -> Result<String, SerializeError> {
    let took = Duration::from_millis(report.took_ms);
    let began = DateTime::parse_from_rfc3339(&report.began).ok();
    let mut document = quick_junit::Report::new("spec-tests");
    document.set_time(took);
    if let Some(began) = began {
        document.set_timestamp(began);
    }
    for dialect in Dialect::ALL {
        if report.verdicts.iter().any(|verdict| verdict.dialect == dialect) {
            document.add_test_suite(of_dialect(report, dialect, began));
        }
    }
    if !report.baseline_faults.is_empty() {
        document.add_test_suite(of_baseline(report));
    }
    let run = of_run(report);
    if run.tests > 0 {
        document.add_test_suite(run);
    }
    document.to_string()
}

/// What is said of the run, and of no check.
fn of_run(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new("run");
    let error = |kind: &str, message: &str| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(visible(message)).set_type(kind);
        status
    };
    if let Some(reason) = &report.unreachable {
        suite.add_test_case(case("run", "the agents", error("unreachable", reason)));
    } else if let Some(reason) = incomplete(report) {
        suite.add_test_case(case("run", "the whole run", error("incomplete", &reason)));
    }
    for (number, difference) in report.differences.iter().enumerate() {
        let name = format!("the same result each time, {}", number + 1);
        suite.add_test_case(case("run", &name, error("difference", difference)));
    }
    for Unseen {
        dialect,
        agents,
        reason,
    } in &report.unseen
    {
        let mut status = TestCaseStatus::skipped();
        status.set_message(visible(&format!("not looked at: {reason}")));
        for agent in agents {
            let name = format!("{dialect} at {agent}");
            suite.add_test_case(case("run", &name, status.clone()));
        }
    }
    suite
}

/// Why not everything that counts was looked at, as far as the skipped test cases do not say it.
fn incomplete(report: &Report) -> Option<String> {
    match &report.cut_short {
        Some(reason) => Some(format!("cut short, ended by {reason}")),
        None if report.verdicts.is_empty() => Some("nothing was looked at".to_owned()),
        None => {
            let not_run = report.verdicts.iter().map(|verdict| verdict.not_run).max();
            let number = not_run.filter(|number| *number > 0)?;
            Some(format!(
                "{number} checks that count could not be run; see those that were skipped"
            ))
        }
    }
}

fn case(class: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(visible(name), status);
    case.set_classname(class);
    case
}

fn of_dialect(report: &Report, dialect: Dialect, began: Option<DateTime<FixedOffset>>) -> TestSuite {
    let mut suite = TestSuite::new(dialect.name());
    if let Some(began) = began {
        suite.set_timestamp(began);
    }
    suite.add_property(("suite", report.suite));
    for agent in &report.agents {
        suite.add_property(("agent", &*visible(agent)));
    }
    for verdict in report.verdicts.iter().filter(|verdict| verdict.dialect == dialect) {
        let words = format!("{}: {}", verdict.conclusion.words(), tally(verdict));
        suite.add_property((format!("verdict.{}", verdict.level).as_str(), words.as_str()));
    }
    for judged in report.checks.iter().filter(|judged| judged.dialect == dialect) {
        suite.add_test_case(of_check(judged));
    }
    suite
}

fn of_check(judged: &Judged) -> TestCase {
    let Judged {
        id,
        rule,
        severity,
        level,
        dialect,
        places,
        reference: _,
        outcome,
        accepted,
    } = judged;
    let skipped = |message: &str| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(visible(message));
        status
    };
    let status = match (outcome, accepted) {
        (Outcome::Held { .. } | Outcome::Idle { .. }, _) => TestCaseStatus::success(),
        (Outcome::NotRun { reason }, _) => skipped(&format!("not run: {reason}")),
        (Outcome::NotAsked { reason }, _) => skipped(&format!("not asked for: {reason}")),
        (Outcome::Broken { findings }, Some(Accepted { reason, expires })) => {
            let mut status = skipped(&format!("broken, and accepted until {expires}: {reason}"));
            status.set_description(description(judged, findings));
            status
        }
        (Outcome::Broken { findings }, None) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(visible(rule)).set_type(severity.name());
            status.set_description(description(judged, findings));
            status
        }
    };
    let mut case = case(&format!("spec-tests.{dialect}"), id, status);
    case.add_property(("severity", severity.name()));
    case.add_property(("level", level.name()));
    for place in places {
        case.add_property(("specification", &*visible(place)));
    }
    case
}

/// Everything that explains a failure, line by line.
fn description(judged: &Judged, findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut line = |label: &str, words: &str| {
        // A string takes whatever is written to it.
        let _: std::fmt::Result = writeln!(text, "{label:<14} {}", visible(words));
    };
    line("rule:", judged.rule);
    for place in &judged.places {
        line("specification:", place);
    }
    line("right answer:", judged.reference);
    for Finding {
        agent,
        expected,
        got,
        curl,
    } in findings
    {
        line("agent:", agent);
        line("expected:", expected);
        line("came:", got);
        for curl in curl {
            line("see it:", curl);
        }
    }
    text
}

fn of_baseline(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new("baseline");
    for fault in &report.baseline_faults {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(visible(&fault.fault)).set_type("baseline");
        suite.add_test_case(case("spec-tests.baseline", &fault.entry, status));
    }
    suite
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn read(report: &Report) -> quick_junit::Report {
        quick_junit::Report::deserialize_from_str(&junit(report).unwrap()).unwrap()
    }

    #[test]
    fn each_dialect_is_a_suite_and_each_check_a_case() {
        let document = read(&sample::every());
        let names: Vec<_> = document.test_suites.iter().map(|suite| suite.name.as_str()).collect();
        assert_eq!(names, ["v1", "baseline", "run"]);
        let v1 = &document.test_suites[0];
        assert_eq!((v1.tests, v1.failures, v1.errors, v1.skipped), (6, 1, 0, 3));
        assert_eq!(document.test_suites[1].failures, 1);
        let run = &document.test_suites[2];
        assert_eq!((run.tests, run.errors, run.skipped), (3, 2, 1));
        let text = junit(&sample::every()).unwrap();
        for told in [
            "until 2026-12-31: mended in 2.1",
            "expected:      one of the seven",
            "curl -i",
            "not run: GET /api/v1/info/store has no good answer",
            "cut short, ended by Ctrl-C",
            "unstable at http://127.0.0.1:8000",
            "held, then broken",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
    }

    #[test]
    fn a_run_in_which_all_hold_is_green() {
        let report = sample::report(vec![sample::judged(
            "node.id",
            crate::verdict::Severity::Must,
            Outcome::Held { seen: 1 },
        )]);
        let document = read(&report);
        assert_eq!((document.tests, document.failures, document.errors), (1, 0, 0));
    }

    #[test]
    fn a_run_that_came_to_nothing_is_an_error() {
        assert_eq!(read(&sample::unreachable()).errors, 1);
        assert!(junit(&sample::unreachable()).unwrap().contains("no connection"));
    }

    #[test]
    fn a_run_that_looked_at_nothing_is_an_error() {
        let mut report = sample::report(Vec::new());
        report.verdicts.clear();
        assert_eq!(read(&report).errors, 1);
    }

    #[test]
    fn whatever_an_agent_says_it_stays_text() {
        let text = junit(&sample::hostile()).unwrap();
        assert!(!text.contains("<script>") && !text.contains("]]>"), "{text}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        let document = read(&sample::hostile());
        assert_eq!(document.test_suites[0].tests, 5, "it is read as it was written");
    }
}

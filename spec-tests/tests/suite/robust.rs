//! Whatever listens at an agent's address, a run ends in time, with a finding or with the reason why there is none.

use std::time::Duration;

use spec_tests::dialect::Dialect;
use spec_tests::suite::SuiteError;
use spec_tests::verdict::{Conclusion, Level, Report};
use spec_tests::{Settings, Suite};

use crate::mutant::hostile::{Hostility, Server};
use crate::mutant::{Agent, Options, front};

fn run(addresses: &[&str], settings: Settings) -> Result<Report, SuiteError> {
    let agents = addresses.iter().map(|address| address.parse().unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(Suite::new(agents, settings).run(|_| {}, std::future::pending()))
}

/// With so little patience that a run over who never answers is short.
fn impatient(level: Level) -> Settings {
    Settings {
        level,
        timeout: Duration::from_millis(300),
        ..Settings::default()
    }
}

fn worst(report: &Report) -> Option<Conclusion> {
    report.verdicts.iter().map(|verdict| verdict.conclusion).max()
}

fn of(report: &Report, dialect: Dialect) -> Conclusion {
    let mut verdicts = report.verdicts.iter();
    verdicts.find(|verdict| verdict.dialect == dialect).unwrap().conclusion
}

#[test]
fn a_server_that_is_no_agent_is_told_in_time() {
    std::thread::scope(|scope| {
        for hostility in Hostility::ALL {
            scope.spawn(move || {
                let server = Server::start(hostility);
                let found = run(&[&server.address], impatient(Level::Read));
                match hostility {
                    Hostility::RedirectsInCircles => {
                        assert!(matches!(found, Err(SuiteError::NoDialect { .. })), "{found:?}");
                    }
                    // What is read whole, and means nothing, is judged.
                    Hostility::GarbageBody | Hostility::DeepBody => {
                        let report = found.unwrap();
                        assert_eq!(worst(&report), Some(Conclusion::NotConformant), "{hostility:?}");
                        return;
                    }
                    _ => {
                        let is_told = matches!(found, Err(SuiteError::Unreachable { .. }));
                        assert!(is_told, "{hostility:?}: {found:?}");
                    }
                }
                // Each dialect is asked for once, so it takes twice the time of one answer.
                assert_eq!(server.asked(), 2, "{hostility:?}");
            });
        }
    });
}

#[test]
fn an_agent_that_dies_on_the_way_is_never_conformant() {
    for questions in [1, 3, 10, 40] {
        let agent = Agent::start(Options {
            dies_after: Some(questions),
            ..Options::default()
        });
        let report = run(&[&agent.address], impatient(Level::Actions)).unwrap();
        assert!(!report.is_conformant(), "after {questions}");
        for dialect in Dialect::ALL {
            // What it said before may have been right, and all; the other dialect was not seen whole.
            let found = of(&report, dialect);
            assert_ne!(found, Conclusion::Conformant, "{dialect} after {questions}");
        }
    }
}

#[test]
fn a_dialect_that_is_broken_is_not_taken_for_one_that_is_missing() {
    for (hostility, patience) in [
        (Hostility::Hangs, 100),
        (Hostility::BadChunks, 5000),
        (Hostility::ClosesAfterQuestion, 5000),
    ] {
        let agent = Agent::right();
        let front = front::hostile_under(&agent.address, "/api/unstable", hostility);
        let settings = Settings {
            timeout: Duration::from_millis(patience),
            ..Settings::default()
        };
        let report = run(&[&front.address], settings).unwrap();
        assert_eq!(
            of(&report, Dialect::Unstable),
            Conclusion::NotConformant,
            "{hostility:?}"
        );
        assert!(report.unseen.is_empty());
    }
}

#[test]
fn a_dialect_that_is_missing_is_told() {
    let agent = Agent::start(Options {
        unstable: false,
        ..Options::default()
    });
    let report = run(&[&agent.address], Settings::default()).unwrap();
    assert!(report.is_conformant(), "{}", spec_tests::report::text(&report, false));
    assert_eq!(report.unseen.len(), 1);
    assert_eq!(report.unseen[0].dialect, Dialect::Unstable);
    assert!(report.unseen[0].reason.contains("404"), "{:?}", report.unseen);
}

#[test]
fn a_dialect_that_some_agents_of_a_cluster_lack_is_not_run_and_they_are_named() {
    let first = Options::default();
    let other = Options {
        unstable: false,
        ..first.peer("node-2")
    };
    let agents = [first, other].map(Agent::start);
    let addresses = agents.each_ref().map(|agent| agent.address.as_str());
    let report = run(&addresses, Settings::default()).unwrap();
    assert_eq!(of(&report, Dialect::V1), Conclusion::Conformant);
    assert_eq!(of(&report, Dialect::Unstable), Conclusion::Partial);
    assert_eq!(report.unseen[0].agents, [addresses[1]]);
    let text = spec_tests::report::text(&report, false);
    assert!(text.contains("not all agents have unstable"), "{text}");
}

#[test]
fn an_agent_behind_what_informs_before_it_answers_is_conformant() {
    let agent = Agent::right();
    let front = front::informing(&agent.address);
    let report = run(&[&front.address], Settings::default()).unwrap();
    assert!(report.is_conformant(), "{}", spec_tests::report::text(&report, false));
}

//! Whatever listens at an agent's address, a run ends in time, with a finding or with the reason why there is none.

use std::time::{Duration, Instant};

use spec_tests::suite::SuiteError;
use spec_tests::verdict::{Conclusion, Level};
use spec_tests::{Settings, Suite};

use crate::mutant::hostile::{Hostility, Server};
use crate::mutant::{Agent, Options};

fn run(address: &str, level: Level) -> Result<Conclusion, SuiteError> {
    let settings = Settings {
        level,
        timeout: Duration::from_millis(300),
        deadline: Duration::from_secs(20),
        ..Settings::default()
    };
    let suite = Suite::new(vec![address.parse().unwrap()], settings);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let report = runtime.block_on(suite.run(|_| {}, std::future::pending()))?;
    Ok(report
        .verdicts
        .iter()
        .map(|verdict| verdict.conclusion)
        .max()
        .unwrap_or(Conclusion::Partial))
}

#[test]
fn a_server_that_is_no_agent_is_told_in_time() {
    std::thread::scope(|scope| {
        for hostility in Hostility::ALL {
            scope.spawn(move || {
                let server = Server::start(hostility);
                let began = Instant::now();
                match run(&server.address, Level::Read) {
                    Err(SuiteError::Unreachable { .. } | SuiteError::NoDialect { .. })
                    | Ok(Conclusion::NotConformant) => {}
                    other => panic!("{hostility:?}: {other:?}"),
                }
                assert!(
                    began.elapsed() < Duration::from_secs(30),
                    "{hostility:?}: {:?}",
                    began.elapsed()
                );
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
        let found = run(&agent.address, Level::Actions);
        assert!(
            !matches!(found, Ok(Conclusion::Conformant)),
            "after {questions}: {found:?}"
        );
    }
}

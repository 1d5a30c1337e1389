//! A run leaves nothing worse than it was, however it ends.

use std::path::Path;
use std::process::Command;

use spec_tests::dialect::Dialect;
use spec_tests::gather::Crash;
use spec_tests::suite::SuiteError;
use spec_tests::verdict::{Level, Outcome, Report};
use spec_tests::{Settings, Suite};

use crate::mutant::{Agent, Options};

fn run(agent: &Agent, settings: Settings, cut: impl Future<Output = String>) -> Result<Report, SuiteError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let suite = Suite::new(vec![agent.address.parse().unwrap()], settings);
    runtime.block_on(suite.run(|_| {}, cut))
}

/// Level `stress` of `v1`, with this in place of what kills; what starts again makes a file.
fn crashes(kill: String, folder: &Path) -> Settings {
    Settings {
        level: Level::Stress,
        dialects: vec![Dialect::V1],
        crash: Some(Crash {
            kill,
            restart: format!(": > '{}'", folder.join("restarted").display()),
        }),
        ..Settings::default()
    }
}

fn agent() -> Agent {
    Agent::start(Options {
        max_queued: 50,
        ..Options::default()
    })
}

#[test]
fn an_agent_that_could_not_be_killed_is_started_again() {
    let (agent, folder) = (agent(), tempfile::tempdir().unwrap());
    let settings = crashes("exit 3".to_owned(), folder.path());
    let report = run(&agent, settings, std::future::pending()).unwrap();
    assert!(folder.path().join("restarted").exists());
    let crash = report
        .checks
        .iter()
        .find(|judged| judged.id == "crash.durable")
        .unwrap();
    let told = format!("{:?}", crash.outcome);
    assert!(
        told.contains("the kill command") && told.contains("exit status: 3"),
        "{told}"
    );
}

#[test]
fn an_agent_that_was_killed_is_started_again_when_the_run_is_cut_short() {
    let (agent, folder) = (agent(), tempfile::tempdir().unwrap());
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Says that it has begun, goes on once that was heard, and takes longer than a run that is cut short does otherwise.
    let settings = crashes(format!(": > '{}'; sleep 6", pipe.display()), folder.path());
    let cut = async {
        tokio::task::spawn_blocking(|| std::fs::read(pipe))
            .await
            .unwrap()
            .unwrap();
        "a test".to_owned()
    };
    let report = run(&agent, settings, cut).unwrap();
    assert_eq!(report.cut_short.as_deref(), Some("a test"));
    let node = report.checks.iter().find(|judged| judged.id == "node.id").unwrap();
    assert!(matches!(node.outcome, Outcome::Held { .. }), "what was told is judged");
    assert!(folder.path().join("restarted").exists());
}

#[test]
fn a_node_that_is_there_is_not_removed() {
    for absent in ["node-1", "node-1:7001"] {
        let agent = Agent::right();
        let settings = Settings {
            level: Level::Actions,
            absent_node: Some(absent.to_owned()),
            ..Settings::default()
        };
        let fault = run(&agent, settings, std::future::pending()).unwrap_err();
        assert!(matches!(fault, SuiteError::PresentNode { .. }), "{fault}");
        assert!(agent.look(|book| book.actions.is_empty()));
    }
}

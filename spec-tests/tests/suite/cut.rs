//! A run that is cut short accuses nobody: what was not asked is not judged.

use std::time::Duration;

use spec_tests::gather::Crash;
use spec_tests::verdict::{Level, Outcome};
use spec_tests::{Settings, Suite};

use crate::mutant::child::Child;

#[test]
fn wherever_a_run_is_cut_the_right_agent_has_broken_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // Each half as long again as the one before, so that every phase is cut.
    let cuts = std::iter::successors(Some(Duration::from_millis(20)), |cut| Some(*cut * 3 / 2));
    for cut in cuts.take_while(|cut| *cut < Duration::from_secs(12)) {
        let child = Child::start(&[]);
        let settings = Settings {
            level: Level::Stress,
            absent_node: Some("no-such-node".to_owned()),
            crash: Some(Crash {
                kill: child.kill_command(),
                restart: child.restart_command(),
            }),
            deadline: cut,
            ..Settings::default()
        };
        let suite = Suite::new(vec![child.address.parse().unwrap()], settings);
        let report = runtime.block_on(suite.run(|_| {}, std::future::pending())).unwrap();
        let broken = |outcome: &Outcome| matches!(outcome, Outcome::Broken { .. });
        let accused = report.checks.iter().any(|judged| broken(&judged.outcome));
        assert!(!accused, "after {cut:?}:\n{}", spec_tests::report::text(&report, false));
    }
}

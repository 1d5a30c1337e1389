//! The suite that judges any agent, with an agent that it may kill.

use std::net::TcpListener;
use std::time::Duration;

use libtest_mimic::Failed;
use rustix::process::{Pid, Signal, kill_process};
use spec_tests::client::Credentials;
use spec_tests::verdict::{Level, Outcome};
use spec_tests::{Settings, Suite};

use crate::process::Place;

/// Ends the agent that was started last.
struct Last<'a>(&'a Place);

impl Drop for Last<'_> {
    fn drop(&mut self) {
        if let Some(pid) = self.0.left_running().and_then(Pid::from_raw) {
            // It may have gone.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// What was acknowledged survives, what ran goes on, and what waited keeps its order: seen from outside, in both dialects.
pub fn survives_by_the_suite() -> Result<(), Failed> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let place = Place::listening_on(port);
    let last = Last(&place);
    let first = place.start();
    std::fs::write(place.pid_file(), first.process().to_string())?;
    let (kill, restart) = place.commands();
    let settings = Settings {
        level: Level::Stress,
        credentials: Credentials::default().with_token(&place.token()),
        crash: Some(spec_tests::gather::Crash { kill, restart }),
        timeout: Duration::from_secs(20),
        ..Settings::default()
    };
    let suite = Suite::new(vec![format!("http://127.0.0.1:{port}").parse()?], settings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(suite.run(|_| {}, std::future::pending()))?;
    // Its store has no shard, so some rules have nothing to be seen by.
    let broken = |judged: &&spec_tests::verdict::Judged| matches!(judged.outcome, Outcome::Broken { .. });
    assert!(
        !report.checks.iter().any(|judged| broken(&judged)),
        "{}",
        spec_tests::report::text(&report, false)
    );
    let crashes = report.checks.iter().filter(|judged| judged.id.starts_with("crash."));
    let held = crashes
        .filter(|judged| matches!(judged.outcome, Outcome::Held { .. }))
        .count();
    assert_eq!(held, 10, "five rules in two dialects");
    drop((last, first));
    Ok(())
}

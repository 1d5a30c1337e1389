//! Known failures, accepted for a time.

use std::fs;

use crate::agent::{Agent, node};
use crate::program::{Ended, run};

const NEVER: &str = "9999-12-31";
const OVER: &str = "2020-02-29";

fn entry(check: &str, expires: &str) -> String {
    format!("  - check: {check}\n    reason: mended in release 2.1\n    expires: {expires}\n")
}

/// Over an agent whose status is none.
fn with(entries: &[String]) -> Ended {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("baseline.yaml");
    fs::write(&path, format!("accepted:\n{}", entries.concat())).unwrap();
    let agent = Agent::but("info/node", node("WELL"));
    run(&agent.url, &["--baseline", path.to_str().unwrap()])
}

#[test]
fn what_is_accepted_lets_the_run_pass_and_is_shown() {
    // An agent whose PUT is answered as its GET breaks another rule, which is accepted too.
    let ended = with(&[entry("node.status", NEVER), entry("wire.wrong_method", NEVER)]);
    assert_eq!(ended.code, 0, "{}", ended.all());
    assert!(ended.out.contains("accepted  v1  node.status"), "{}", ended.out);
    assert!(
        ended.out.contains("until 9999-12-31: mended in release 2.1"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("partial") && ended.out.contains("2 accepted"),
        "{}",
        ended.out
    );
}

#[test]
fn what_is_not_accepted_stays_broken() {
    let ended = with(&[entry("node.status", NEVER)]);
    assert_eq!(ended.code, 1, "{}", ended.all());
    assert!(ended.out.contains("broken  v1  wire.wrong_method"), "{}", ended.out);
}

#[test]
fn expired_and_needless_entries_fail_the_run_and_are_named() {
    let ended = with(&[
        entry("node.status", OVER),
        entry("wire.wrong_method", NEVER),
        entry("node.id", NEVER),
        entry("cluster.id", NEVER),
    ]);
    assert_eq!(ended.code, 1, "{}", ended.all());
    for told in [
        "it has expired: its last day was 2020-02-29",
        "baseline  node.id\n    it is not needed: the check holds",
        "baseline  cluster.id\n    it is not needed: the check was not run: it takes more than one agent",
    ] {
        assert!(ended.out.contains(told), "{told}: {}", ended.out);
    }
}

#[test]
fn entries_that_can_mean_nothing_are_usage() {
    let ended = with(&[entry("node.sttus", NEVER), entry("node.idd", NEVER)]);
    assert_eq!(ended.code, 2, "{}", ended.all());
    assert!(
        ended.err.contains("node.sttus") && ended.err.contains("node.idd"),
        "{}",
        ended.err
    );
}

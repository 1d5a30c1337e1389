//! The same agent, the same result, however often it is asked.

use std::process::Command;

use crate::mutant::Agent;

/// Runs the program over a right agent so often.
fn repeated(level: &str, times: &str) {
    let agent = Agent::right();
    let ended = Command::new(env!("CARGO_BIN_EXE_spec-tests"))
        .args(["run", &agent.address, "--level", level, "--repeat", times])
        .env_remove("SPEC_TESTS_TOKEN")
        .output()
        .unwrap();
    let said = String::from_utf8([ended.stderr, ended.stdout].concat()).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.contains(&format!("run {times} of {times}")), "{said}");
}

#[test]
fn looking_twenty_times_is_looking_once() {
    repeated("read", "20");
}

/// An agent that has run the actions of earlier runs is another one than before; that it is in no verdict.
#[test]
fn acting_again_comes_to_the_same() {
    repeated("actions", "5");
}

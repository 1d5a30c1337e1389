//! How the demonstration is asked for. What it shows is its own test: it checks every step (`cargo demo`).

use std::process::Command;

#[test]
fn a_wrong_question_is_told_what_is_right_and_exits_with_2() {
    for (arguments, words) in [
        (["cassandra"], "[possible values: toy, zookeeper, kafka, mongodb]"),
        (["--stand"], "--stay"),
    ] {
        let demo = Command::new(env!("CARGO_BIN_EXE_demo")).args(arguments).output();
        let output = demo.unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(words) && output.stdout.is_empty(), "{told}");
    }
}

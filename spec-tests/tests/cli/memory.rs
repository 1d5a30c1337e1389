//! However much an agent says, it takes so much memory and no more.

use std::process::{Command, Stdio};

use crate::agent::{Agent, good};
use crate::program::Ended;

/// In the kilobytes that shells count: what the program may map, its threads and libraries included.
const MOST: usize = 1_500_000;

/// Runs the program over an agent whose every page of finished actions is `page`, with another cursor each.
fn run(page: impl Fn() -> String + Send + Sync + 'static) -> Ended {
    let agent = Agent::with(move |asked| {
        // Not of what is asked for to be refused.
        let of = asked.path.strip_prefix("/api/v1/actions/finished")?;
        let is_page = of.is_empty() || of.strip_prefix("?cursor=")?.parse::<usize>().is_ok();
        is_page.then(|| good(format!(r#"{{"actions":[{}],"next":"{}"}}"#, page(), asked.path.len())))
    });
    let limited = format!(r#"ulimit -v {MOST} && exec "$0" run "$1""#);
    let ended = Command::new("sh")
        .args(["-c", &limited, env!("CARGO_BIN_EXE_spec-tests"), &agent.url])
        .env_remove("SPEC_TESTS_TOKEN")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    ended.into()
}

#[test]
fn an_answer_of_nothing_but_misfits_is_a_finding() {
    let zeros = vec!["0"; 90_000].join(",");
    let ended = run(move || zeros.clone());
    assert_eq!(ended.code, 1, "{}", ended.all());
    assert!(ended.out.contains("broken  v1  wire.lists"), "{}", ended.out);
}

#[test]
fn lists_that_are_longer_than_any_are_not_read() {
    let many = vec!["{}"; 2_000_000].join(",");
    let ended = run(move || many.clone());
    assert_eq!(ended.code, 5, "{}", ended.all());
    assert!(ended.out.contains("1000000"), "{}", ended.out);
}

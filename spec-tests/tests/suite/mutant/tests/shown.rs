//! Each fault shows, and the right agent always looks the same.

use std::time::{Duration, Instant};

use super::portrait::{ELSEWHERE, Portrait};
use super::scenes::portrait;
use super::talk::{get, id, post};
use crate::mutant::{Agent, Fault, Options};

#[test]
fn the_right_agent_looks_the_same_every_time() {
    let (one, two) = (portrait(&[]), portrait(&[]));
    assert_eq!(one.unlike(&two), Vec::<String>::new());
}

/// With `--nocapture` this is the table of what each fault changes.
#[test]
fn each_fault_shows() {
    let right = portrait(&[]);
    let elsewhere = |fault: &Fault| ELSEWHERE.iter().any(|(known, _)| known == fault);
    let faults: Vec<_> = Fault::ALL.iter().filter(|(fault, _)| !elsewhere(fault)).collect();
    // Most of the time goes by in waiting.
    let hidden = std::thread::scope(|scope| {
        let shares = faults.chunks(faults.len().div_ceil(4)).map(|share| {
            let hidden = || {
                share
                    .iter()
                    .filter(|(fault, about)| !shows(&right, *fault, about))
                    .map(|(fault, _)| *fault)
                    .collect()
            };
            scope.spawn(hidden)
        });
        let shares: Vec<_> = shares.collect();
        let hidden = shares.into_iter().map(|share| share.join().unwrap());
        hidden.collect::<Vec<Vec<Fault>>>().concat()
    });
    assert!(hidden.is_empty(), "nobody sees {hidden:?}");
}

fn shows(right: &Portrait, fault: Fault, about: &str) -> bool {
    let unlike = right.unlike(&portrait(&[fault]));
    let first = unlike.first().map_or("", String::as_str);
    let within = |tree: &str| unlike.iter().filter(|difference| difference.contains(tree)).count();
    let (v1, unstable) = (within("/api/v1"), within("/api/unstable"));
    println!("{fault:?}:{about} {v1} answers differ in v1, {unstable} in unstable, first\n    {first}");
    !unlike.is_empty()
}

#[test]
fn nothing_runs() {
    let agent = Agent::wrong(Fault::NothingRuns);
    post(
        &agent.address,
        "/api/v1/actions",
        &format!(r#"{{"kind":"agent.replicante.io/test.success","id":"{}"}}"#, id(1)),
    );
    let record = get(&agent.address, &format!("/api/v1/actions/{}?wait=1&after=1", id(1))).json();
    assert_eq!(record["state"], "NEW");
}

#[test]
fn a_poll_that_does_not_wait() {
    for (agent, waits) in [(Agent::right(), true), (Agent::wrong(Fault::LongPollAtOnce), false)] {
        let body = r#"{"kind":"agent.replicante.io/test.success","id":"ID"}"#.replace("ID", &id(1));
        post(&agent.address, "/api/v1/actions", &body);
        super::talk::ended(&agent.address, &id(1));
        let began = Instant::now();
        let record = get(&agent.address, &format!("/api/v1/actions/{}?wait=2&after=3", id(1))).json();
        assert_eq!(
            (record["version"].as_u64(), began.elapsed() >= Duration::from_secs(2)),
            (Some(3), waits)
        );
    }
}

#[test]
fn a_slow_node() {
    let agent = Agent::wrong(Fault::NodeSlow);
    let began = Instant::now();
    assert_eq!(get(&agent.address, "/api/v1/info/node").status, 200);
    assert!(began.elapsed() >= Duration::from_secs(6));
}

#[test]
fn a_deadline_that_nobody_keeps() {
    let agent = Agent::wrong(Fault::DeadlineIgnored);
    let body =
        r#"{"kind":"agent.replicante.io/test.loop","args":{"target":1,"delay_ms":1300},"deadline_s":1,"id":"ID"}"#;
    post(&agent.address, "/api/v1/actions", &body.replace("ID", &id(1)));
    assert_eq!(super::talk::ended(&agent.address, &id(1))["state"], "DONE");
}

#[test]
fn an_agent_that_dies_half_way_is_gone() {
    let agent = Agent::start(Options {
        dies_after: Some(3),
        ..Options::default()
    });
    let ask = || super::talk::ask_with(&agent.address, "GET /api/v1/info/node", "", None).map(|came| came.status);
    assert_eq!([ask(), ask(), ask(), ask()], [Some(200), Some(200), Some(200), None]);
    let address = agent.address.clone();
    agent.join();
    assert!(super::talk::ask_with(&address, "GET /api/v1/info/node", "", None).is_none());
}

//! Our own agents under the suite that judges everybody's: each demonstration is left running and looked at from outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helpers are tests, too")]

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use spec_tests::client::Credentials;
use spec_tests::verdict::{Conclusion, Level, Report};
use spec_tests::{Settings, Suite};

/// A demonstration that goes on until this is dropped, and may say more.
struct Staying(Child, Option<Lines>);

type Lines = std::io::Lines<BufReader<ChildStdout>>;

impl Drop for Staying {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.0.id())
            && let Some(pid) = Pid::from_raw(pid)
        {
            // It cleans up after itself; it may have ended already.
            let _ = kill_process(pid, Signal::INT);
        }
        drop(self.0.wait());
    }
}

/// The agents of healthy nodes, with their tokens, once the story has been told.
fn stay(arguments: &[&str]) -> (Staying, Vec<String>, Vec<Credentials>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command
        .args(arguments)
        .arg("--stay")
        .stdout(Stdio::piped())
        .stdin(Stdio::null());
    let mut staying = Staying(command.spawn().unwrap(), None);
    let lines = staying
        .1
        .insert(BufReader::new(staying.0.stdout.take().unwrap()).lines());
    let (mut told, mut agents, mut state) = (String::new(), Vec::new(), None);
    for line in lines {
        let line = line.unwrap();
        told.push_str(&line);
        told.push('\n');
        let words: Vec<_> = line.split_whitespace().collect();
        if let (Some(number), Some(url)) = (words.first().and_then(|node| node.rsplit('-').next()), words.last())
            && words.get(1) == Some(&"HEALTHY")
            && url.starts_with("http://")
        {
            agents.push((number.to_owned(), (*url).to_owned()));
        }
        if let Some((_, rest)) = line.split_once("$(cat ") {
            state = rest.rsplit_once("/agent-").map(|(place, _)| place.to_owned());
        }
        if line.contains("Ctrl-C ends it all") {
            break;
        }
    }
    let state = state.unwrap_or_else(|| panic!("the demonstration shows no token:\n{told}"));
    let token = |number: &String| std::fs::read_to_string(format!("{state}/agent-{number}/state/token")).unwrap();
    let own = agents
        .iter()
        .map(|(number, _)| Credentials::default().with_token(token(number).trim()));
    let own = own.collect();
    (staying, agents.into_iter().map(|(_, url)| url).collect(), own)
}

fn judge(agents: &[String], own: Vec<Credentials>, level: Level, absent: &str) -> Report {
    let settings = Settings {
        level,
        own,
        observe: Duration::from_secs(1),
        absent_node: Some(absent.to_owned()),
        ..Settings::default()
    };
    let agents = agents.iter().map(|agent| agent.parse().unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(Suite::new(agents, settings).run(|_| {}, std::future::pending()))
        .unwrap()
}

fn conforms(demonstration: &[&str], absent: &str) {
    let (_staying, agents, own) = stay(demonstration);
    assert!(agents.len() >= 2, "a cluster is more than {agents:?}");
    let report = judge(&agents, own, Level::Stress, absent);
    for verdict in &report.verdicts {
        println!("{}, {}: {} held", verdict.dialect, verdict.level, verdict.held);
    }
    report.assert_conformant();
    assert_eq!(report.verdicts.len(), 6, "two dialects, three levels");
    assert!(
        report
            .verdicts
            .iter()
            .all(|verdict| verdict.conclusion == Conclusion::Conformant)
    );
}

#[test]
fn the_toy_cluster_keeps_the_specification_at_all_levels() {
    conforms(&[], "no-such-node");
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test zookeeper"]
fn a_zookeeper_ensemble_keeps_the_specification_at_all_levels() {
    conforms(&["zookeeper"], "77");
}

#[test]
#[ignore = "needs Java, Maven and the package registry: cargo live-test kafka"]
fn a_kafka_cluster_keeps_the_specification_at_all_levels() {
    conforms(&["kafka"], "77");
}

#[test]
#[ignore = "needs Python, pip and the package registry: cargo live-test mongodb"]
fn a_mongodb_set_keeps_the_specification_at_all_levels() {
    conforms(&["mongodb"], "127.0.0.1:1");
}

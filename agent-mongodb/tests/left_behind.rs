//! What an agent leaves behind that looks at a server which does not answer: no thread, and no connection more than it had.
//! A test by itself, since it counts what its process has.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::net::TcpListener;
use std::time::Duration;

use agent_mongodb::config::Server;
use agent_sdk::client::wait;
use agent_sdk::testing::{StateDir, TestAgent};
use testbed::poll;

/// How many entries a directory of this process has.
fn count(what: &str) -> usize {
    std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count()
}

#[test]
fn a_frozen_server_costs_no_thread_and_no_connection() {
    // The kernel takes connections for it.
    let frozen = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut server = Server::new(frozen.local_addr().unwrap().to_string().parse().unwrap(), "rs0");
    server.timeouts.answer_ms = 100;
    let start = || {
        let agent = agent_mongodb::agent(server.clone()).unwrap();
        TestAgent::start_on(StateDir::new().unwrap(), agent, |_| {}).unwrap()
    };
    // What is made once in a process is made by the first agent.
    drop(start());
    let before = (count("task"), count("fd"));
    let agent = start();
    let look = || wait(agent.client().node()).unwrap();
    for _ in 0..5 {
        look();
    }
    let (threads, files) = (count("task"), count("fd"));
    for _ in 0..30 {
        look();
    }
    assert!(count("task") <= threads + 2, "{} threads were {threads}", count("task"));
    assert!(count("fd") <= files + 4, "{} files were {files}", count("fd"));
    drop(agent);
    let gone = poll::until(Duration::from_secs(20), |_| {
        let now = (count("task"), count("fd"));
        Ok::<_, ()>((now.0 <= before.0 && now.1 <= before.1).then_some(()))
    });
    let now = (count("task"), count("fd"));
    assert!(
        gone.unwrap().is_some(),
        "threads and files were {before:?}, and are {now:?}"
    );
}

//! Following an action: to its end, through an agent that is away, and no longer.

use std::ffi::OsString;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::output::Console;
use super::super::{Exit, args, connect, watch};
use super::stage::{Fake, ID, Ran, agent, asked, record};
use crate::client::canned::{Canned, Reply};

#[test]
fn watching_follows_to_the_end_and_tells_the_outcome() {
    let Ran { exit, out, err } = asked(
        &agent(),
        &["actions", "run", "agent.replicante.io/test.loop", "--watch"],
    );
    assert_eq!(exit, Exit::Done, "{err}");
    assert!(out.contains("DONE") && out.contains(r#"{"count":3}"#), "{out}");
    let lines: Vec<_> = err.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(
        lines,
        [
            r#"agent.replicante.io/test.loop RUNNING {"count":3}"#,
            r#"agent.replicante.io/test.loop DONE {"count":3}"#
        ]
    );

    let failing = Canned::start(|asked| match asked.method.as_str() {
        "POST" => Reply::Json(201, format!(r#"{{"id":"{ID}"}}"#)),
        _ => Reply::Json(
            200,
            record("FAILED", 3, "").replace(
                r#""error":null"#,
                r#""error":{"code":"test_failed","message":"as asked","retryable":false}"#,
            ),
        ),
    });
    let Ran { exit, out, .. } = asked(&failing, &["actions", "run", "a/b", "--watch"]);
    assert_eq!(exit, Exit::Failed);
    assert!(out.contains("test_failed: as asked"), "{out}");
}

fn args(line: &[&str]) -> args::Args {
    let line = std::iter::once("toy-agent")
        .chain(line.iter().copied())
        .map(OsString::from);
    args::parse(&Fake::default(), line).unwrap()
}

fn follow(agent: &Canned, stop: impl Future<Output = ()>) -> Ran {
    let args = args(&["--url", &agent.url(), "node"]);
    let connection = connect::connect(&args, &Fake::default()).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        colour: false,
        live: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let pause = std::time::Duration::ZERO;
    let id = ID.parse().unwrap();
    let exit = runtime
        .block_on(watch::follow(&args, &connection, id, &mut console, stop, pause))
        .unwrap_or_else(|failure| failure.exit);
    Ran {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

#[test]
fn who_stops_watching_is_told_that_the_action_goes_on() {
    let asked_once = std::sync::Arc::new(tokio::sync::Notify::new());
    let notify = std::sync::Arc::clone(&asked_once);
    let agent = Canned::start(move |asked| {
        if asked.path.contains("wait=") {
            notify.notify_one();
            return Reply::Silence;
        }
        Reply::Json(200, record("RUNNING", 4, ""))
    });
    let Ran { exit, out, err } = follow(&agent, async move { asked_once.notified().await });
    assert_eq!((exit, out.as_str()), (Exit::Unfinished, ""));
    let last = format!("no longer watched; the action goes on: `toy-agent actions show {ID}`");
    assert_eq!(err.lines().last(), Some(last.as_str()));
}

#[test]
fn an_agent_that_goes_away_is_waited_for() {
    let count = AtomicUsize::new(0);
    let agent = Canned::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Json(200, record("RUNNING", 4, "")),
        1..=3 => Reply::Raw(Vec::new()),
        _ => Reply::Json(200, record("DONE", 9, "")),
    });
    let Ran { exit, err, .. } = follow(&agent, std::future::pending());
    assert_eq!(exit, Exit::Done, "{err}");
    assert_eq!(err.matches("the agent does not answer").count(), 1, "{err}");
}

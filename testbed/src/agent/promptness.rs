//! How long an agent takes to answer.

#![expect(
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "assertions of tests: they panic, as the module above says"
)]

use std::time::{Duration, Instant};

use agent_sdk::client::{ClientError, Method, wait};
use agent_sdk::testing::TestAgent;

/// What an endpoint may take: the second that an agent in a test gives a look, and half a second.
pub const IN_TIME: Duration = Duration::from_millis(1_500);

/// Asked up to so often: a busy machine may be late once, an endpoint that hangs is late each time.
const TRIES: usize = 3;

/// Besides the three that the client knows by name.
const PATHS: [&str; 8] = [
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/kinds",
    "/api/v1/actions/queue",
    "/api/unstable/info/node",
    "/api/unstable/info/store",
    "/api/unstable/info/shards",
];

/// Every information endpoint answers in time, whatever it says.
#[track_caller]
pub fn all_in_time(agent: &TestAgent) {
    let client = agent.client();
    in_time("info/node", || wait(client.node()).map(drop));
    in_time("info/store", || wait(client.store()).map(drop));
    in_time("info/shards", || wait(client.shards()).map(drop));
    for path in PATHS {
        in_time(path, || {
            let answer = wait(client.raw(Method::Get, path, Vec::new()))?;
            assert!(matches!(answer.status, 200 | 500..=599), "{path}: {}", answer.status);
            Ok(())
        });
    }
}

#[track_caller]
fn in_time(what: &str, call: impl Fn() -> Result<(), ClientError>) {
    let mut late = Vec::new();
    while late.len() < TRIES {
        let begun = Instant::now();
        let answer = call();
        let took = begun.elapsed();
        if let Err(error) = answer {
            let refused = error.problem().is_some_and(|problem| problem.status == 503);
            assert!(refused, "{what}: {error}");
        }
        if took <= IN_TIME {
            return;
        }
        late.push(took);
    }
    panic!("{what} is late each time: {late:?}");
}

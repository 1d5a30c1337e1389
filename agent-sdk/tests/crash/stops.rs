//! Ends that are asked for, and starts that are refused.

use std::time::Duration;

use agent_sdk::client::wait;
use agent_sdk::spec::State;
use libtest_mimic::Failed;
use rustix::process::Signal;

use crate::journal::{self, Line};
use crate::process::{Place, within};
use crate::victim::{BLOCK, STEPS, StepArgs};

/// L4: a second agent on the same state directory.
pub fn second_agent() -> Result<(), Failed> {
    let place = Place::new();
    let first = place.start();
    let (status, said) = within(Duration::from_secs(1), || place.start_and_fail());
    assert_eq!(status.code(), Some(7), "{said}");
    assert!(said.contains(&format!("process {}", first.process())), "{said}");
    wait(first.client.node())?;
    Ok(())
}

/// SIGTERM: who waits is answered, the running action stops at its next checkpoint, and goes on at the next start.
pub fn graceful() -> Result<(), Failed> {
    let place = Place::new();
    let mut victim = place.start();
    let id = victim.schedule(
        STEPS,
        &StepArgs {
            steps: 300,
            death: None,
            pause_ms: 10,
        },
    );
    let seen = victim.until(id, |record| record.state_payload.is_some());
    let waits = {
        let client = victim.client.clone();
        let later = seen.version + 1_000;
        // Nobody ever writes this version: only the stop ends the wait.
        std::thread::spawn(move || wait(client.changed(id, later, Duration::from_secs(30))).map(drop))
    };
    victim.signal(Signal::TERM);
    assert_eq!(victim.ended().code(), Some(0));
    // The wait was answered as anything else, or had not reached the agent when it stopped.
    drop(waits.join().unwrap());
    let again = place.start();
    let record = again.until_ended(id);
    assert_eq!((record.state, record.attempt), (State::Done, 2));
    let steps = journal::read(&place.journal());
    let steps: Vec<_> = steps
        .into_iter()
        .filter_map(|line| {
            if let Line::Step(_, step) = line {
                Some(step)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(
        steps,
        (1..=300).collect::<Vec<_>>(),
        "none is left out, none is done twice"
    );
    Ok(())
}

/// A second signal does not wait for a handler that does not end.
pub fn second_signal() -> Result<(), Failed> {
    let place = Place::new();
    let mut victim = place.start();
    let id = victim.schedule(BLOCK, &serde_json::json!({}));
    victim.until(id, |record| record.state == State::Running);
    victim.signal(Signal::INT);
    victim.said("a second signal ends it at once");
    victim.signal(Signal::INT);
    assert_eq!(victim.ended().code(), Some(130));
    Ok(())
}

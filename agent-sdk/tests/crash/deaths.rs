//! Handlers that die, kill and block.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use agent_sdk::client::wait;
use agent_sdk::spec::State;
use libtest_mimic::Failed;
use serde_json::json;

use crate::journal::{self, Line};
use crate::process::Place;
use crate::victim::{BLOCK, DIE, Moment, STEPS, StepArgs};

const COUNT: u32 = 4;

/// L5: the agent dies before, in and after each step; every step is done, at most once more than it has to be, and
/// nothing is done after the end.
pub fn around_each_step() -> Result<(), Failed> {
    for step in 1..=COUNT {
        for moment in [Moment::Before, Moment::Done, Moment::Recorded] {
            let place = Place::new();
            let mut victim = place.start();
            let id = victim.submit(
                STEPS,
                &StepArgs {
                    steps: COUNT,
                    death: Some((step, moment)),
                    pause_ms: 0,
                },
            );
            assert!(!victim.ended().success());
            let again = place.start();
            let record = again.until_ended(id);
            assert_eq!((record.state, record.attempt), (State::Done, 2), "{step} {moment:?}");
            let mut done = BTreeMap::new();
            let lines = journal::read(&place.journal());
            for line in &lines {
                if let Line::Step(_, step) = line {
                    *done.entry(*step).or_insert(0) += 1;
                }
            }
            for number in 1..=COUNT {
                let repeated = number == step && moment == Moment::Done;
                assert_eq!(
                    done[&number],
                    if repeated { 2 } else { 1 },
                    "step {number} of {lines:?}"
                );
            }
            assert_eq!(lines.last(), Some(&Line::End(id, 2)));
            // Nothing runs after the end, not after another crash either.
            again.kill();
            let last = place.start();
            let marker = last.schedule("agent.replicante.io/test.success", &json!({}));
            last.until_ended(marker);
            assert_eq!(journal::read(&place.journal()), lines);
        }
    }
    Ok(())
}

/// L6: the interrupted action runs again within a second of the agent's start, before anything else.
pub fn resumes_at_once() -> Result<(), Failed> {
    let place = Place::new();
    let mut victim = place.start();
    let mut again = None;
    let mut id = uuid::Uuid::nil();
    for _ in 0..3 {
        id = victim.submit(
            STEPS,
            &StepArgs {
                steps: 2,
                death: Some((2, Moment::Before)),
                pause_ms: 0,
            },
        );
        assert!(!victim.ended().success());
        let began = Instant::now();
        victim = place.start();
        victim.until_ended(id);
        // The whole start, the rest of the action and its end included. A busy machine may be late once.
        if began.elapsed() < Duration::from_secs(1) {
            again = Some(victim);
            break;
        }
    }
    let again = again.ok_or("it was run again too late each time")?;
    let later = again.schedule(
        STEPS,
        &StepArgs {
            steps: 1,
            death: None,
            pause_ms: 0,
        },
    );
    again.until_ended(later);
    let lines = journal::read(&place.journal());
    assert!(journal::in_order(&lines).ends_with(&[id, later]), "{lines:?}");
    let steps = lines
        .iter()
        .filter(|line| matches!(line, Line::Step(of, _) if *of == id));
    assert_eq!(steps.count(), 2, "from its checkpoint: {lines:?}");
    Ok(())
}

/// L9: what kills the agent each time is not run a fourth time, and the queue goes on.
pub fn three_crashes() -> Result<(), Failed> {
    let place = Place::new();
    let mut victim = place.start();
    let id = victim.submit(DIE, &json!({}));
    let mut crashes = 0;
    loop {
        assert!(!victim.ended().success());
        crashes += 1;
        victim = place.start();
        if crashes == 3 {
            break;
        }
    }
    let record = victim.until_ended(id);
    assert_eq!(
        record.error.as_ref().map(|error| error.code.as_str()),
        Some("crashed"),
        "{record:?}"
    );
    assert_eq!(journal::read(&place.journal()).len(), 3);
    let next = victim.schedule("agent.replicante.io/test.success", &json!({}));
    assert_eq!(victim.until_ended(next).state, State::Done);
    Ok(())
}

/// L9: a handler that never yields does not hurt the interface; after its deadline and the grace the agent ends itself,
/// and says FAILED when it is started again.
pub fn never_yields() -> Result<(), Failed> {
    let place = Place::new();
    let mut victim = place.start();
    let mut schedule = agent_sdk::client::Schedule::new(BLOCK).with_args(&json!({}));
    schedule.deadline_s = Some(1);
    let id = wait(victim.client.schedule(&schedule))?.id;
    victim.until(id, |record| record.state == State::Running);
    for _ in 0..20 {
        wait(victim.client.node())?;
        wait(victim.client.record(id))?;
    }
    let next = victim.schedule("agent.replicante.io/test.success", &json!({}));
    let status = victim.ended();
    assert_eq!(status.code(), Some(11), "its supervisor is to start it again");
    let again = place.start();
    let record = again.until_ended(id);
    assert_eq!(
        record.error.as_ref().map(|error| error.code.as_str()),
        Some("deadline"),
        "{record:?}"
    );
    assert_eq!(record.attempt, 1);
    assert_eq!(again.until_ended(next).state, State::Done);
    Ok(())
}

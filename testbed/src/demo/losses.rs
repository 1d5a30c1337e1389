//! What dies: the primary, which is replaced; an agent, which goes on where it was; a node, which is removed once.

use std::time::Instant;

use agent_sdk::client::{Record, Transition};
use agent_sdk::spec::{NodeState, State, WellKnown};
use serde::Deserialize;
use serde_json::json;

use super::Failure;
use super::play::Play;
use super::screen::Look;
use super::story::{SOON, Story, short};

/// How far the long action counts, and how fast: long enough to be seen, and to be killed in the middle of.
const TARGET: u32 = 40;
const DELAY_MS: u32 = 60;
/// When the agent is killed.
const KILLED_AT: u32 = 12;

/// A checkpoint of the long action.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Counted {
    count: u32,
}

impl<P: Play> Story<'_, P> {
    pub(super) async fn lose_primary(&self) -> Result<(), Failure> {
        let lost = self.one_leads().await?;
        let name = &self.seats[lost].node;
        self.step(
            &[0, 1, 2],
            "The primary dies",
            "SIGKILL to its process; nobody tells the agents",
        );
        self.screen.act(&format!("kill -KILL {name}"));
        self.play.kill(lost)?;
        let killed = Instant::now();
        self.lost.set(Some(lost));
        let sight = self.shows(lost, NodeState::Unavailable, None, SOON).await?;
        self.screen.seen(&format!("{name} is UNAVAILABLE"));
        self.screen
            .note(&format!("  {}", short(sight.reason.as_deref().unwrap_or_default(), 92)));
        let primary = self.one_leads().await?;
        self.screen.seen(&format!(
            "{} is HEALTHY and PRIMARY now, {:.1} s after the kill",
            self.seats[primary].node,
            killed.elapsed().as_secs_f32()
        ));
        let written = self.play.write(primary, P::ENOUGH).await;
        written.map_err(|reason| Failure::unexpected("the new primary takes writes", reason))?;
        self.screen.seen("it takes writes");
        Ok(())
    }

    pub(super) async fn lose_agent(&self) -> Result<(), Failure> {
        let place = self.primary.get();
        let seat = &self.seats[place];
        self.step(
            &[place],
            "An agent dies",
            "SIGKILL in the middle of an action, which counts and records each step",
        );
        let args = json!({ "target": TARGET, "delay_ms": DELAY_MS });
        self.screen.act(&format!("agent of {}: test.loop {args}", seat.node));
        let id = seat.schedule("agent.replicante.io/test.loop", Some(&args)).await?;
        let far = async || {
            seat.look_at(id, |record| {
                record.state == State::Running && record.payload_as::<Counted>().is_some_and(|at| at.count >= KILLED_AT)
            })
            .await
        };
        let record = self.screen.wait("it counts", SOON, far).await?;
        let before = record.payload_as::<Counted>().map_or(0, |at| at.count);
        seat.process().kill()?;
        self.screen.seen(&format!(
            "attempt {}, count {before} of {TARGET}: the agent was killed here",
            record.attempt
        ));
        let gone = async || match seat.see().await {
            Ok(_) => Look::NotYet("it still answers".to_owned()),
            Err(_) => Look::Yes(()),
        };
        self.screen.wait("nobody answers", SOON, gone).await?;
        self.screen.act(&format!("the agent of {} is started again", seat.node));
        self.stage.start(seat.process())?;
        let again = async || seat.look_at(id, |record| record.attempt == 2).await;
        let record = self.screen.wait("it goes on", SOON, again).await?;
        let count = record.payload_as::<Counted>().map_or(0, |at| at.count);
        if count < before {
            return Err(Failure::unexpected(
                format!("it goes on from {before} or later"),
                format!("it is at {count}"),
            ));
        }
        self.screen.seen(&format!(
            "attempt 2 goes on from the last checkpoint, and is at {count}"
        ));
        let done = async || seat.look_at(id, |record| record.state == State::Done).await;
        let record = self.screen.wait("it is DONE", SOON, done).await?;
        let history = seat.client()?.history(id, 1_000, None).await?;
        counted_once(&history.transitions)?;
        if record.output_as::<Counted>().is_none_or(|at| at.count != TARGET) {
            return Err(Failure::unexpected(
                format!("it counts to {TARGET}"),
                format!("{:?}", record.output),
            ));
        }
        self.screen
            .seen(&format!("DONE: 1 to {TARGET}, each count recorded once"));
        Ok(())
    }

    /// Removes the node that was lost, from the primary's side, and then once more.
    pub(super) async fn remove(&self, about: &str) -> Result<(), Failure> {
        let (place, lost) = (self.primary.get(), &self.seats[self.lost.get().unwrap_or_default()]);
        self.step(&[place], "cluster.remove", about);
        // A node that is dead keeps its id: its agent remembers it.
        let sight = lost
            .see()
            .await
            .map_err(|blind| Failure::unexpected("its agent answers", blind.reason))?;
        let args = json!({ "node": sight.id });
        let first = self
            .change(place, WellKnown::ClusterRemove.kind(), Some(args.clone()))
            .await?;
        let (changed, before) = self.told(&first)?;
        if !changed {
            return Err(Failure::unexpected(
                "removing a member changes something",
                "it says that nothing changed",
            ));
        }
        let second = self.change(place, WellKnown::ClusterRemove.kind(), Some(args)).await?;
        let (changed, after) = self.told(&second)?;
        if changed || after != before {
            let seen = format!("changed {changed}, {before}, then {after}");
            return Err(Failure::unexpected("the second one changes nothing", seen));
        }
        self.screen.seen("the second one changed nothing");
        Ok(())
    }

    fn told(&self, record: &Record) -> Result<(bool, String), Failure> {
        let told = self.play.changed(record);
        told.ok_or_else(|| Failure::unexpected("the action tells what it changed", format!("{:?}", record.output)))
    }
}

/// Every count from 1 to the target is in the history, once, and the attempts go up from 1 to 2.
fn counted_once(steps: &[Transition]) -> Result<(), Failure> {
    let counts: Vec<u32> = steps
        .iter()
        .filter(|step| step.state == State::Running)
        .filter_map(|step| serde_json::from_str::<Counted>(step.state_payload.as_deref()?.get()).ok())
        .map(|at| at.count)
        .collect();
    let attempts: Vec<u32> = steps.iter().map(|step| step.attempt).collect();
    if counts != (1..=TARGET).collect::<Vec<_>>() {
        return Err(Failure::unexpected(
            format!("1 to {TARGET}, each once"),
            format!("{counts:?}"),
        ));
    }
    if !attempts.is_sorted() || attempts.last() != Some(&2) {
        return Err(Failure::unexpected(
            "two attempts, one after the other",
            format!("{attempts:?}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// A history: an attempt and a count for each step.
    fn steps(counts: impl Iterator<Item = (u32, u32)>) -> Vec<Transition> {
        let step = |(attempt, count): (u32, u32)| -> Value {
            json!({
                "version": count, "at": "2026-01-01T00:00:00.000000000Z", "state": "RUNNING", "attempt": attempt,
                "state_payload": { "count": count, "target": TARGET }, "error": null
            })
        };
        counts
            .map(|one| serde_json::from_str(&step(one).to_string()).unwrap())
            .collect()
    }

    #[test]
    fn every_count_has_to_be_there_once_and_the_attempts_in_order() {
        let attempt = |count| if count <= KILLED_AT { 1 } else { 2 };
        let right = || (1..=TARGET).map(|count| (attempt(count), count));
        assert!(counted_once(&steps(right())).is_ok());
        assert!(counted_once(&steps(right().skip(1))).is_err(), "one is missing");
        assert!(
            counted_once(&steps(right().chain([(2, TARGET)]))).is_err(),
            "one is there twice"
        );
        assert!(
            counted_once(&steps((1..=TARGET).map(|count| (1, count)))).is_err(),
            "nothing was resumed"
        );
    }
}

//! The agent as a process that is killed: right, nothing is lost; with each fault, just what it says.

use serde_json::Value;

use super::talk::{ended, get, id, post, until};
use crate::mutant::Fault;
use crate::mutant::child::Child;

const LOOP: &str = r#"{"kind":"agent.replicante.io/test.loop","args":{"target":4,"delay_ms":DELAY},"id":"ID"}"#;

/// One action that ended, one that runs and has counted, and three that wait; then the crash. Each action's record, and
/// the ends in the order in which they came.
struct Crashed {
    child: Child,
    finished: Value,
}

impl Crashed {
    fn with(faults: &[Fault]) -> Self {
        let child = Child::start(faults);
        let at = child.address.as_str();
        let schedule = |number: usize, delay: &str| {
            let body = LOOP.replace("ID", &id(number)).replace("DELAY", delay);
            assert_eq!(post(at, "/api/v1/actions", &body).status, 201);
        };
        schedule(1, "0");
        let finished = ended(at, &id(1));
        schedule(2, "700");
        for number in 3..=5 {
            schedule(number, "0");
        }
        until(at, &id(2), |record| {
            record["state_payload"]["count"].as_u64() >= Some(2)
        });
        child.kill();
        child.restart();
        Self { child, finished }
    }

    fn record(&self, number: usize) -> Value {
        get(&self.child.address, &format!("/api/v1/actions/{}", id(number))).json()
    }

    fn ended(&self, number: usize) -> Value {
        ended(&self.child.address, &id(number))
    }

    /// The last digits of ids in the order of their ends.
    fn order(&self) -> Vec<String> {
        for number in 2..=5 {
            self.ended(number);
        }
        let finished = get(&self.child.address, "/api/v1/actions/finished").json();
        let ids = finished["actions"].as_array().unwrap().iter().rev();
        ids.map(|action| action["id"].as_str().unwrap()[35..].to_owned())
            .collect()
    }
}

#[test]
fn the_right_agent_goes_on_where_it_was() {
    let crashed = Crashed::with(&[]);
    assert_eq!(crashed.record(1), crashed.finished);
    let resumed = until(&crashed.child.address, &id(2), |record| record["attempt"] == 2);
    assert!(resumed["state_payload"]["count"].as_u64() >= Some(2), "{resumed}");
    assert_eq!(crashed.order(), ["1", "2", "3", "4", "5"]);
    let history = get(&crashed.child.address, &format!("/api/v1/actions/{}/history", id(2))).json();
    let counts = history["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["state_payload"]["count"].as_u64());
    let counts: Vec<u64> = counts.flatten().collect();
    assert!(counts.is_sorted() && counts.last() == Some(&4), "{counts:?}");
    crashed.child.kill();
    crashed.child.restart();
    assert_eq!(crashed.record(1), crashed.finished);
    assert_eq!(
        post(
            &crashed.child.address,
            "/api/v1/actions",
            &LOOP.replace("ID", &id(5)).replace("DELAY", "0")
        )
        .status,
        409
    );
}

#[test]
fn what_was_acknowledged_is_lost() {
    let crashed = Crashed::with(&[Fault::LostByCrash]);
    assert_eq!(crashed.record(1)["status"], 404);
    assert_eq!(crashed.record(5)["status"], 404);
}

#[test]
fn the_order_is_lost() {
    assert_eq!(
        Crashed::with(&[Fault::OrderLostByCrash]).order(),
        ["1", "2", "5", "4", "3"]
    );
}

#[test]
fn the_running_action_waits_for_the_others() {
    assert_eq!(
        Crashed::with(&[Fault::RunningResumedLast]).order(),
        ["1", "3", "4", "5", "2"]
    );
}

#[test]
fn finished_actions_are_new_again() {
    let crashed = Crashed::with(&[Fault::FinishedNewAfterCrash]);
    assert_ne!(crashed.record(1)["finished_ts"], crashed.finished["finished_ts"]);
    assert_eq!(crashed.ended(1)["attempt"], 2);
}

#[test]
fn finished_actions_run_again() {
    let crashed = Crashed::with(&[Fault::FinishedRunAgainAfterCrash]);
    let record = crashed.record(1);
    assert_eq!(
        (record["state"].as_str(), record["attempt"].as_u64()),
        (Some("DONE"), Some(2))
    );
    assert_ne!(record["finished_ts"], crashed.finished["finished_ts"]);
}

#[test]
fn the_running_action_is_forgotten() {
    let crashed = Crashed::with(&[Fault::RunningForgottenByCrash]);
    assert_eq!(crashed.record(2)["status"], 404);
    assert_eq!(crashed.ended(5)["state"], "DONE");
}

#[test]
fn progress_is_lost() {
    let crashed = Crashed::with(&[Fault::ProgressLostByCrash]);
    assert_eq!(crashed.ended(2)["state"], "DONE");
    let history = get(&crashed.child.address, &format!("/api/v1/actions/{}/history", id(2))).json();
    let counts = history["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["state_payload"]["count"].as_u64());
    let counts: Vec<u64> = counts.flatten().collect();
    assert!(!counts.is_sorted(), "{counts:?}");
}

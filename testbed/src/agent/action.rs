//! Actions, run to their end.

#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "assertions of tests: they panic, as the module above says"
)]

use agent_sdk::client::{Client, Record, Schedule, wait};
use agent_sdk::spec::{State, WellKnown};
use agent_sdk::testing::TestAgent;
use serde_json::{Value, json};

use super::{Program, UP, node};

/// `agent.replicante.io/cluster.init`.
pub const INIT: &str = WellKnown::ClusterInit.kind();
/// `agent.replicante.io/cluster.add`.
pub const ADD: &str = WellKnown::ClusterAdd.kind();
/// `agent.replicante.io/cluster.join`.
pub const JOIN: &str = WellKnown::ClusterJoin.kind();
/// `agent.replicante.io/cluster.remove`.
pub const REMOVE: &str = WellKnown::ClusterRemove.kind();

/// Runs an action to its end. Arguments that are null are none.
#[track_caller]
pub fn run(client: &Client, kind: &str, args: &Value) -> Record {
    perform(client, &Schedule::new(kind).with_args(args))
}

/// The same within a deadline, which is the agent's.
#[track_caller]
pub fn run_within(client: &Client, kind: &str, args: &Value, deadline_s: u32) -> Record {
    let mut schedule = Schedule::new(kind).with_args(args);
    schedule.deadline_s = Some(deadline_s);
    perform(client, &schedule)
}

/// The same as it is scheduled here.
#[track_caller]
pub fn perform(client: &Client, schedule: &Schedule) -> Record {
    let id = wait(client.schedule(schedule)).unwrap().id;
    wait(client.ended(id, UP)).unwrap()
}

/// Runs an action with an agent that is killed once each time that it makes another kind of step durable, and started again.
/// `step` tells the kind of the last step from a record. Gives the record at its end, and the steps at which the agent was
/// killed; it does not run any more.
#[track_caller]
pub fn killed_at_each_step(
    program: &mut Program,
    kind: &str,
    args: &Value,
    step: impl Fn(&Record) -> Option<String>,
) -> (Record, Vec<String>) {
    let mut client = program.start().unwrap();
    let id = wait(client.schedule(&Schedule::new(kind).with_args(args))).unwrap().id;
    let mut killed = Vec::new();
    let mut record = wait(client.record(id)).unwrap();
    while !record.state.is_final() {
        if let Some(step) = step(&record).filter(|step| !killed.contains(step)) {
            program.kill().unwrap();
            killed.push(step);
            client = program.start().unwrap();
            record = wait(client.record(id)).unwrap();
            continue;
        }
        record = wait(client.changed(id, record.version, UP)).unwrap();
    }
    program.kill().unwrap();
    (record, killed)
}

/// What a done action gave.
#[track_caller]
pub fn done(record: &Record) -> Value {
    assert_eq!(record.state, State::Done, "{:?}", record.error);
    record.output_as().unwrap()
}

/// Code and message of an action that failed.
#[track_caller]
pub fn failed(record: &Record) -> (String, String) {
    assert_eq!(record.state, State::Failed, "{:?}", record.output);
    let error = record.error.clone().unwrap();
    (error.code, error.message)
}

/// `{"node": …}`, the control plane's form, with what the node's agent shows as its member address.
#[track_caller]
pub fn by_member_address(agent: &TestAgent) -> Value {
    json!({ "node": node(agent).addresses["member"].clone().unwrap() })
}

//! Invocation records as `v1` writes them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::shapes;
use crate::ledger;
use crate::spec::{self, ErrorRecord, Preconditions, State, Timestamp};

/// An invocation record.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Action")]
pub(super) struct Full<'a> {
    /// The arguments, in the very text that came.
    #[schemars(schema_with = "shapes::anything")]
    args: Option<&'a RawValue>,
    /// Kept for the client.
    headers: &'a BTreeMap<String, String>,
    id: Uuid,
    kind: &'a str,
    /// Who asked.
    requester: &'a str,
    /// When the client made it, where it says so, else when it came.
    #[schemars(schema_with = "shapes::time")]
    created_ts: Timestamp,
    /// When it was recorded.
    #[schemars(schema_with = "shapes::time")]
    scheduled_ts: Timestamp,
    /// When it first ran.
    #[schemars(schema_with = "shapes::time_or_null")]
    started_ts: Option<Timestamp>,
    /// When it entered its final state.
    #[schemars(schema_with = "shapes::time_or_null")]
    finished_ts: Option<Timestamp>,
    state: State,
    /// Its last checkpoint.
    #[schemars(schema_with = "shapes::anything")]
    state_payload: Option<&'a RawValue>,
    /// What it gave back, when `DONE`.
    #[schemars(schema_with = "shapes::anything")]
    output: Option<&'a RawValue>,
    /// Why it failed, or why its last attempt did.
    error: Option<&'a ErrorRecord>,
    /// How often it was started.
    attempt: u32,
    /// Whether a client asked for its end.
    cancel_requested: bool,
    /// What must hold before the first attempt, as it was given.
    preconditions: Option<&'a Preconditions>,
    /// Seconds of running time that it has.
    deadline_s: u32,
    /// One more with each transition.
    version: u64,
}

impl<'a> From<&'a spec::Record> for Full<'a> {
    fn from(record: &'a spec::Record) -> Self {
        let spec::Record {
            id,
            kind,
            args,
            headers,
            requester,
            preconditions,
            deadline_s,
            trace: _,
            created_ts,
            scheduled_ts,
            started_ts,
            finished_ts,
            state,
            state_payload,
            output,
            error,
            attempt,
            cancel_requested,
            version,
        } = record;
        Self {
            args: args.as_deref(),
            headers,
            id: *id,
            kind: kind.as_str(),
            requester: requester.as_str(),
            created_ts: *created_ts,
            scheduled_ts: *scheduled_ts,
            started_ts: *started_ts,
            finished_ts: *finished_ts,
            state: *state,
            state_payload: state_payload.as_deref(),
            output: output.as_deref(),
            error: error.as_ref(),
            attempt: *attempt,
            cancel_requested: *cancel_requested,
            preconditions: preconditions.as_ref(),
            deadline_s: *deadline_s,
            version: *version,
        }
    }
}

/// A record without its arguments, headers, preconditions, checkpoints and output.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ActionSummary")]
pub(super) struct Short<'a> {
    id: Uuid,
    kind: &'a str,
    /// Who asked.
    requester: &'a str,
    /// When the client made it, where it says so, else when it came.
    #[schemars(schema_with = "shapes::time")]
    created_ts: Timestamp,
    /// When it was recorded.
    #[schemars(schema_with = "shapes::time")]
    scheduled_ts: Timestamp,
    /// When it first ran.
    #[schemars(schema_with = "shapes::time_or_null")]
    started_ts: Option<Timestamp>,
    /// When it entered its final state.
    #[schemars(schema_with = "shapes::time_or_null")]
    finished_ts: Option<Timestamp>,
    state: State,
    /// Why it failed, or why its last attempt did.
    error: Option<&'a ErrorRecord>,
    /// How often it was started.
    attempt: u32,
    /// Whether a client asked for its end.
    cancel_requested: bool,
    /// Seconds of running time that it has.
    deadline_s: u32,
    /// One more with each transition.
    version: u64,
}

impl<'a> From<&'a ledger::Summary> for Short<'a> {
    fn from(summary: &'a ledger::Summary) -> Self {
        let ledger::Summary {
            id,
            kind,
            requester,
            created_ts,
            scheduled_ts,
            started_ts,
            finished_ts,
            state,
            error,
            attempt,
            cancel_requested,
            deadline_s,
            version,
        } = summary;
        Self {
            id: *id,
            kind: kind.as_str(),
            requester: requester.as_str(),
            created_ts: *created_ts,
            scheduled_ts: *scheduled_ts,
            started_ts: *started_ts,
            finished_ts: *finished_ts,
            state: *state,
            error: error.as_ref(),
            attempt: *attempt,
            cancel_requested: *cancel_requested,
            deadline_s: *deadline_s,
            version: *version,
        }
    }
}

/// One step in a record's history.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Transition")]
pub(super) struct Step<'a> {
    /// The record's version after the step.
    version: u64,
    /// When.
    #[schemars(schema_with = "shapes::time")]
    at: Timestamp,
    /// The state after the step.
    state: State,
    /// The attempt at the step.
    attempt: u32,
    /// The checkpoint made with the step.
    #[schemars(schema_with = "shapes::anything")]
    state_payload: Option<&'a RawValue>,
    /// The error that the step records.
    error: Option<&'a ErrorRecord>,
}

impl<'a> From<&'a spec::Transition> for Step<'a> {
    fn from(transition: &'a spec::Transition) -> Self {
        let spec::Transition {
            version,
            at,
            state,
            attempt,
            state_payload,
            error,
        } = transition;
        Self {
            version: *version,
            at: *at,
            state: *state,
            attempt: *attempt,
            state_payload: state_payload.as_deref(),
            error: error.as_ref(),
        }
    }
}

//! Scheduling actions and following them.

use std::collections::BTreeMap;

use actix_web::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::api::access::Role;
use crate::api::answer::Answer;
use crate::api::call::{self, Ask, concerns};
use crate::api::problem::{Code, Problem};
use crate::api::route::{Gives, Reply, Route, schema};
use crate::api::schedule::Draft;
use crate::ledger::Brief;
use crate::spec::{self, ErrorRecord, State, Timestamp};

pub(super) fn routes() -> Vec<Route> {
    let look = |path, about, problems, handler| Route {
        method: Method::GET,
        path,
        about,
        needs: Role::Read,
        takes: None,
        query: &[],
        gives: Gives::Json(200, schema::<Value>),
        problems,
        handler,
    };
    vec![
        look(
            "/api/unstable/actions/finished",
            "All finished actions, newest first.",
            &[Code::Busy],
            finished,
        ),
        look(
            "/api/unstable/actions/queue",
            "All other actions, oldest first.",
            &[Code::Busy],
            queue,
        ),
        look(
            "/api/unstable/action/{id}",
            "An action.",
            &[Code::BadId, Code::UnknownAction, Code::Busy],
            action,
        ),
        Route {
            method: Method::POST,
            path: "/api/unstable/action",
            about: "Schedules an action.",
            needs: Role::Act,
            takes: Some(schema::<Asked>),
            query: &[],
            gives: Gives::Json(200, schema::<Value>),
            problems: &[
                Code::UnknownKind,
                Code::BadArguments,
                Code::BadId,
                Code::IdUsed,
                Code::QueueFull,
                Code::Busy,
                Code::NotRecording,
                Code::NoSpace,
            ],
            handler: schedule,
        },
    ]
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "UnstableSchedule")]
struct Asked {
    #[schemars(with = "Option<Value>")]
    #[serde(default)]
    args: Option<Box<RawValue>>,
    created_time: Option<String>,
    id: Option<String>,
    kind: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct Accepted {
    id: Uuid,
}

#[derive(Serialize)]
struct Actions<'a> {
    actions: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    id: Uuid,
    kind: &'a str,
    phase: State,
}

#[derive(Serialize)]
struct Action<'a> {
    id: Uuid,
    kind: &'a str,
    args: Option<&'a RawValue>,
    metadata: &'a BTreeMap<String, String>,
    created_time: Timestamp,
    scheduled_time: Timestamp,
    finished_time: Option<Timestamp>,
    state: Progress<'a>,
}

#[derive(Serialize)]
struct Progress<'a> {
    phase: State,
    error: Option<&'a ErrorRecord>,
    payload: Option<&'a RawValue>,
}

fn schedule(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let Asked {
            args,
            created_time,
            id,
            kind,
            metadata,
        } = call.body()?;
        let time = |text: String| {
            Timestamp::parse(&text).map_err(|error| Problem::new(Code::BadValue, error.to_string()).at("/created_time"))
        };
        let draft = Draft {
            kind: kind.ok_or_else(|| Problem::new(Code::BadValue, "a kind is needed").at("/kind"))?,
            args,
            headers: metadata.unwrap_or_default(),
            id: id.as_deref().map(call::id).transpose()?,
            created_ts: created_time.map(time).transpose()?,
            trace: call.trace(),
            ..Draft::default()
        };
        let id = call.service.schedule(draft).await?.id;
        concerns(id);
        Answer::json(&Accepted { id })
    })
}

fn finished(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move { listed(&call.service.finished_brief().await?) })
}

fn queue(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move { listed(&call.service.queue_brief().await?) })
}

fn listed(actions: &[Brief]) -> Result<Answer, Problem> {
    let listed = actions.iter().map(|brief| {
        let Brief { id, kind, state } = brief;
        Listed {
            id: *id,
            kind,
            phase: *state,
        }
    });
    Answer::json(&Actions {
        actions: listed.collect(),
    })
}

fn action(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let id = call.id()?;
        concerns(id);
        let record = call.service.record(id).await?;
        Answer::json(&Action::from(&record))
    })
}

impl<'a> From<&'a spec::Record> for Action<'a> {
    fn from(record: &'a spec::Record) -> Self {
        // A final state without its time would wedge the client for good, so another time of the record stands in.
        let ended = record
            .state
            .is_final()
            .then(|| record.started_ts.unwrap_or(record.scheduled_ts));
        Self {
            id: record.id,
            kind: record.kind.as_str(),
            args: record.args.as_deref(),
            metadata: &record.headers,
            created_time: record.created_ts,
            scheduled_time: record.scheduled_ts,
            finished_time: record.finished_ts.or(ended),
            state: Progress {
                phase: record.state,
                error: record.error.as_ref(),
                payload: record.output.as_deref().or(record.state_payload.as_deref()),
            },
        }
    }
}

//! Scheduling actions, following them, ending them.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::records::{Full, Short, Step};
use super::shapes;
use crate::api::access::Role;
use crate::api::answer::Answer;
use crate::api::call::{self, Ask, concerns};
use crate::api::json;
use crate::api::problem::{Code, Problem};
use crate::api::route::{Dialect, Gives, Parameter, Reply, Route, schema};
use crate::api::schedule::{Draft, Expected};
use crate::ledger::{Cursor, List, Page, Summary};

const CURSOR: Parameter = Parameter {
    name: "cursor",
    about: "The last answer's `next`; it belongs to its list.",
    range: None,
};
const LIMIT: Parameter = Parameter {
    name: "limit",
    about: "Most entries; 100 when not given.",
    range: Some((1, 1000)),
};
const WAIT: Parameter = Parameter {
    name: "wait",
    about: "Seconds to wait for a version other than `after`.",
    range: Some((0, 60)),
};
const AFTER: Parameter = Parameter {
    name: "after",
    about: "The version that is known already; needed to wait.",
    range: Some((0, i64::MAX as u64)),
};

pub(super) fn routes() -> Vec<Route> {
    let look = |path, about, query, gives, problems, handler| Route {
        method: Method::GET,
        path,
        about,
        needs: Role::Read,
        takes: None,
        query,
        gives: Gives::Json(200, gives),
        problems,
        handler,
    };
    let pages = &[CURSOR, LIMIT];
    let page_problems = &[Code::BadParameter, Code::BadCursor, Code::Busy];
    vec![
        Route {
            method: Method::POST,
            path: "/api/v1/actions",
            about: "Schedules an action. Once answered, it is on disk and its place in the order is fixed.",
            needs: Role::Act,
            takes: Some(schema::<Asked>),
            query: &[],
            gives: Gives::Json(201, schema::<Accepted>),
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
        look(
            "/api/v1/actions/queue",
            "Actions that have not ended, the running one included, oldest first.",
            pages,
            schema::<Actions<'_>>,
            page_problems,
            queue,
        ),
        look(
            "/api/v1/actions/finished",
            "Actions that have ended, newest first.",
            pages,
            schema::<Actions<'_>>,
            page_problems,
            finished,
        ),
        look(
            "/api/v1/actions/{id}",
            "An invocation record, at once or when it has changed.",
            &[WAIT, AFTER],
            schema::<Full<'_>>,
            &[Code::BadId, Code::BadParameter, Code::UnknownAction, Code::Busy],
            record,
        ),
        Route {
            method: Method::DELETE,
            path: "/api/v1/actions/{id}",
            about: "Asks for an action's end: a queued one fails as cancelled at once, a running one is asked to stop.",
            needs: Role::Act,
            takes: None,
            query: &[],
            gives: Gives::Json(202, schema::<Full<'_>>),
            problems: &[
                Code::BadId,
                Code::UnknownAction,
                Code::ActionFinished,
                Code::Busy,
                Code::NotRecording,
                Code::NoSpace,
            ],
            handler: cancel,
        },
        look(
            "/api/v1/actions/{id}/history",
            "The steps of an action, oldest first.",
            pages,
            schema::<History<'_>>,
            &[
                Code::BadId,
                Code::BadParameter,
                Code::BadCursor,
                Code::UnknownAction,
                Code::Busy,
            ],
            history,
        ),
    ]
}

/// What to do.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Schedule", deny_unknown_fields)]
struct Asked {
    /// Which action; `GET /kinds` lists them.
    #[schemars(with = "String")]
    kind: Option<String>,
    /// Its arguments. Null is the same as not given, and is checked as `{}`.
    #[schemars(schema_with = "shapes::anything")]
    #[serde(default)]
    args: Option<Box<RawValue>>,
    /// Comes back with the record.
    headers: Option<BTreeMap<String, String>>,
    /// The record's id, used once for good; made by the agent when not given.
    #[schemars(with = "Option<Uuid>")]
    id: Option<String>,
    /// Who asks: 1 to 200 visible characters; `AGENT_API` when not given.
    #[schemars(length(min = 1, max = 200))]
    requester: Option<String>,
    #[serde(default, deserialize_with = "json::object")]
    #[schemars(with = "Option<Expected>")]
    preconditions: Option<Expected>,
    /// Seconds of running time, 1 to the kind's own.
    #[schemars(range(min = 1))]
    deadline_s: Option<u32>,
}

/// The accepted action.
#[derive(Serialize, JsonSchema)]
struct Accepted {
    id: Uuid,
}

/// One page of actions.
#[derive(Serialize, JsonSchema)]
struct Actions<'a> {
    actions: Vec<Short<'a>>,
    /// `cursor` of the next page; null at the end.
    next: Option<String>,
}

/// One page of an action's steps.
#[derive(Serialize, JsonSchema)]
struct History<'a> {
    transitions: Vec<Step<'a>>,
    /// `cursor` of the next page; null at the end.
    next: Option<String>,
}

fn schedule(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let Asked {
            kind,
            args,
            headers,
            id,
            requester,
            preconditions,
            deadline_s,
        } = call.body()?;
        let draft = Draft {
            kind: kind.ok_or_else(|| Problem::new(Code::BadValue, "a kind is needed").at("/kind"))?,
            args,
            headers: headers.unwrap_or_default(),
            id: id.as_deref().map(call::id).transpose()?,
            requester,
            preconditions,
            deadline_s,
            created_ts: None,
            trace: call.trace(),
        };
        let id = call.service.schedule(draft).await?.id;
        concerns(id);
        let answer = Answer::json(&Accepted { id })?;
        Ok(answer.with_status(StatusCode::CREATED).found_at(Dialect::V1.action(id)))
    })
}

fn queue(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let (from, limit) = page(call, List::Queue)?;
        actions(&call.service.queue(from, limit).await?)
    })
}

fn finished(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let (from, limit) = page(call, List::Finished)?;
        actions(&call.service.finished(from, limit).await?)
    })
}

fn record(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let id = call.id()?;
        concerns(id);
        let after = call.query.number(AFTER)?;
        let record = match call.query.number(WAIT)? {
            None => call.service.record(id).await?,
            Some(seconds) => {
                let after = after.ok_or_else(|| Problem::new(Code::BadParameter, "wait needs after").at("/after"))?;
                call.service
                    .record_after(id, after, Duration::from_secs(seconds))
                    .await?
            }
        };
        Answer::json(&Full::from(&record))
    })
}

fn cancel(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let id = call.id()?;
        concerns(id);
        let record = call.service.cancel(id).await?;
        Ok(Answer::json(&Full::from(&record))?.with_status(StatusCode::ACCEPTED))
    })
}

fn history(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let id = call.id()?;
        let (from, limit) = page(call, List::History(id))?;
        let Page { items, next } = call.service.history(id, from, limit).await?;
        let transitions = items.iter().map(Step::from).collect();
        Answer::json(&History {
            transitions,
            next: next.map(|next| next.to_string()),
        })
    })
}

fn actions(page: &Page<Summary>) -> Result<Answer, Problem> {
    let Page { items, next } = page;
    let actions = items.iter().map(Short::from).collect();
    Answer::json(&Actions {
        actions,
        next: next.map(|next| next.to_string()),
    })
}

/// Which page of a list is asked for.
fn page(call: Ask<'_>, list: List) -> Result<(Option<Cursor>, usize), Problem> {
    let limit = call.query.number(LIMIT)?.and_then(|limit| usize::try_from(limit).ok());
    let from = call
        .query
        .text(CURSOR)
        .map(|text| Cursor::parse(list, text))
        .transpose()?;
    Ok((from, limit.unwrap_or(100)))
}

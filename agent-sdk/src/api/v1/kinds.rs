//! The kinds of action that this agent offers, and what one would do.

use actix_web::http::Method;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::shapes;
use crate::action::{Absent, Catalogue, Entry, Plan, PlannedStep};
use crate::api::access::Role;
use crate::api::answer::Answer;
use crate::api::call::Ask;
use crate::api::problem::Code;
use crate::api::route::{Gives, Reply, Route, schema};
use crate::spec::ErrorRecord;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route {
            method: Method::GET,
            path: "/api/v1/kinds",
            about: "The kinds of action that this agent offers.",
            needs: Role::Read,
            takes: None,
            query: &[],
            gives: Gives::Json(200, schema::<Kinds<'_>>),
            problems: &[],
            handler: kinds,
        },
        Route {
            method: Method::POST,
            path: "/api/v1/kinds/{scope}/{name}/plan",
            about: "What an action would do now, without doing it. It uses the store's credentials, as the action would.",
            needs: Role::Act,
            takes: Some(schema::<Asked>),
            query: &[],
            gives: Gives::Json(200, schema::<PlanView<'_>>),
            problems: &[
                Code::BadArguments,
                Code::NoSuchKind,
                Code::NoPlan,
                Code::Busy,
                Code::PlanTimeout,
            ],
            handler: plan,
        },
    ]
}

fn kinds(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move { Answer::json(&Kinds::from(&**call.service.catalogue())) })
}

fn plan(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        let Asked { args } = call.body()?;
        let kind = format!("{}/{}", call.segment("scope"), call.segment("name"));
        let Plan {
            done,
            steps,
            refused,
            unchecked,
        } = call.service.plan(&kind, args).await?;
        Answer::json(&PlanView {
            kind: &kind,
            done,
            steps: &steps,
            refused: refused.as_ref(),
            unchecked: &unchecked,
        })
    })
}

/// What to plan.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "PlanRequest", deny_unknown_fields)]
struct Asked {
    /// The arguments that the action would have.
    #[schemars(schema_with = "shapes::anything")]
    #[serde(default)]
    args: Option<Box<RawValue>>,
}

/// What an action would do now.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Plan")]
struct PlanView<'a> {
    kind: &'a str,
    /// Whether the goal holds already, so that nothing would be done.
    done: bool,
    /// What would be done, in order.
    steps: &'a [PlannedStep],
    /// Why it would fail, when it would.
    refused: Option<&'a ErrorRecord>,
    /// What only acting would show.
    unchecked: &'a [String],
}

/// What the agent offers.
#[derive(Serialize, JsonSchema)]
struct Kinds<'a> {
    kinds: Vec<KindView<'a>>,
    /// Well-known kinds that this store has no use for.
    absent: Vec<AbsentView<'a>>,
}

/// A kind of action.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Kind")]
struct KindView<'a> {
    kind: &'a str,
    summary: &'a str,
    /// JSON Schema of the arguments.
    #[schemars(schema_with = "shapes::schema")]
    args: &'a Schema,
    /// JSON Schema of the output.
    #[schemars(schema_with = "shapes::schema")]
    output: &'a Schema,
    /// Seconds of running time that an action has at most.
    deadline_s: u32,
    /// Whether it can tell what it would do.
    plan: bool,
}

/// A well-known kind that this store has no use for.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AbsentKind")]
struct AbsentView<'a> {
    kind: &'a str,
    /// Why not.
    reason: &'a str,
    /// What to do instead.
    instead: &'a str,
}

impl<'a> From<&'a Catalogue> for Kinds<'a> {
    fn from(catalogue: &'a Catalogue) -> Self {
        let absent = catalogue.absent().map(|(kind, absent)| {
            let Absent { reason, instead } = absent;
            AbsentView { kind, reason, instead }
        });
        Self {
            kinds: catalogue.entries().map(KindView::from).collect(),
            absent: absent.collect(),
        }
    }
}

impl<'a> From<&'a Entry> for KindView<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            kind: entry.kind.as_str(),
            summary: entry.summary,
            args: &entry.args,
            output: &entry.output,
            deadline_s: entry.deadline_s,
            plan: entry.plans,
        }
    }
}

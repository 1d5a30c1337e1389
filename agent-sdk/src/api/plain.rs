//! What is served outside of both trees: how the agent itself is.

use actix_web::http::Method;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Role;
use super::answer::Answer;
use super::call::Ask;
use super::problem::Code;
use super::route::{Gives, Reply, Route, schema};
use crate::telemetry::Metrics;

pub(super) fn routes() -> Vec<Route> {
    let row = |path, about, needs, gives, problems, handler| Route {
        method: Method::GET,
        path,
        about,
        needs,
        takes: None,
        query: &[],
        gives,
        problems,
        handler,
    };
    let health = Gives::Json(200, schema::<Health>);
    vec![
        row("/healthz", "Whether the process lives.", Role::None, health, &[], alive),
        row(
            "/readyz",
            "Whether the agent can record actions.",
            Role::None,
            health,
            &[Code::NotRecording],
            ready,
        ),
        row(
            "/metrics",
            "Metrics for Prometheus.",
            Role::Read,
            Gives::Text(200, Metrics::MEDIA_TYPE),
            &[],
            metrics,
        ),
    ]
}

/// All is well.
#[derive(Serialize, JsonSchema)]
struct Health {
    /// Always `ok`.
    status: &'static str,
}

fn alive(_: Ask<'_>) -> Reply<'_> {
    Box::pin(async { Answer::json(&Health { status: "ok" }) })
}

fn ready(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        call.service.ready()?;
        Answer::json(&Health { status: "ok" })
    })
}

fn metrics(call: Ask<'_>) -> Reply<'_> {
    Box::pin(async move {
        Ok(Answer::ready(
            Metrics::MEDIA_TYPE,
            call.service.metrics().render().into(),
        ))
    })
}

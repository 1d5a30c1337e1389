//! P3: how many actions run one after the other in a second.

use std::time::Instant;

use anyhow::Context;
use uuid::Uuid;

use crate::load::{self, Line};
use crate::report::{Figure, Target};
use crate::rounds::Rounds;
use crate::scheduling::{ended, ids, schedule_all};
use crate::sqlite::Database;
use crate::{Plan, progress};

/// An action that holds the queue until it is cancelled.
const HOLDER: &str = r#"{"kind":"agent.replicante.io/test.loop","args":{"target":1,"delay_ms":3600000}}"#;

/// Actions of the trial that says how many fit a round.
const TRIAL: usize = 200;

/// Queued no-ops, run to the last, beside durable transactions of one insert each. Each is two steps of its record, and
/// one transaction: its end and the start of the next.
pub(crate) fn run_in_a_row(plan: &Plan) -> anyhow::Result<Figure> {
    progress("P3: no-ops in a row");
    let trial = run_per_second(plan, TRIAL)?;
    let count = whole(trial * plan.round().as_secs_f64());
    let rounds = Rounds::alternate(
        plan.rounds,
        || run_per_second(plan, count),
        || {
            let directory = plan.directory()?;
            Database::create(directory.path())?.one_by_one(plan.round())
        },
    )?;
    let figure = Figure::beside(
        "P3",
        "no-op actions run",
        "/s",
        "durable SQLite transactions of one insert each",
        &rounds,
        Target::AtLeast(0.8),
    );
    Ok(figure.noting(format!(
        "{count} actions in each round, queued behind one that is then cancelled"
    )))
}

fn run_per_second(plan: &Plan, count: usize) -> anyhow::Result<f64> {
    let directory = plan.directory()?;
    let agent = plan.agent(directory.path())?;
    let runtime = load::runtime()?;
    let mut line = runtime.block_on(Line::open(agent.address))?;
    let request = load::send("POST", "/api/v1/actions", &agent.token, HOLDER);
    let held: serde_json::Value = serde_json::from_slice(runtime.block_on(line.expect(201, &request))?)?;
    let holder: Uuid = held.get("id").and_then(|id| id.as_str()).context("no id")?.parse()?;
    let queued = ids(count);
    schedule_all(&agent, &queued)?;
    let last = last_queued(&mut line, &runtime)?;
    let path = format!("/api/v1/actions/{holder}");
    let cancel = load::send("DELETE", &path, &agent.token, "");
    let begun = Instant::now();
    runtime.block_on(async {
        line.expect(202, &cancel).await?;
        ended(&agent, &mut line, last).await
    })?;
    Ok(u32::try_from(count).map_or(f64::NAN, f64::from) / begun.elapsed().as_secs_f64())
}

/// The id of the action at the queue's end: 64 clients decide together which it is.
fn last_queued(line: &mut Line, runtime: &tokio::runtime::Runtime) -> anyhow::Result<Uuid> {
    let mut cursor = String::new();
    loop {
        let request = load::get(&format!("/api/v1/actions/queue?limit=1000{cursor}"));
        let page: serde_json::Value = serde_json::from_slice(runtime.block_on(line.expect(200, &request))?)?;
        match page.get("next").and_then(|next| next.as_str()) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => {
                let last = page.get("actions").and_then(|actions| actions.as_array()?.last());
                let id = last.and_then(|action| action.get("id")?.as_str());
                return Ok(id.context("an empty queue")?.parse()?);
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate of actions is far below 2^53, and not negative"
)]
fn whole(actions: f64) -> usize {
    (actions as usize).clamp(100, 100_000)
}

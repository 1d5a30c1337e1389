//! P3: how many actions run one after the other in a second.

use std::time::Instant;

use uuid::Uuid;

use crate::children::Agent;
use crate::load::{self, Line};
use crate::report::{Figure, Target};
use crate::rounds::Rounds;
use crate::scheduling::{CLIENTS, ended, hold, ids, per_second, schedule, schedule_all};
use crate::sqlite::Database;
use crate::{Plan, progress};

/// Actions, and transactions, of one turn.
const SLICE: usize = 128;

/// Queued no-ops, run to the last, beside durable transactions of one insert each. An action takes two steps of its
/// record, and one transaction: its end and the start of the next.
pub(crate) fn run_in_a_row(plan: &Plan) -> anyhow::Result<Figure> {
    progress("P3: no-ops in a row");
    let (agents, yardsticks) = (plan.directory()?, plan.directory()?);
    let agent = plan.agent(agents.path())?;
    let mut database = Database::create(yardsticks.path())?;
    let runtime = load::runtime()?;
    let mut lines = runtime.block_on(Line::open_many(agent.address, CLIENTS))?;
    let rounds = Rounds::for_long(plan.both(), |rounds| {
        let holder = hold(&agent, &runtime, &mut lines)?;
        schedule_all(&agent, &runtime, &mut lines, &ids(SLICE - 1))?;
        let figure = runtime.block_on(release_and_wait(&agent, &mut lines[0], holder))?;
        let ids = ids(SLICE);
        let begun = Instant::now();
        for id in &ids {
            database.insert(&[*id])?;
        }
        rounds.push(per_second(SLICE, figure), per_second(SLICE, begun.elapsed()));
        Ok(())
    })?;
    Ok(Figure::beside(
        "P3",
        "no-op actions run",
        "/s",
        "durable SQLite transactions of one insert each; 128 by turns",
        &rounds,
        Target::AtLeast(0.8),
    ))
}

/// Schedules the last action, cancels the one that holds the queue, and says how long it takes until the last is done.
async fn release_and_wait(agent: &Agent, line: &mut Line, holder: Uuid) -> anyhow::Result<std::time::Duration> {
    let last = Uuid::new_v4();
    line.expect(201, &schedule(&agent.token, last)).await?;
    let cancel = load::send("DELETE", &format!("/api/v1/actions/{holder}"), &agent.token, "");
    let begun = Instant::now();
    line.expect(202, &cancel).await?;
    ended(agent, line, last).await?;
    Ok(begun.elapsed())
}

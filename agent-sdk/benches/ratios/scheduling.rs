//! P1, P2 and P4: what it costs to schedule an action, and to have it done.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde::Deserialize;
use uuid::Uuid;

use crate::children::{Agent, Bare};
use crate::load::{self, Line};
use crate::report::{Figure, Target};
use crate::rounds::{Rounds, median};
use crate::sqlite::{Database, KIND};
use crate::{Plan, progress};

/// Clients of P1, and records of one transaction of its yardstick.
const CLIENTS: usize = 64;

/// Records of the trial that says how many fit a round.
const TRIAL: usize = 10 * CLIENTS;

/// What one client sees, of a few lines of an answer.
#[derive(Deserialize)]
struct Seen {
    state: String,
    version: u64,
}

/// P1: 64 clients that schedule, each as fast as it is answered, beside the same records by `SQLite` alone, 64 in a
/// transaction. The agent also runs what it accepts meanwhile: nothing holds it back.
pub(crate) fn many_clients(plan: &Plan) -> anyhow::Result<Figure> {
    progress("P1: 64 clients schedule");
    let trial = scheduled_per_second(plan, &ids(TRIAL))?;
    let records = whole_batches(trial * plan.round().as_secs_f64());
    let ids = ids(records);
    let rounds = Rounds::alternate(
        plan.rounds,
        || scheduled_per_second(plan, &ids),
        || inserted_per_second(plan, &ids),
    )?;
    let figure = Figure::beside(
        "P1",
        "durable scheduling, 64 clients",
        "/s",
        "SQLite alone, the same records, 64 in a transaction",
        &rounds,
        Target::AtLeast(0.7),
    );
    Ok(figure.noting(format!("{records} records in each round, into an empty database")))
}

/// P2 and P4: one client schedules a no-op on an idle agent, is answered, and waits for its end; beside one durable
/// insert and one exchange with a bare route.
pub(crate) fn one_client(plan: &Plan) -> anyhow::Result<[Figure; 2]> {
    progress("P2, P4: one client schedules and waits for the end");
    let (agents, yardsticks) = (plan.directory()?, plan.directory()?);
    let agent = plan.agent(agents.path())?;
    let bare = Bare::start(yardsticks.path(), br#"{"id":"8e0b8a3e-0f5c-4d0e-9f39-2a8f3c1f6c55"}"#)?;
    let mut database = Database::create(yardsticks.path())?;
    let runtime = load::runtime()?;
    let mut to_agent = runtime.block_on(Line::open(agent.address))?;
    let mut to_bare = runtime.block_on(Line::open(bare.address))?;
    let (mut answered, mut done) = (Rounds::default(), Rounds::default());
    let mut round = |time| {
        let (mut answers, mut ends, mut inserts) = (Vec::new(), Vec::new(), Vec::new());
        let begun = Instant::now();
        while begun.elapsed() < time {
            let [answer, end] = runtime.block_on(schedule_and_wait(&agent, &mut to_agent))?;
            answers.push(answer);
            ends.push(end);
            let request = schedule(&agent.token, Uuid::new_v4());
            let sent = Instant::now();
            database.insert(&[Uuid::new_v4()])?;
            runtime.block_on(to_bare.expect(200, &request))?;
            inserts.push(millis(sent.elapsed()));
        }
        anyhow::Ok((median(answers), median(ends), median(inserts)))
    };
    // What a first time needs belongs to no round.
    round(Duration::from_millis(200))?;
    for _ in 0..plan.rounds {
        let (answer, end, insert) = round(2 * plan.round())?;
        answered.push(answer, insert);
        done.push(end, insert);
    }
    let yardstick = "one durable SQLite insert, then one exchange with a bare actix route";
    Ok([
        Figure::beside(
            "P2",
            "answer to one client",
            "ms",
            yardstick,
            &answered,
            Target::AtMost(1.3),
        ),
        Figure::beside(
            "P4",
            "schedule → DONE when idle",
            "ms",
            yardstick,
            &done,
            Target::AtMost(2.5),
        ),
    ])
}

/// Milliseconds until the schedule request is answered, and until the long poll says that the action is done.
async fn schedule_and_wait(agent: &Agent, line: &mut Line) -> anyhow::Result<[f64; 2]> {
    let id = Uuid::new_v4();
    let request = schedule(&agent.token, id);
    let sent = Instant::now();
    line.expect(201, &request).await?;
    let answered = sent.elapsed();
    // A record has version 1 when it is accepted and 2 once it runs; whoever waits for more than that need not be told
    // that it runs.
    let mut known = 2;
    loop {
        let poll = load::get(&format!("/api/v1/actions/{id}?wait=60&after={known}"));
        let Seen { state, version } = serde_json::from_slice(line.expect(200, &poll).await?)?;
        match state.as_str() {
            "DONE" => return Ok([millis(answered), millis(sent.elapsed())]),
            "NEW" | "RUNNING" => known = version,
            _ => anyhow::bail!("a no-op ended as {state}"),
        }
    }
}

/// The request that schedules a no-op.
pub(crate) fn schedule(token: &str, id: Uuid) -> Vec<u8> {
    let body = format!(r#"{{"kind":"{KIND}","args":{{}},"id":"{id}"}}"#);
    load::send("POST", "/api/v1/actions", token, &body)
}

/// Has 64 clients schedule these on a new agent, which is left with what it has accepted.
fn scheduled_per_second(plan: &Plan, ids: &[Uuid]) -> anyhow::Result<f64> {
    let directory = plan.directory()?;
    let agent = plan.agent(directory.path())?;
    schedule_all(&agent, ids)
}

/// Has 64 clients schedule these; records per second.
pub(crate) fn schedule_all(agent: &Agent, ids: &[Uuid]) -> anyhow::Result<f64> {
    let requests: Vec<_> = ids.iter().map(|id| schedule(&agent.token, *id)).collect();
    let runtime = load::runtime()?;
    let mut lines = runtime.block_on(Line::open_many(agent.address, CLIENTS))?;
    load::hammer(
        &runtime,
        &mut lines,
        &[load::get("/healthz")],
        Duration::from_millis(50),
    )?;
    let next = Cell::new(0);
    let begun = Instant::now();
    let clients = lines.iter_mut().map(|line| async {
        while let Some(request) = requests.get(next.replace(next.get() + 1)) {
            line.expect(201, request).await?;
        }
        anyhow::Ok(())
    });
    runtime.block_on(futures_util::future::try_join_all(clients))?;
    Ok(per_second(ids.len(), begun.elapsed()))
}

fn inserted_per_second(plan: &Plan, ids: &[Uuid]) -> anyhow::Result<f64> {
    let directory = plan.directory()?;
    let mut database = Database::create(directory.path())?;
    let begun = Instant::now();
    for batch in ids.chunks(CLIENTS) {
        database.insert(batch)?;
    }
    Ok(per_second(ids.len(), begun.elapsed()))
}

/// New ids.
pub(crate) fn ids(count: usize) -> Vec<Uuid> {
    std::iter::repeat_with(Uuid::new_v4).take(count).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate of records is far below 2^53, and not negative"
)]
fn whole_batches(records: f64) -> usize {
    ((records / 64.0).ceil() as usize).clamp(10, 4000) * CLIENTS
}

fn per_second(count: usize, time: Duration) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from) / time.as_secs_f64()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The record once it has ended.
pub(crate) async fn ended(agent: &Agent, line: &mut Line, id: Uuid) -> anyhow::Result<()> {
    let mut known = 0;
    loop {
        let poll = load::get(&format!("/api/v1/actions/{id}?wait=60&after={known}"));
        let Seen { state, version } = serde_json::from_slice(line.expect(200, &poll).await?)?;
        if state == "DONE" || state == "FAILED" {
            return Ok(());
        }
        ensure!(version > known || known == 0, "{} repeats itself", agent.address);
        known = version;
    }
}

//! P1, P2 and P4: what it costs to schedule an action, and to have it done.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Deserialize;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::children::{Agent, Bare};
use crate::load::{self, Line};
use crate::report::{Figure, Target};
use crate::rounds::Rounds;
use crate::sqlite::{Database, KIND};
use crate::{Plan, progress};

/// Clients of P1, and records of one transaction of its yardstick.
pub(crate) const CLIENTS: usize = 64;

/// Records that either side writes before it is the other's turn.
const SLICE: usize = 10 * CLIENTS;

/// An action that holds the queue until it is cancelled.
const HOLDER: &str = r#"{"kind":"agent.replicante.io/test.loop","args":{"target":1,"delay_ms":3600000}}"#;

/// The answer to a schedule request.
#[derive(Deserialize)]
struct Scheduled {
    id: Uuid,
}

/// The part of a record that says how far it is.
#[derive(Deserialize)]
struct Seen {
    state: String,
    version: u64,
}

/// P1: 64 clients that schedule, each as fast as it is answered, beside the same records by `SQLite` alone, 64 in a
/// transaction. The queue is held meanwhile, so that nothing but scheduling is measured, and the agent is still while
/// the yardstick has its turn.
pub(crate) fn many_clients(plan: &Plan) -> anyhow::Result<Figure> {
    progress("P1: 64 clients schedule");
    let (agents, yardsticks) = (plan.directory()?, plan.directory()?);
    let agent = plan.agent(agents.path())?;
    let mut database = Database::create(yardsticks.path())?;
    let runtime = load::runtime()?;
    let mut lines = runtime.block_on(Line::open_many(agent.address, CLIENTS))?;
    hold(&agent, &runtime, &mut lines)?;
    // What a first time needs belongs to no round.
    schedule_all(&agent, &runtime, &mut lines, &ids(SLICE))?;
    let rounds = Rounds::for_long(plan.both(), |rounds| {
        let ids = ids(SLICE);
        let figure = schedule_all(&agent, &runtime, &mut lines, &ids)?;
        let begun = Instant::now();
        for batch in ids.chunks(CLIENTS) {
            database.insert(batch)?;
        }
        rounds.push(per_second(SLICE, figure), per_second(SLICE, begun.elapsed()));
        Ok(())
    })?;
    Ok(Figure::beside(
        "P1",
        "durable scheduling, 64 clients",
        "/s",
        "SQLite alone, the same records, 64 in a transaction; a slice of 640 records each by turns",
        &rounds,
        Target::AtLeast(0.7),
    ))
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
    let mut samples = 0;
    Rounds::for_long(plan.both(), |_| {
        let [answer, end] = runtime.block_on(schedule_and_wait(&agent, &mut to_agent))?;
        let request = schedule(&agent.token, Uuid::new_v4());
        let sent = Instant::now();
        database.insert(&[Uuid::new_v4()])?;
        runtime.block_on(to_bare.expect(200, &request))?;
        let alone = millis(sent.elapsed());
        samples += 1;
        // What a first time needs is not counted.
        if samples > 20 {
            answered.push(answer, alone);
            done.push(end, alone);
        }
        Ok(())
    })?;
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

/// Schedules an action that holds the queue until it is cancelled, and returns its id.
pub(crate) fn hold(agent: &Agent, runtime: &Runtime, lines: &mut [Line]) -> anyhow::Result<Uuid> {
    let request = load::send("POST", "/api/v1/actions", &agent.token, HOLDER);
    let line = lines.first_mut().context("no client")?;
    let Scheduled { id } = serde_json::from_slice(runtime.block_on(line.expect(201, &request))?)?;
    Ok(id)
}

/// Has each connection schedule the next of these, as fast as it is answered, and says how long all of it took.
pub(crate) fn schedule_all(
    agent: &Agent,
    runtime: &Runtime,
    lines: &mut [Line],
    ids: &[Uuid],
) -> anyhow::Result<Duration> {
    let requests: Vec<_> = ids.iter().map(|id| schedule(&agent.token, *id)).collect();
    let next = Cell::new(0);
    let begun = Instant::now();
    let clients = lines.iter_mut().map(|line| async {
        while let Some(request) = requests.get(next.replace(next.get() + 1)) {
            line.expect(201, request).await?;
        }
        anyhow::Ok(())
    });
    runtime.block_on(futures_util::future::try_join_all(clients))?;
    Ok(begun.elapsed())
}

/// New ids.
pub(crate) fn ids(count: usize) -> Vec<Uuid> {
    std::iter::repeat_with(Uuid::new_v4).take(count).collect()
}

pub(crate) fn per_second(count: usize, time: Duration) -> f64 {
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

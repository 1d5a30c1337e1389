//! `actions list`, `show`, `cancel` and `kinds`.

use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::args::{Actions, Args};
use super::connect::{Connection, connect};
use super::output::{self, Console, brief, pairs, printable, rows, short_time, time};
use super::{Exit, Failure, Program, schedule};
use crate::client::{ClientError, Page, Record, Summary, Transition, wait};

/// The most that an agent gives at once.
const PAGE: usize = 1_000;

/// All of `actions`.
pub(super) fn actions(
    args: &Args,
    which: &Actions,
    program: &dyn Program,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    if let Actions::Run(run) = which {
        return schedule::run(args, run, program, console);
    }
    let connection = connect(args, program)?;
    match which {
        Actions::List { all, limit } => list(args, &connection, *all, usize::from(*limit), console),
        Actions::Show { id, history } => show(args, &connection, *id, *history, console),
        Actions::Plan { kind, input } => schedule::plan(args, &connection, kind, input, console),
        Actions::Cancel { id } => {
            let record = wait(connection.client.cancel(*id)).map_err(|error| connection.failure(&error))?;
            if args.json {
                console.document(&record)?;
            } else if record.state.is_final() {
                console.say(&format!("{id} is cancelled"))?;
            } else {
                console.say(&format!("{id} runs and was asked to stop"))?;
            }
            Ok(Exit::Done)
        }
        Actions::Kinds => kinds(args, &connection, console),
        Actions::Run(_) => Ok(Exit::Done), // seen above
    }
}

/// Every entry up to a limit, with the cursor of what is left.
fn pages(
    limit: usize,
    page: impl Fn(usize, Option<&str>) -> Result<Page, ClientError>,
) -> Result<(Vec<Summary>, Option<String>), ClientError> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let Page { actions, next } = page((limit - found.len()).min(PAGE), cursor.as_deref())?;
        let more = !actions.is_empty();
        found.extend(actions);
        if next.is_none() || !more || found.len() >= limit {
            return Ok((found, next));
        }
        cursor = next;
    }
}

fn list(
    args: &Args,
    connection: &Connection,
    all: bool,
    limit: usize,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let (client, limit) = (&connection.client, if all { usize::MAX } else { limit });
    let told = |error: ClientError| connection.failure(&error);
    let (queue, more_queue) = pages(limit, |limit, cursor| wait(client.queue(limit, cursor))).map_err(told)?;
    let (finished, more_finished) = pages(limit, |limit, cursor| wait(client.finished(limit, cursor))).map_err(told)?;
    if args.json {
        let more = more_queue.is_some() || more_finished.is_some();
        console.document(&json!({ "queue": queue, "finished": finished, "more": more }))?;
        return Ok(Exit::Done);
    }
    if queue.is_empty() && finished.is_empty() {
        console.say("no actions")?;
        return Ok(Exit::Done);
    }
    let mut table = rows(["ID", "KIND", "STATE", "SINCE (UTC)"]);
    for action in queue.iter().chain(&finished) {
        let since = action.finished_ts.or(action.started_ts).unwrap_or(action.scheduled_ts);
        let stopping = action.cancel_requested && !action.state.is_final();
        let state = if stopping { "STOPPING" } else { action.state.name() };
        table.add_row([
            action.id.to_string(),
            printable(&action.kind),
            state.to_owned(),
            short_time(since),
        ]);
    }
    console.table(table)?;
    if more_queue.is_some() || more_finished.is_some() {
        console.note("there are more: --limit or --all shows them");
    }
    Ok(Exit::Done)
}

fn show(
    args: &Args,
    connection: &Connection,
    id: Uuid,
    history: bool,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let told = |error: ClientError| connection.failure(&error);
    let record = wait(connection.client.record(id)).map_err(told)?;
    let mut steps: Option<Vec<Transition>> = None;
    if history {
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let page = wait(connection.client.history(id, PAGE, cursor.as_deref())).map_err(told)?;
            let more = !page.transitions.is_empty();
            all.extend(page.transitions);
            cursor = page.next;
            if cursor.is_none() || !more {
                break;
            }
        }
        steps = Some(all);
    }
    if args.json {
        match steps {
            None => console.document(&record)?,
            Some(steps) => console.document(&Told {
                action: &record,
                transitions: &steps,
            })?,
        }
        return Ok(Exit::Done);
    }
    console.table(record_table(&record))?;
    if let Some(steps) = steps {
        let mut table = rows(["STEP", "AT", "STATE", "TRY", "DETAIL"]);
        for Transition {
            version,
            at,
            state,
            attempt,
            state_payload,
            error,
        } in steps
        {
            let detail = match (&error, &state_payload) {
                (Some(error), _) => output::error(error),
                (None, Some(payload)) => brief(payload, 200),
                (None, None) => String::new(),
            };
            table.add_row([
                version.to_string(),
                time(at),
                state.name().to_owned(),
                attempt.to_string(),
                detail,
            ]);
        }
        console.say("")?;
        console.table(table)?;
    }
    Ok(Exit::Done)
}

/// A record with its steps, for programs. A type of its own, since arguments keep their text only in one.
#[derive(Serialize)]
struct Told<'a> {
    action: &'a Record,
    transitions: &'a [Transition],
}

/// A record as names and values.
pub(super) fn record_table(record: &Record) -> comfy_table::Table {
    let Record {
        id,
        kind,
        args,
        headers,
        requester,
        created_ts,
        scheduled_ts: _,
        started_ts,
        finished_ts,
        state,
        state_payload,
        output,
        error,
        attempt,
        cancel_requested,
        preconditions,
        deadline_s,
        version: _,
    } = record;
    let mut lines = vec![
        ("Action", id.to_string()),
        ("Kind", kind.clone()),
        ("State", state.name().to_owned()),
    ];
    if *cancel_requested {
        lines.push(("Cancelled", "a client asked for its end".to_owned()));
    }
    lines.extend(error.as_ref().map(|error| ("Error", output::error(error))));
    lines.extend(output.as_deref().map(|output| ("Output", brief(output, 2_000))));
    lines.extend(
        state_payload
            .as_deref()
            .map(|payload| ("Checkpoint", brief(payload, 2_000))),
    );
    lines.extend(args.as_deref().map(|args| ("Arguments", brief(args, 2_000))));
    lines.push(("Attempts", attempt.to_string()));
    lines.push(("Requester", requester.clone()));
    lines.push(("Created", time(*created_ts)));
    lines.extend(started_ts.map(|at| ("Started", time(at))));
    lines.extend(finished_ts.map(|at| ("Finished", time(at))));
    lines.push(("Deadline", format!("{deadline_s} s of running time")));
    lines.extend(headers.iter().map(|(key, value)| ("Header", format!("{key}: {value}"))));
    let required = preconditions
        .as_ref()
        .and_then(|required| serde_json::value::to_raw_value(required).ok());
    lines.extend(required.map(|required| ("Required", brief(&required, 2_000))));
    pairs(lines)
}

fn kinds(args: &Args, connection: &Connection, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let answer = wait(connection.client.kinds()).map_err(|error| connection.failure(&error))?;
    if args.json {
        console.document(&answer)?;
        return Ok(Exit::Done);
    }
    let mut table = rows(["KIND", "PLAN", "WHAT IT DOES"]);
    for kind in &answer.kinds {
        let plan = if kind.plan { "yes" } else { "no" };
        table.add_row([printable(&kind.kind), plan.to_owned(), printable(&kind.summary)]);
    }
    for absent in &answer.absent {
        let [reason, instead] = [&absent.reason, &absent.instead].map(|words| words.trim_end_matches('.'));
        let about = format!("Not on this store: {reason}. Instead: {instead}.");
        table.add_row([printable(&absent.kind), "-".to_owned(), printable(&about)]);
    }
    console.table(table)?;
    Ok(Exit::Done)
}

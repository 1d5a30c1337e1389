//! Runs actions: one at a time, in the order in which they were accepted, the interrupted one first.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::agent::Shared;
use super::answer::Tree;
use super::book::{Book, State};
use super::fault::Fault;
use super::json::Json;
use super::kinds::{self, Loop};
use super::preconditions;

/// Serves the queue for good.
pub async fn run(shared: Arc<Shared>) {
    let mut changes = shared.changes();
    // Actions begun by this process; whatever else is running was interrupted.
    let mut begun = HashSet::new();
    let mut tasks = Vec::new();
    let restarted = shared.look(|book| !book.actions.is_empty());
    let places = if shared.faults.has(Fault::TwoAtOnce) { 2 } else { 1 };
    loop {
        tasks.retain(|task: &tokio::task::JoinHandle<()>| !task.is_finished());
        let next = (tasks.len() < places && !shared.faults.has(Fault::NothingRuns))
            .then(|| shared.look(|book| next(book, &begun, restarted, &shared)))
            .flatten();
        if let Some(seq) = next {
            begun.insert(seq);
            let shared = Arc::clone(&shared);
            let action = async move { one(&shared, seq).await };
            if places == 1 {
                action.await;
                begun.remove(&seq);
            } else {
                tasks.push(actix_web::rt::spawn(action));
            }
        } else if changes.changed().await.is_err() {
            return;
        }
    }
}

fn next(book: &Book, begun: &HashSet<usize>, restarted: bool, shared: &Shared) -> Option<usize> {
    let faults = &shared.faults;
    let interrupted = book
        .actions
        .iter()
        .find(|action| action.state == State::Running && !begun.contains(&action.seq));
    let mut waiting = book
        .actions
        .iter()
        .filter(|action| action.state == State::New && !begun.contains(&action.seq));
    let reversed = faults.has(Fault::OrderLostByCrash) && restarted;
    let first = if reversed || faults.has(Fault::NewestRunsFirst) {
        waiting.next_back()
    } else if faults.has(Fault::OrderedByClock) {
        waiting.min_by_key(|action| match action.tree {
            Tree::V1 => action.id.clone(),
            Tree::Unstable => action.created.clone(),
        })
    } else {
        waiting.next()
    };
    let (one, two) = if faults.has(Fault::RunningResumedLast) {
        (first, interrupted)
    } else {
        (interrupted, first)
    };
    one.or(two).map(|action| action.seq)
}

async fn one(shared: &Shared, seq: usize) {
    let faults = &shared.faults;
    let (kind, args, attempt, unmet, limit) = shared.look(|book| {
        let action = &book.actions[seq];
        let unmet = preconditions::unmet(action.preconditions.as_deref(), shared.options.role);
        (
            action.kind.clone(),
            action.args.clone(),
            action.attempt,
            unmet,
            action.deadline_s,
        )
    });
    if let Some(error) = unmet.filter(|_| attempt == 0 && !faults.has(Fault::PreconditionsIgnored)) {
        shared.change(|book| book.end(seq, Err(error)));
        return;
    }
    shared.change(|book| book.begin(seq));
    let limit = Instant::now().checked_add(Duration::from_secs(limit));
    let given = args.as_deref().map(Json::read).transpose().unwrap_or_default();
    let result = match kind.as_str() {
        // Only where they were not looked at before.
        kind if kinds::check(kind, given.as_ref()).is_err() => failed(),
        kinds::SUCCESS if faults.has(Fault::SuccessEndsFailed) => failed(),
        kinds::SUCCESS => Ok(json!({})),
        kinds::FAIL if faults.has(Fault::FailEndsDone) => Ok(json!({})),
        kinds::LOOP => count(shared, seq, Loop::read(args.as_deref()), limit).await,
        kinds::REMOVE => remove(shared, args.as_deref()),
        _ => failed(),
    };
    shared.change(|book| book.end(seq, result));
}

fn error(code: &str, message: &str) -> Value {
    json!({"code": code, "message": message, "retryable": false})
}

fn failed() -> Result<Value, Value> {
    Err(error("test_failed", "this kind always fails, as asked"))
}

async fn count(shared: &Shared, seq: usize, asked: Loop, limit: Option<Instant>) -> Result<Value, Value> {
    let faults = &shared.faults;
    let Loop { target, delay_ms } = asked;
    let mut done = shared.look(|book| {
        let payload = book.actions[seq].payload.as_ref();
        payload.and_then(|payload| payload["count"].as_u64()).unwrap_or(0)
    });
    let mut changes = shared.changes();
    let end = if faults.has(Fault::LoopStopsShort) {
        target / 2
    } else {
        target
    };
    while done < end {
        done += 1;
        if !faults.has(Fault::ProgressHidden) {
            let shown = if faults.has(Fault::CountGoesBack) {
                target - done
            } else {
                done
            };
            shared.change(|book| book.checkpoint(seq, json!({"count": shown, "target": target})));
        }
        let pause = Instant::now() + Duration::from_millis(delay_ms);
        loop {
            if shared.look(|book| book.actions[seq].cancel) && !faults.has(Fault::CancelOfRunningIgnored) {
                return Err(error("cancelled", "stopped, as asked"));
            }
            if limit.is_some_and(|limit| Instant::now() >= limit) && !faults.has(Fault::DeadlineIgnored) {
                return Err(error("deadline", "it took longer than it may"));
            }
            let until = limit.map_or(pause, |limit| pause.min(limit));
            if Instant::now() >= pause {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until.into()) => {}
                changed = changes.changed() => if changed.is_err() { break },
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(json!({"count": done, "target": target}))
}

fn remove(shared: &Shared, args: Option<&str>) -> Result<Value, Value> {
    let args: Value = args
        .and_then(|args| serde_json::from_str(args).ok())
        .unwrap_or_default();
    if args["node"] == shared.options.node_id.as_str() {
        return Err(error("own_node", "a node is removed by another one"));
    }
    let before = shared.look(|book| {
        let removed = |kind: &str, state: State| kind == kinds::REMOVE && state.is_final();
        book.actions.iter().any(|action| removed(&action.kind, action.state))
    });
    if shared.faults.has(Fault::RemoveOfAbsentFails) || (before && shared.faults.has(Fault::RemoveFailsTwice)) {
        return Err(error("no_such_node", "the node is not in the cluster"));
    }
    Ok(json!({"changed": false}))
}

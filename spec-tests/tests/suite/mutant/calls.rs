//! What is answered about actions and their kinds.

use std::time::Duration;

use serde_json::{Value, json};

use super::agent::Shared;
use super::answer::{Answer, Problem, Tree};
use super::book::State;
use super::fault::Fault;
use super::json::Json;
use super::lists::{self, List};
use super::options::Faults;
use super::routes::{self, Query};
use super::{draft, kinds, records};

pub fn listed(shared: &Shared, tree: Tree, list: List, query: &Query) -> Result<Answer, Problem> {
    let faults = &shared.faults;
    shared.look(|book| match tree {
        Tree::V1 => lists::page(book, list, &query.page, faults),
        Tree::Unstable => Ok(lists::whole(book, list, &mut shared.seen.lock().unwrap(), faults)),
    })
}

fn unknown(id: &str) -> Problem {
    Problem::new("unknown_action", format!("no action has the id {id}"))
}

pub async fn record(shared: &Shared, tree: Tree, id: &str, wait: Option<(u64, u64)>) -> Result<Answer, Problem> {
    let faults = &shared.faults;
    let id = routes::id(id, faults)?;
    let mut changes = shared.changes();
    if let Some((seconds, after)) = wait {
        let news = async {
            while shared.look(|book| book.find(&id).is_some_and(|action| action.version == after)) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        let limit = Duration::from_secs(seconds);
        let there = shared.look(|book| book.find(&id).is_some());
        if faults.has(Fault::LongPollLate) && there {
            tokio::time::sleep(limit).await;
        } else if !faults.has(Fault::LongPollAtOnce)
            && tokio::time::timeout(limit, news).await.is_err()
            && faults.has(Fault::LongPollEmpty)
        {
            return Ok(Answer::text(204, "application/json", ""));
        }
    }
    shared.look(|book| match book.find(&id) {
        Some(action) => Ok(records::answer(200, tree, action, faults)),
        None if faults.has(Fault::UnknownActionNull) => Ok(Answer::json(200, &Value::Null)),
        None => Err(unknown(&id)),
    })
}

pub fn cancel(shared: &Shared, id: &str) -> Result<Answer, Problem> {
    let faults = &shared.faults;
    shared.change(|book| {
        let (seq, state) = book
            .find(id)
            .map(|action| (action.seq, action.state))
            .ok_or_else(|| unknown(id))?;
        match state {
            State::New if !faults.has(Fault::CancelIgnored) => {
                let error = json!({"code": "cancelled", "message": "cancelled before it began", "retryable": false});
                book.cancel(seq, error);
            }
            State::Running => book.ask_to_stop(seq),
            State::Done | State::Failed if !faults.has(Fault::CancelOfFinishedAccepted) => {
                return Err(Problem::new("action_finished", "the action has ended already"));
            }
            _ => {}
        }
        let status = if faults.has(Fault::CancelAnswers200) { 200 } else { 202 };
        Ok(records::answer(status, Tree::V1, &book.actions[seq], faults))
    })
}

pub fn history(shared: &Shared, id: &str, query: &Query) -> Result<Answer, Problem> {
    let faults = &shared.faults;
    shared.look(|book| {
        let action = book.find(id).ok_or_else(|| unknown(id))?;
        let mut steps = action.history.clone();
        if faults.has(Fault::HistoryWithoutSteps) && steps.len() > 2 {
            steps.drain(1..steps.len() - 1);
        }
        if faults.has(Fault::HistoryNewestFirst) {
            steps.reverse();
        }
        let bad = || Problem::new("bad_cursor", "the cursor was not given out for this list").at("/cursor");
        // A cursor is good for one action alone.
        let mark = format!("h{}-", action.seq);
        let from = match &query.page.cursor {
            None => 0,
            Some(cursor) => cursor
                .strip_prefix(&mark)
                .and_then(|digits| digits.parse().ok())
                .ok_or_else(bad)?,
        };
        let usual = if faults.has(Fault::HistoryInShortPages) { 7 } else { 100 };
        let to = steps.len().min(from + query.page.limit.unwrap_or(usual));
        let next = (to < steps.len()).then(|| format!("{mark}{to}"));
        let page = steps.get(from..to).unwrap_or_default();
        Ok(Answer::json(200, &json!({"transitions": page, "next": next})))
    })
}

/// No kind here can tell what it would do.
pub fn plan(kind: &str, body: &[u8], faults: &Faults) -> Result<Answer, Problem> {
    let text = draft::text(body, faults)?;
    let body = Json::read(text).map_err(|_| Problem::new("internal", "read once, not twice"))?;
    if kinds::deadline(kind, faults).is_none() {
        return Err(Problem::new("no_such_kind", "this agent has no kind of that name"));
    }
    kinds::check(kind, body.get("args"))?;
    Err(Problem::new("no_plan", "this kind cannot tell what it would do"))
}

//! From the body of a request to an action in the book, or to the reason why there is none.
//!
//! The order is part of the contract: what the body says, then whether its id was used, then whether kind and arguments
//! fit, then whether there is room.

use std::time::Duration;

use super::agent::Shared;
use super::answer::{Answer, Problem, Tree};
use super::book::{Action, Book};
use super::draft::{STAND_IN, draft, text};
use super::fault::Fault;
use super::json::{Json, What};
use super::kinds;
use super::options::Faults;

/// `POST /actions`, `POST /action`.
pub async fn schedule(shared: &Shared, tree: Tree, body: &[u8]) -> Result<Answer, Problem> {
    let faults = &shared.faults;
    let text = match text(body, faults) {
        Ok(text) => text,
        Err(problem) => {
            if problem.code == "malformed_body" && faults.has(Fault::HostileBodyStored) {
                let body = Json::read(STAND_IN).map_err(|_| Problem::new("internal", ""))?;
                shared.change(|book| draft(tree, &body, faults).map(|action| book.accept(action)))?;
            }
            if problem.code == "malformed_body" && faults.has(Fault::HostileBodyKills) {
                shared.stop();
            }
            return Err(problem);
        }
    };
    let body = Json::read(text).map_err(|_| Problem::new("internal", "read once, not twice"))?;
    let action = draft(tree, &body, faults)?;
    if faults.has(Fault::IdAcceptedTwice) && shared.look(|book| book.find(&action.id).is_none()) {
        // Time enough for another request to find the same.
        tokio::time::sleep(Duration::from_millis(10)).await;
        return shared.change(|book| take(book, tree, action, &body, shared));
    }
    shared.change(|book| match known(book, tree, &action, faults) {
        Some(answered) => answered,
        None => take(book, tree, action, &body, shared),
    })
}

/// What is answered where the id was used before.
fn known(book: &mut Book, tree: Tree, action: &Action, faults: &Faults) -> Option<Result<Answer, Problem>> {
    let known = book.find(&action.id)?;
    let (id, seq) = (known.id.clone(), known.seq);
    if faults.has(Fault::FinishedSetBack) {
        book.set_back(seq);
        return Some(Ok(accepted(tree, &id, faults)));
    }
    if faults.has(Fault::RepeatedIdAccepted) {
        return Some(Ok(accepted(tree, &id, faults)));
    }
    (!faults.has(Fault::RepeatedIdRunsTwice)).then(|| Err(used(tree, known, action, faults)))
}

fn take(book: &mut Book, tree: Tree, mut action: Action, body: &Json<'_>, shared: &Shared) -> Result<Answer, Problem> {
    let faults = &shared.faults;
    let Some(longest) = kinds::deadline(&action.kind, faults) else {
        let unknown = Problem::new("unknown_kind", "this agent has no kind of that name").at("/kind");
        if faults.has(Fault::UnknownKindAccepted) {
            let id = action.id.clone();
            book.accept(action);
            return Ok(accepted(tree, &id, faults));
        }
        if faults.has(Fault::RefusedIsRecorded) {
            book.accept(action);
            return Err(unknown);
        }
        return Err(match () {
            () if faults.has(Fault::UnknownKind404) => unknown.status(404),
            () if faults.has(Fault::UnknownKind500) => unknown.status(500),
            () => unknown,
        });
    };
    let args = body.get("args");
    if faults.has(Fault::NullArgsRefused) && args.is_none_or(Json::is_null) {
        return Err(Problem::new("bad_arguments", "arguments are needed").at("/args"));
    }
    if !faults.has(Fault::BadArgumentsAccepted) {
        kinds::check(&action.kind, args)?;
    }
    action.deadline_s = match tree {
        Tree::V1 => deadline(body, longest, faults)?,
        Tree::Unstable => longest,
    };
    let most = if faults.has(Fault::QueueOfTwenty) {
        20
    } else {
        shared.options.max_queued
    };
    if book.open >= most {
        let full = Problem::new("queue_full", "as many actions wait as may");
        return Err(match () {
            () if faults.has(Fault::OverloadFails) => full.status(500),
            () if faults.has(Fault::OverloadCloses) => full.cut(),
            () if faults.has(Fault::OverloadWithoutRetryAfter) => full,
            () => full.with("retry-after", "5"),
        });
    }
    let id = action.id.clone();
    let lost = faults.has(Fault::LostUnderLoad) && book.open > 3 && id.ends_with(['0', '1', '2', '3']);
    if !lost {
        book.accept(action);
    }
    Ok(accepted(tree, &id, faults))
}

fn used(tree: Tree, known: &Action, action: &Action, faults: &Faults) -> Problem {
    let args = |action: &Action| action.args.clone().unwrap_or_else(|| "null".to_owned());
    let (one, two) = (args(known), args(action));
    let same = match (Json::read(&one), Json::read(&two)) {
        (Ok(_), Ok(_)) if faults.has(Fault::SameRequestByText) => one == two,
        (Ok(one), Ok(two)) => one.same(&two),
        _ => false,
    };
    let same = (same && known.kind == action.kind) || faults.has(Fault::SameRequestAlways);
    let mut problem = Problem::new("id_used", format!("the id {} was used before", known.id)).at("/id");
    if !faults.has(Fault::ConflictWithoutSameRequest) {
        problem = problem.further("same_request", same);
    }
    if !faults.has(Fault::ConflictWithoutLocation) {
        problem = problem.with("location", place(tree, &known.id));
    }
    problem
}

fn place(tree: Tree, id: &str) -> String {
    match tree {
        Tree::V1 => format!("/api/v1/actions/{id}"),
        Tree::Unstable => format!("/api/unstable/action/{id}"),
    }
}

fn accepted(tree: Tree, id: &str, faults: &Faults) -> Answer {
    let status = match tree {
        _ if faults.has(Fault::AcceptedWithAnotherStatus) => 202,
        Tree::V1 => 201,
        Tree::Unstable => 200,
    };
    let body = if faults.has(Fault::AcceptedWithoutId) {
        serde_json::json!({})
    } else {
        serde_json::json!({"id": id})
    };
    let answer = Answer::json(status, &body);
    if tree == Tree::V1 && !faults.has(Fault::AcceptedWithoutLocation) {
        answer.with("location", place(tree, id))
    } else {
        answer
    }
}

fn deadline(body: &Json<'_>, most: u64, faults: &Faults) -> Result<u64, Problem> {
    match body.get("deadline_s").map(|value| &value.what) {
        None | Some(What::Null) => Ok(most),
        Some(What::Number(text)) => match text.parse() {
            Ok(seconds) if (1..=most).contains(&seconds) || faults.has(Fault::DeadlineUnbounded) => Ok(seconds),
            _ => Err(Problem::new("bad_value", format!("deadline_s is 1 to {most} for this kind")).at("/deadline_s")),
        },
        Some(_) => Err(Problem::new("bad_value", "deadline_s is a number").at("/deadline_s")),
    }
}

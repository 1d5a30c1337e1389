//! Lists of actions: pages in `v1`, everything in `unstable`.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::answer::{Answer, Problem};
use super::book::{Action, Book};
use super::fault::Fault;
use super::options::Faults;
use super::records;

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    Queue,
    Finished,
}

/// What a page of `v1` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub limit: Option<usize>,
    pub cursor: Option<String>,
}

fn finished<'a>(book: &'a Book, faults: &Faults) -> Vec<&'a Action> {
    let failed = |action: &&Action| action.error.is_some() && faults.has(Fault::FailedInNoList);
    let early = faults.has(Fault::RunningAmongFinished);
    let ended = book
        .actions
        .iter()
        .filter(|action| action.state.is_final() || (early && action.attempt > 0));
    let kept = ended.filter(|action| book.is_kept(action));
    let mut all: Vec<&Action> = kept.filter(|action| !failed(action)).collect();
    all.sort_by_key(|action| std::cmp::Reverse(action.ended));
    if faults.has(Fault::FinishedCutAt50) {
        all.truncate(50);
    }
    if faults.has(Fault::FinishedOldestFirst) {
        all.reverse();
    }
    all
}

fn queue<'a>(book: &'a Book, faults: &Faults) -> Vec<&'a Action> {
    let stays = faults.has(Fault::FinalStaysInQueue);
    let hidden =
        |action: &Action| action.attempt > 0 && !action.state.is_final() && faults.has(Fault::QueueWithoutRunning);
    let waiting = book.actions.iter().filter(|action| stays || !action.state.is_final());
    let mut all: Vec<&Action> = waiting.filter(|action| !hidden(action)).collect();
    if faults.has(Fault::QueueNewestFirst) {
        all.reverse();
    }
    all
}

fn twice(entries: &mut Vec<Value>, faults: &Faults) {
    if let Some(first) = entries.first().filter(|_| faults.has(Fault::ListedTwice)) {
        entries.push(first.clone());
    }
}

fn shown(mut entry: Value, faults: &Faults) -> Value {
    if faults.has(Fault::BriefWithoutKind)
        && let Some(entry) = entry.as_object_mut()
    {
        entry.remove("kind");
    }
    entry
}

/// A page. A cursor names the last entry that was read, in the list's own order, so that nothing that comes or goes
/// meanwhile is skipped or repeated.
pub fn page(book: &Book, list: List, page: &Page, faults: &Faults) -> Result<Answer, Problem> {
    let (letter, all) = match list {
        List::Queue => ('q', queue(book, faults)),
        List::Finished => ('f', finished(book, faults)),
    };
    let place = |action: &Action| {
        if list == List::Queue {
            action.seq + 1
        } else {
            action.ended
        }
    };
    let read = |cursor: &String| {
        let digits = cursor.strip_prefix(letter)?.strip_prefix('-')?;
        digits
            .parse::<usize>()
            .ok()
            .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let after = match page.cursor.as_ref().map(read) {
        None => None,
        Some(None) if !faults.has(Fault::BadCursorAccepted) => {
            return Err(Problem::new("bad_cursor", "the cursor was not given out for this list").at("/cursor"));
        }
        Some(_) if faults.has(Fault::CursorIgnored) => None,
        Some(after) => after,
    };
    let backwards = (list == List::Queue) == faults.has(Fault::QueueNewestFirst)
        && (list == List::Finished) != faults.has(Fault::FinishedOldestFirst);
    let repeats = faults.has(Fault::PagingRepeats);
    let beyond = |action: &&&Action| match after {
        None => true,
        Some(after) if repeats && place(action) == after => true,
        Some(after) if backwards => place(action) < after,
        Some(after) => place(action) > after,
    };
    let skipped = usize::from(after.is_some() && faults.has(Fault::PagingSkips));
    let rest: Vec<&&Action> = all.iter().filter(beyond).skip(skipped).collect();
    let limit = match page.limit {
        Some(limit) if !faults.has(Fault::LimitIgnored) => limit,
        _ => 100,
    };
    let entries = rest.iter().take(limit);
    let last = entries.clone().next_back().map(|action| place(action)).or(after);
    let more = rest.len() > limit || faults.has(Fault::NextNeverNull);
    let mut entries: Vec<Value> = entries
        .map(|action| shown(records::brief(action, faults), faults))
        .collect();
    twice(&mut entries, faults);
    let next = more.then(|| format!("{letter}-{}", last.unwrap_or(0)));
    Ok(if faults.has(Fault::ListsBare) {
        Answer::json(200, &json!(entries))
    } else {
        Answer::json(200, &json!({"actions": entries, "next": next}))
    })
}

/// A whole list of `unstable`. `seen` holds the places of those that an answer of `finished` has shown; the queue lists
/// whatever has ended and is not among them first.
pub fn whole(book: &Book, list: List, seen: &mut HashSet<usize>, faults: &Faults) -> Answer {
    let actions = match list {
        List::Finished => {
            let all = finished(book, faults);
            seen.extend(all.iter().map(|action| action.seq));
            all
        }
        List::Queue => {
            let hides = faults.has(Fault::LostBetweenLists) || faults.has(Fault::FailedInNoList);
            let ended = book.actions.iter().filter(|action| action.state.is_final());
            let unseen = ended.filter(|action| !hides && !seen.contains(&action.seq) && book.is_kept(action));
            let waiting = queue(book, faults);
            let (mut all, stays): (Vec<&Action>, _) = (unseen.collect(), faults.has(Fault::FinalStaysInQueue));
            if stays {
                all.clear();
            }
            all.extend(waiting);
            all
        }
    };
    let entries = actions.iter().map(|action| {
        let short = faults.has(Fault::KindShortened);
        let kind = if short {
            action.kind.rsplit('/').next().unwrap_or_default()
        } else {
            &action.kind
        };
        let entry = json!({"id": action.id, "kind": kind, "phase": records::state(action.state, faults)});
        shown(entry, faults)
    });
    let mut entries: Vec<Value> = entries.collect();
    twice(&mut entries, faults);
    Answer::json(
        200,
        &if faults.has(Fault::ListsBare) {
            json!(entries)
        } else {
            json!({"actions": entries})
        },
    )
}

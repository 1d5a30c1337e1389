//! An action as it is shown.

use serde_json::{Value, json};

use super::answer::{Answer, Tree};
use super::book::{Action, State};
use super::fault::Fault;
use super::options::Faults;

/// Stands for a text that is put in once everything else is text too, so that no number in it changes.
const ARGS: &str = "\u{1}args\u{1}";
const PRECONDITIONS: &str = "\u{1}preconditions\u{1}";

/// `GET /actions/{id}`, `GET /action/{id}`; `status` for DELETE.
pub fn answer(status: u16, tree: Tree, action: &Action, faults: &Faults) -> Answer {
    let mut record = match tree {
        Tree::V1 => v1(action, faults),
        Tree::Unstable => unstable(action, faults),
    };
    leave_out(&mut record, tree, faults);
    let mut text = record.to_string();
    for (mark, kept) in [(ARGS, &action.args), (PRECONDITIONS, &action.preconditions)] {
        let kept = kept.as_deref().unwrap_or("null");
        text = text.replacen(&Value::from(mark).to_string(), kept, 1);
    }
    Answer::text(status, "application/json", text)
}

fn args(action: &Action, faults: &Faults) -> Value {
    if faults.has(Fault::ArgsDropped) {
        return Value::Null;
    }
    if faults.has(Fault::ArgsReformatted) {
        let mut args: Value = action
            .args
            .as_deref()
            .map_or(Value::Null, |args| serde_json::from_str(args).unwrap_or_default());
        floats(&mut args);
        return args;
    }
    ARGS.into()
}

fn floats(value: &mut Value) {
    match value {
        Value::Number(number) => *value = number.as_f64().map_or(Value::Null, Value::from),
        Value::Array(list) => list.iter_mut().for_each(floats),
        Value::Object(map) => map.values_mut().for_each(floats),
        _ => {}
    }
}

fn headers(action: &Action, faults: &Faults) -> Value {
    if faults.has(Fault::HeadersDropped) {
        return json!({});
    }
    if faults.has(Fault::HeadersLowerCased) {
        return action
            .headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), json!(value)))
            .collect();
    }
    json!(action.headers)
}

fn kind(action: &Action, faults: &Faults) -> Value {
    let short = action.kind.rsplit('/').next().unwrap_or_default();
    json!(if faults.has(Fault::KindShortened) {
        short
    } else {
        &action.kind
    })
}

fn id(action: &Action, faults: &Faults) -> Value {
    if faults.has(Fault::RecordIdNotUuid) {
        json!(format!("{}", action.seq + 1))
    } else if faults.has(Fault::RecordIdBraced) {
        json!(format!("{{{}}}", action.id))
    } else {
        json!(action.id)
    }
}

/// The state, but for who forgets at every other step that an action runs.
fn shown_state(action: &Action, faults: &Faults) -> Value {
    let steps = action.history.len();
    let forgets = faults.has(Fault::StateGoesBack) && action.state == State::Running && steps % 2 == 1;
    state(if forgets { State::New } else { action.state }, faults)
}

pub fn state(state: State, faults: &Faults) -> Value {
    match state {
        State::Done if faults.has(Fault::StateUnknownWord) => json!("SUCCEEDED"),
        state if faults.has(Fault::StateLowerCase) => json!(json!(state).as_str().unwrap_or_default().to_lowercase()),
        state => json!(state),
    }
}

fn time(time: Option<&str>, faults: &Faults) -> Value {
    let Some(text) = time else { return Value::Null };
    let moment = chrono::DateTime::parse_from_rfc3339(text);
    match moment {
        Ok(moment) if faults.has(Fault::TimeWithOffset) => {
            let zone = chrono::FixedOffset::east_opt(7200).unwrap();
            json!(
                moment
                    .with_timezone(&zone)
                    .to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
            )
        }
        Ok(moment) if faults.has(Fault::TimeShort) => {
            json!(moment.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
        }
        Ok(moment) if faults.has(Fault::TimeNumber) => json!(moment.timestamp()),
        _ => json!(text),
    }
}

fn finished(action: &Action, faults: &Faults) -> Value {
    let missing = match action.state {
        State::Failed => faults.has(Fault::FinishedMissingOnFailed),
        State::Done => faults.has(Fault::FinishedMissingOnDone),
        State::New | State::Running => !faults.has(Fault::FinishedWhileRunning),
    };
    if missing {
        return Value::Null;
    }
    if action.state.is_final() && faults.has(Fault::FinishedBeforeScheduled) {
        return json!("2001-02-03T04:05:06.000000007Z");
    }
    if faults.has(Fault::FinishedMoves) {
        return json!(super::book::now());
    }
    time(action.finished.as_deref().or(Some(&action.scheduled)), faults)
}

fn error(action: &Action, faults: &Faults) -> Value {
    match &action.error {
        Some(_) if faults.has(Fault::ErrorMissingOnFailed) => Value::Null,
        Some(error) if faults.has(Fault::ErrorText) => error["message"].clone(),
        error => json!(error),
    }
}

fn payload(action: &Action, faults: &Faults) -> Value {
    let lost = action.state.is_final() && faults.has(Fault::PayloadLostAtTheEnd);
    if lost { Value::Null } else { json!(action.payload) }
}

/// What lists show of an action in `v1`.
pub fn brief(action: &Action, faults: &Faults) -> Value {
    json!({
        "id": action.id,
        "kind": kind(action, faults),
        "requester": requester(action, faults),
        "created_ts": time(Some(&action.created), faults),
        "scheduled_ts": time(Some(&action.scheduled), faults),
        "started_ts": time(action.started.as_deref(), faults),
        "finished_ts": finished(action, faults),
        "state": shown_state(action, faults),
        "error": error(action, faults),
        "attempt": action.attempt,
        "cancel_requested": action.cancel,
        "deadline_s": action.deadline_s,
        "version": action.version,
    })
}

fn requester(action: &Action, faults: &Faults) -> Value {
    json!(if faults.has(Fault::RequesterDropped) {
        "AGENT_API"
    } else {
        &action.requester
    })
}

fn v1(action: &Action, faults: &Faults) -> Value {
    let mut record = brief(action, faults);
    if faults.has(Fault::CreatedAhead) {
        record["created_ts"] = json!("2999-02-03T04:05:06.000000007Z");
    }
    if let Some(started) = action
        .started
        .as_deref()
        .filter(|_| faults.has(Fault::StartedWithOffset))
    {
        record["started_ts"] = time(Some(started), &Faults(vec![Fault::TimeWithOffset]));
    }
    record["id"] = id(action, faults);
    record["args"] = args(action, faults);
    record["headers"] = headers(action, faults);
    record["preconditions"] = PRECONDITIONS.into();
    record["state_payload"] = payload(action, faults);
    record["output"] = json!(action.output);
    record
}

fn unstable(action: &Action, faults: &Faults) -> Value {
    let shown = match &action.output {
        Some(output) if !faults.has(Fault::PayloadLostAtTheEnd) => json!(output),
        _ => payload(action, faults),
    };
    json!({
        "id": id(action, faults),
        "kind": kind(action, faults),
        "args": args(action, faults),
        "metadata": headers(action, faults),
        "created_time": time(Some(&action.created), faults),
        "scheduled_time": time(Some(&action.scheduled), faults),
        "finished_time": finished(action, faults),
        "state": {"phase": shown_state(action, faults), "error": error(action, faults), "payload": shown},
    })
}

/// Each fault with the pointers of what it leaves out.
const KEYS: [(Fault, &str, &str); 12] = [
    (Fault::RecordWithoutArgs, "args", "args"),
    (Fault::RecordWithoutHeaders, "headers", "metadata"),
    (Fault::RecordWithoutId, "id", "id"),
    (Fault::RecordWithoutKind, "kind", "kind"),
    (Fault::RecordWithoutRequester, "requester", ""),
    (Fault::RecordWithoutCreated, "created_ts", "created_time"),
    (Fault::RecordWithoutScheduled, "scheduled_ts", "scheduled_time"),
    (Fault::RecordWithoutFinished, "finished_ts", "finished_time"),
    (Fault::RecordWithoutState, "state", "state/phase"),
    (Fault::RecordWithoutPayload, "state_payload", "state/payload"),
    (Fault::RecordWithoutError, "error", "state/error"),
    (Fault::RecordWithoutVersion, "version", ""),
];

fn leave_out(record: &mut Value, tree: Tree, faults: &Faults) {
    for (_, v1, unstable) in KEYS.iter().filter(|(fault, ..)| faults.has(*fault)) {
        let key = if tree == Tree::V1 { v1 } else { unstable };
        let (within, key) = key.split_once('/').map_or(("", *key), |(_, key)| ("/state", key));
        if let Some(Value::Object(map)) = record.pointer_mut(within) {
            map.remove(key);
        }
    }
}

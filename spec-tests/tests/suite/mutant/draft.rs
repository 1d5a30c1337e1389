//! What the body of a request says by itself, before anything is known of ids, kinds and room.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::answer::{Problem, Tree};
use super::book::{Action, State, now};
use super::fault::Fault;
use super::json::{Json, What, Wrong};
use super::options::Faults;
use super::preconditions;

/// What is scheduled in place of a body that should have been refused, and was not.
pub const STAND_IN: &str = r#"{"kind": "agent.replicante.io/test.success"}"#;

/// The text of a body as it is taken.
pub fn text<'a>(body: &'a [u8], faults: &Faults) -> Result<&'a str, Problem> {
    let malformed = || Problem::new("malformed_body", "the body is not JSON");
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(_) if faults.has(Fault::BadUtf8Accepted) => return Ok(STAND_IN),
        Err(_) => return Err(malformed()),
    };
    let (fault, problem) = match Json::read(text) {
        Ok(_) => return Ok(text),
        Err(Wrong::Malformed) => (Fault::MalformedAccepted, malformed()),
        Err(Wrong::TooDeep) if faults.has(Fault::DeepNestingFails) => return Err(Problem::new("internal", "too deep")),
        Err(Wrong::TooDeep) => (
            Fault::DeepNestingAccepted,
            Problem::new("body_too_deep", "the body is nested deeper than 128"),
        ),
        Err(Wrong::Twice(at)) => (
            Fault::DuplicateKeyAccepted,
            Problem::new("duplicate_key", format!("{at} is given twice")).at(at),
        ),
        Err(Wrong::OutOfRange(at)) => return Err(Problem::new("bad_value", "no 64-bit float goes so far").at(at)),
    };
    if faults.has(fault) {
        return Ok(STAND_IN);
    }
    let fails = faults.has(Fault::Malformed500) && problem.code == "malformed_body";
    Err(if fails { problem.status(500) } else { problem })
}

/// What the body says by itself.
pub fn draft(tree: Tree, body: &Json<'_>, faults: &Faults) -> Result<Action, Problem> {
    let bad = |at: &str, why: &str| Problem::new("bad_value", why).at(at);
    let first = match &body.what {
        What::List(entries) if faults.has(Fault::ListBodyAccepted) => entries.first(),
        _ => None,
    };
    let body = first.unwrap_or(body);
    let What::Object(entries) = &body.what else {
        return Err(bad("", "the body is a JSON object"));
    };
    let known: &[&str] = match tree {
        Tree::V1 => &[
            "kind",
            "args",
            "headers",
            "id",
            "requester",
            "preconditions",
            "deadline_s",
        ],
        Tree::Unstable => &["kind", "args", "metadata", "id", "created_time"],
    };
    let strict = match tree {
        Tree::V1 => !faults.has(Fault::UnknownKeyAccepted),
        Tree::Unstable => faults.has(Fault::UnknownKeyRefused),
    };
    if let Some((key, _)) = entries.iter().find(|(key, _)| strict && !known.contains(&key.as_str())) {
        let at = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
        return Err(Problem::new("unknown_key", format!("{at} is not known here")).at(at));
    }
    // A key of the other dialect says nothing here.
    let get = |key: &str| body.get(key).filter(|value| known.contains(&key) && !value.is_null());
    let text = |key: &str| match get(key).map(|value| (value, value.text())) {
        None => Ok(None),
        Some((_, Some(text))) => Ok(Some(text.to_owned())),
        Some((_, None)) => Err(bad(&format!("/{key}"), "a string is expected")),
    };
    let kind = text("kind")?.ok_or_else(|| bad("/kind", "a kind is needed"))?;
    let id = match text("id")? {
        None if faults.has(Fault::MadeIdsAlike) && tree == Tree::V1 => {
            "5eed0000-0000-4000-8000-000000000001".to_owned()
        }
        None if faults.has(Fault::MadeIdsAlike) => "5eed0000-0000-4000-8000-000000000002".to_owned(),
        None if faults.has(Fault::MadeIdNumber) => Uuid::new_v4().as_u128().to_string(),
        None => Uuid::new_v4().to_string(),
        Some(id) => match uuid(&id) {
            Some(_) if faults.has(Fault::IdReplaced) => Uuid::new_v4().to_string(),
            Some(uuid) => uuid,
            None if faults.has(Fault::BadIdAccepted) => id,
            None => return Err(Problem::new("bad_id", "an id is a UUID").at("/id")),
        },
    };
    let requester = text("requester")?.unwrap_or_else(|| "AGENT_API".to_owned());
    let visible = (1..=200).contains(&requester.chars().count()) && !requester.chars().any(char::is_control);
    if !visible && !faults.has(Fault::RequesterUnbounded) {
        return Err(bad("/requester", "a requester has 1 to 200 visible characters"));
    }
    let created = text("created_time")?;
    if let Some(time) = created.as_deref().filter(|_| !faults.has(Fault::CreatedOffsetAccepted))
        && !(time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok())
    {
        return Err(bad("/created_time", "a time is RFC 3339 in UTC, and ends with Z"));
    }
    let scheduled = now();
    Ok(Action {
        seq: 0,
        tree,
        id,
        kind,
        args: get("args").map(|args| args.raw.to_owned()),
        headers: headers(get("headers").or_else(|| get("metadata")), tree, faults)?,
        requester,
        created: created
            .filter(|_| !faults.has(Fault::CreatedTimeReplaced))
            .map_or_else(|| scheduled.clone(), |time| nine_digits(&time)),
        scheduled,
        started: None,
        finished: None,
        state: State::New,
        payload: None,
        output: None,
        error: None,
        attempt: 0,
        cancel: false,
        preconditions: preconditions::check(get("preconditions"), faults)?,
        deadline_s: 60,
        version: 0,
        ended: 0,
        history: Vec::new(),
    })
}

/// The same moment with nine digits.
fn nine_digits(time: &str) -> String {
    chrono::DateTime::parse_from_rfc3339(time).map_or_else(
        |_| time.to_owned(),
        |time| time.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true),
    )
}

fn headers(value: Option<&Json<'_>>, tree: Tree, faults: &Faults) -> Result<BTreeMap<String, String>, Problem> {
    let name = if tree == Tree::V1 { "headers" } else { "metadata" };
    let bad = |at: String| Problem::new("bad_value", "strings by name are expected").at(at);
    match value.map(|value| &value.what) {
        None => Ok(BTreeMap::new()),
        Some(What::Object(entries)) => {
            let texts = entries.iter().map(|(key, value)| {
                let at = || bad(format!("/{name}/{}", key.replace('~', "~0").replace('/', "~1")));
                let text = value
                    .text()
                    .or(faults.has(Fault::NumberHeadersAccepted).then_some(value.raw));
                Ok((key.clone(), text.ok_or_else(at)?.to_owned()))
            });
            texts.collect()
        }
        Some(_) => Err(bad(format!("/{name}"))),
    }
}

/// A UUID with its four hyphens, in lower case.
pub fn uuid(text: &str) -> Option<String> {
    let hyphenated = text.len() == 36;
    Uuid::try_parse(text)
        .ok()
        .filter(|_| hyphenated)
        .map(|id| id.to_string())
}

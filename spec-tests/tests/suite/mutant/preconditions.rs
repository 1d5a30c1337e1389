//! What has to hold before an action first runs.

use serde_json::{Value, json};

use super::answer::Problem;
use super::fault::Fault;
use super::json::{Json, What};
use super::options::{Faults, Role};

const STATES: [&str; 7] = [
    "UNAVAILABLE",
    "NOT_IN_CLUSTER",
    "JOINING_CLUSTER",
    "LEAVING_CLUSTER",
    "UNHEALTHY",
    "HEALTHY",
    "UNKNOWN",
];
const ROLES: [&str; 4] = ["PRIMARY", "SECONDARY", "RECOVERING", "OTHER"];

/// The text of preconditions that can be met; none where none are given.
pub fn check(given: Option<&Json<'_>>, faults: &Faults) -> Result<Option<String>, Problem> {
    let Some(given) = given else { return Ok(None) };
    if let Err(at) = object(given) {
        if faults.has(Fault::PreconditionEmptyAccepted) {
            return Ok(None);
        }
        let why = "preconditions are node_status and shards, each with lists of what is accepted, none empty";
        return Err(Problem::new("bad_value", why).at(format!("/preconditions{at}")));
    }
    Ok(Some(given.raw.to_owned()))
}

fn object(given: &Json<'_>) -> Result<(), String> {
    for (key, value) in entries(given, "")? {
        match key.as_str() {
            "node_status" => list(value, &STATES, "/node_status")?,
            "shards" => {
                for (shard, roles) in entries(value, "/shards")? {
                    list(
                        roles,
                        &ROLES,
                        &format!("/shards/{}", shard.replace('~', "~0").replace('/', "~1")),
                    )?;
                }
            }
            _ => return Err(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
        }
    }
    Ok(())
}

fn entries<'a, 'b>(value: &'b Json<'a>, at: &str) -> Result<&'b [(String, Json<'a>)], String> {
    match &value.what {
        What::Object(entries) if !entries.is_empty() => Ok(entries),
        _ => Err(at.to_owned()),
    }
}

fn list(value: &Json<'_>, known: &[&str], at: &str) -> Result<(), String> {
    let What::List(entries) = &value.what else {
        return Err(at.to_owned());
    };
    let fits = |entry: &Json<'_>| entry.text().is_some_and(|text| known.contains(&text));
    match entries.iter().position(|entry| !fits(entry)) {
        Some(index) => Err(format!("{at}/{index}")),
        None if entries.is_empty() => Err(at.to_owned()),
        None => Ok(()),
    }
}

/// Why an action may not begin, if so.
pub fn unmet(given: Option<&str>, role: Role) -> Option<Value> {
    let given: Value = serde_json::from_str(given?).ok()?;
    let among = |list: &Value, word: &str| list.as_array().is_some_and(|list| list.iter().any(|one| one == word));
    let role = match role {
        Role::Primary => "PRIMARY",
        Role::Secondary => "SECONDARY",
    };
    let node = given["node_status"].is_null() || among(&given["node_status"], "HEALTHY");
    let shards = given["shards"].as_object();
    let shards = shards.is_none_or(|shards| shards.iter().all(|(id, list)| id == "shard-0" && among(list, role)));
    (!node || !shards).then(|| {
        json!({
            "code": "precondition_unmet",
            "message": "the node, or a shard, is not as the preconditions want it",
            "retryable": false,
        })
    })
}

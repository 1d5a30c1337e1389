//! The kinds of action, their arguments and what is told of them.

use serde_json::{Value, json};

use super::answer::{Answer, Problem};
use super::fault::Fault;
use super::json::{Json, What};
use super::options::Faults;

pub const SUCCESS: &str = "agent.replicante.io/test.success";
pub const FAIL: &str = "agent.replicante.io/test.fail";
pub const LOOP: &str = "agent.replicante.io/test.loop";
pub const REMOVE: &str = "agent.replicante.io/cluster.remove";

/// Every kind with its deadline in seconds.
const KINDS: [(&str, u64); 4] = [(REMOVE, 60), (FAIL, 60), (LOOP, 86400), (SUCCESS, 60)];

/// The longest that an action of this kind may take, in seconds; none where there is no such kind.
pub fn deadline(kind: &str, faults: &Faults) -> Option<u64> {
    KINDS
        .iter()
        .find(|(known, _)| *known == kind && !(faults.has(Fault::NoTestKinds) && *known != REMOVE))
        .map(|(_, deadline)| *deadline)
}

/// What `test.loop` is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loop {
    pub target: u64,
    pub delay_ms: u64,
}

impl Loop {
    /// From arguments that were checked; what is not there, or does not fit, is as if it were not given.
    pub fn read(args: Option<&str>) -> Self {
        let args: Value = args
            .and_then(|args| serde_json::from_str(args).ok())
            .unwrap_or_default();
        Self {
            target: args["target"].as_u64().unwrap_or(10),
            delay_ms: args["delay_ms"].as_u64().unwrap_or(0),
        }
    }
}

/// Whether arguments fit a kind. Null is checked as `{}`.
pub fn check(kind: &str, args: Option<&Json<'_>>) -> Result<(), Problem> {
    let wrong = |at: String, why: &str| Err(Problem::new("bad_arguments", why).at(at));
    let entries = match args.map(|args| &args.what) {
        None | Some(What::Null) => &[],
        Some(What::Object(entries)) => entries.as_slice(),
        Some(_) => return wrong("/args".to_owned(), "arguments are a JSON object"),
    };
    for (key, value) in entries {
        let number = |most| matches!(&value.what, What::Number(text) if text.parse().is_ok_and(|n: u64| n <= most));
        let fits = match (kind, key.as_str()) {
            (LOOP, "target") => number(1_000_000),
            (LOOP, "delay_ms") => number(3_600_000),
            (REMOVE, "node") => value.text().is_some(),
            _ => false,
        };
        if !fits {
            let at = format!("/args/{}", key.replace('~', "~0").replace('/', "~1"));
            return wrong(at, "there is no such argument, or its value does not fit");
        }
    }
    if kind == REMOVE && entries.is_empty() {
        return wrong("/args/node".to_owned(), "a node is needed");
    }
    Ok(())
}

/// `GET /kinds`.
pub fn list(faults: &Faults) -> Answer {
    let number =
        |most: u64, default: u64| json!({"type": "integer", "minimum": 0, "maximum": most, "default": default});
    let object = |properties: Value, required: &[&str]| {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    };
    let mut kinds = Vec::new();
    for (kind, deadline_s) in KINDS {
        let (summary, args, output) = match kind {
            LOOP => (
                "Counts to a target with a checkpoint at each step.",
                object(
                    json!({"target": number(1_000_000, 10), "delay_ms": number(3_600_000, 0)}),
                    &[],
                ),
                object(
                    json!({"count": {"type": "integer"}, "target": {"type": "integer"}}),
                    &["count", "target"],
                ),
            ),
            REMOVE => (
                "Removes another node from the cluster, which is done already where it is not in it.",
                object(json!({"node": {"type": "string"}}), &["node"]),
                object(json!({"changed": {"type": "boolean"}}), &["changed"]),
            ),
            FAIL => (
                "Does nothing and fails.",
                object(json!({}), &[]),
                object(json!({}), &[]),
            ),
            _ => (
                "Does nothing and succeeds.",
                object(json!({}), &[]),
                object(json!({}), &[]),
            ),
        };
        let mut entry = json!({
            "kind": kind,
            "summary": summary,
            "args": args,
            "output": output,
            "deadline_s": deadline_s,
            "plan": false,
        });
        if faults.has(Fault::KindsWithoutSchemas) {
            (entry["args"], entry["output"]) = (Value::Null, Value::Null);
        }
        let hidden = (faults.has(Fault::KindMissing) && kind == SUCCESS)
            || (faults.has(Fault::RemoveNotOffered) && kind == REMOVE)
            || deadline(kind, faults).is_none();
        if !hidden {
            kinds.push(entry);
        }
    }
    let told = [
        ("init", Fault::InitNotTold),
        ("add", Fault::AddNotTold),
        ("join", Fault::JoinNotTold),
    ];
    let told = told.into_iter().filter(|(_, hidden)| !faults.has(*hidden));
    let absent = told.map(|(name, _)| {
        json!({
            "kind": format!("agent.replicante.io/cluster.{name}"),
            "reason": "the nodes of this store find each other",
            "instead": "start the node",
        })
    });
    let absent: Vec<Value> = absent.collect();
    let mut body = json!({"kinds": kinds, "absent": absent});
    if faults.has(Fault::KindsWithoutAbsent)
        && let Some(body) = body.as_object_mut()
    {
        body.remove("absent");
    }
    Answer::json(200, &body)
}

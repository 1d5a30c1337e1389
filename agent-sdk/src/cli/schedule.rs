//! `actions run` and `actions plan`.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::args::{Args, Input, Run};
use super::connect::{Connection, connect};
use super::output::{self, Console, printable};
use super::{Exit, Failure, Program, watch};
use crate::client::{PlanAnswer, Schedule, wait};
use crate::spec::Preconditions;

/// `actions run`.
pub(super) fn run(args: &Args, run: &Run, program: &dyn Program, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let Run {
        kind,
        input,
        id,
        headers,
        deadline,
        statuses,
        watch,
    } = run;
    let connection = connect(args, program)?;
    let schedule = Schedule {
        kind: kind.clone(),
        args: arguments(input, &connection, kind)?,
        headers: headers.iter().cloned().collect::<BTreeMap<_, _>>(),
        id: *id,
        requester: None,
        preconditions: (!statuses.is_empty()).then(|| Preconditions {
            node_status: statuses.clone(),
            ..Preconditions::default()
        }),
        deadline_s: *deadline,
    };
    let id = match wait(connection.client.schedule(&schedule)) {
        Ok(scheduled) => scheduled.id,
        // The same command again: it has done its work the first time.
        Err(error) => match (error.problem().filter(|problem| problem.same_request == Some(true)), id) {
            (Some(_), Some(id)) => {
                console.note("this very action was scheduled before");
                *id
            }
            _ => return Err(connection.failure(&error)),
        },
    };
    if *watch {
        return watch::watch(args, &connection, id, console);
    }
    if args.json {
        console.document(&serde_json::json!({ "id": id }))?;
    } else {
        console.say(&id.to_string())?;
    }
    Ok(Exit::Done)
}

/// `actions plan`. Exits with [`Exit::Failed`] when the action would fail.
pub(super) fn plan(
    args: &Args,
    connection: &Connection,
    kind: &str,
    input: &Input,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let arguments = arguments(input, connection, kind)?;
    let answer =
        wait(connection.client.plan(kind, arguments.as_deref())).map_err(|error| connection.failure(&error))?;
    let exit = if answer.refused.is_some() {
        Exit::Failed
    } else {
        Exit::Done
    };
    if args.json {
        console.document(&answer)?;
    } else {
        console.say(&told(&answer))?;
    }
    Ok(exit)
}

fn told(answer: &PlanAnswer) -> String {
    let PlanAnswer {
        kind: _,
        done,
        steps,
        refused,
        unchecked,
    } = answer;
    let mut lines = Vec::new();
    if let Some(refused) = refused {
        lines.push(format!("It would fail: {}", output::error(refused)));
    } else if *done {
        lines.push("There is nothing to do: it is so already.".to_owned());
    } else {
        lines.push("It would:".to_owned());
    }
    for (index, step) in steps.iter().enumerate() {
        lines.push(format!("  {}. {}", index + 1, printable(&step.summary)));
    }
    if !unchecked.is_empty() {
        lines.push("Only acting would show:".to_owned());
        lines.extend(unchecked.iter().map(|text| format!("  - {}", printable(text))));
    }
    lines.join("\n")
}

/// Arguments from either form of input; none when none were given.
///
/// `--arg` is JSON where it can be, but for a key that the kind takes text for: `--arg node=3` is the text `3` then.
fn arguments(input: &Input, connection: &Connection, kind: &str) -> Result<Option<Box<RawValue>>, Failure> {
    let usage = |message: String| Failure::new(Exit::Usage, message);
    let Input { args, arg } = input;
    if let Some(text) = args {
        // Kept as it is written: no number changes.
        return serde_json::from_str(text)
            .map(Some)
            .map_err(|error| usage(format!("--args is no JSON: {error}")));
    }
    if arg.is_empty() {
        return Ok(None);
    }
    let mut schema = None;
    let mut map: Map<String, Value> = Map::new();
    for (key, text) in arg {
        let value = match serde_json::from_str(text) {
            Err(_) => Value::from(text.as_str()),
            Ok(scalar @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => {
                let schema = schema.get_or_insert_with(|| schema_of(connection, kind));
                if takes_text(schema, key) {
                    Value::from(text.as_str())
                } else {
                    scalar
                }
            }
            Ok(value) => value,
        };
        if map.insert(key.clone(), value).is_some() {
            return Err(usage(format!("--arg {key} is given twice")));
        }
    }
    serde_json::value::to_raw_value(&map)
        .map(Some)
        .map_err(|error| usage(error.to_string()))
}

/// What the agent says that a kind takes; null when it does not say, which scheduling will then tell better.
fn schema_of(connection: &Connection, kind: &str) -> Value {
    let kinds = wait(connection.client.kinds())
        .map(|kinds| kinds.kinds)
        .unwrap_or_default();
    let found = kinds.into_iter().find(|known| known.kind == kind);
    found.map_or(Value::Null, |known| known.args)
}

fn takes_text(schema: &Value, key: &str) -> bool {
    let types = &schema["properties"][key]["type"];
    let is = |name: &str| {
        types == name
            || types
                .as_array()
                .is_some_and(|types| types.iter().any(|one| one == name))
    };
    is("string") && !["integer", "number", "boolean"].into_iter().any(is)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::takes_text;

    #[test]
    fn a_number_for_a_key_of_text_is_text() {
        let schema = json!({"properties": {
            "node": {"type": "string"},
            "label": {"type": ["string", "null"]},
            "count": {"type": "integer"},
            "either": {"type": ["string", "integer"]},
        }});
        let text: Vec<_> = ["node", "label", "count", "either", "unknown"]
            .map(|key| takes_text(&schema, key))
            .into();
        assert_eq!(text, [true, true, false, false, false]);
    }
}

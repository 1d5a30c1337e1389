//! `/api/unstable`: what the control plane's client accepts.

use serde_json::{Value, json};

use super::amounts::{LAG, OFFSET, amount};
use super::reading::{Absent, Misfits, Object, end_of, one_of, strings, text};
use super::v1::{addresses, brief, version};
use super::{Ask, List};
use crate::model::{Field, NODE_STATES, Node, NodeState, Record, Role, STATES, Shard, State, Store};

const ROLES: [(&str, Role); 3] = [
    ("Primary", Role::Primary),
    ("Secondary", Role::Secondary),
    ("Recovering", Role::Recovering),
];

pub(super) fn schedule(ask: &Ask<'_>) -> Value {
    let Ask {
        kind,
        args,
        id,
        headers,
        requester: _,
        created,
    } = ask;
    let mut body = json!({"kind": kind, "args": args});
    if let Some(id) = id {
        body["id"] = json!(id);
    }
    if let Some(created) = created {
        body["created_time"] = json!(created);
    }
    if !headers.is_empty() {
        body["metadata"] = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
    }
    body
}

pub(super) fn node(misfits: &mut Misfits, body: &Value) -> Option<Node> {
    let object = misfits.object("wire.node", "", body)?;
    // `"HEALTHY"`, or `{"UNKNOWN": "reason"}`.
    let reason = object.get("node_status").and_then(|status| text(&status["UNKNOWN"]));
    let state = object.field(
        misfits,
        ("node_status", "node.status"),
        "one of the seven states",
        Absent::Never,
        |value| match value {
            Value::Object(only) if only.len() == 1 && only.contains_key("UNKNOWN") => Some(NodeState::Unknown),
            value => one_of(&NODE_STATES, value).filter(|state| *state != NodeState::Unknown),
        },
    );
    Some(Node {
        id: object.words(misfits, ("node_id", "node.id"), Absent::Never),
        state,
        reason,
        store_id: object.words(misfits, ("store_id", "wire.node"), Absent::Never),
        agent_version: version(misfits, object, "agent_version", "node.agent_version", "taint"),
        store_version: version(misfits, object, "store_version", "node.store_version", "extra"),
        member_address: addresses(misfits, object, "address"),
        attributes: object.map(misfits, ("attributes", "node.attributes")),
    })
}

pub(super) fn store(misfits: &mut Misfits, body: &Value) -> Option<Store> {
    let object = misfits.object("wire.store", "", body)?;
    Some(Store {
        cluster_id: object.words(misfits, ("cluster_id", "store.cluster_id"), Absent::Never),
        attributes: object.map(misfits, ("attributes", "store.attributes")),
    })
}

pub(super) fn shards(misfits: &mut Misfits, body: &Value) -> Option<Field<Vec<Shard>>> {
    let object = misfits.object("wire.shards", "", body)?;
    Some(object.list(misfits, ("shards", "shards.list"), |misfits, shard| Shard {
        id: shard.words(misfits, ("id", "shard.id"), Absent::Never),
        role: shard.field(
            misfits,
            ("role", "shard.state"),
            "one of the four states",
            Absent::Never,
            |value| match value {
                Value::Object(only) if only.len() == 1 && only.get("Other").is_some_and(Value::is_string) => {
                    Some(Role::Other)
                }
                value => one_of(&ROLES, value),
            },
        ),
        offset: amount(misfits, shard, ("commit_offset", &OFFSET, Absent::Never), unit),
        lag: amount(misfits, shard, ("lag", &LAG, Absent::Null), unit),
    }))
}

/// `"seconds"`, `"milliseconds"` or `{"unit": "name"}`.
fn unit(value: &Value) -> Option<String> {
    match value {
        Value::String(name) if name == "seconds" || name == "milliseconds" => Some(name.clone()),
        Value::Object(only) if only.len() == 1 => text(only.get("unit")?).filter(|unit| !unit.is_empty()),
        _ => None,
    }
}

pub(super) fn list(misfits: &mut Misfits, body: &Value) -> Option<List> {
    let object = misfits.object("wire.lists", "", body)?;
    Some(List {
        actions: object.list(misfits, ("actions", "wire.lists"), |misfits, action| {
            brief(misfits, action, "phase")
        }),
        next: None,
    })
}

pub(super) fn record(misfits: &mut Misfits, body: &Value) -> Option<Record> {
    let object = misfits.object("wire.record", "", body)?;
    let Some(inner) = object.get("state").filter(|state| state.is_object()) else {
        misfits.add("record.state", "/state".to_owned(), "an object", object.get("state"));
        return Some(head(misfits, object, Field::Missing));
    };
    let inner = misfits.object("record.state", "/state", inner)?;
    let state = inner.field(
        misfits,
        ("phase", "record.state"),
        "one of the four states",
        Absent::Never,
        |value| one_of(&STATES, value),
    );
    let [error, payload] = ["error", "payload"].map(|key| inner.any(misfits, (key, "wire.record")));
    Some(Record {
        payload,
        error,
        ..head(misfits, object, state)
    })
}

/// A record without what stands under `state` besides the state itself.
fn head(misfits: &mut Misfits, object: Object<'_>, state: Field<State>) -> Record {
    Record {
        args: object.any(misfits, ("args", "record.args")),
        headers: object.field(
            misfits,
            ("metadata", "record.headers"),
            "strings by name",
            Absent::Never,
            strings,
        ),
        id: object.words(misfits, ("id", "record.id"), Absent::Never),
        kind: object.words(misfits, ("kind", "record.kind"), Absent::Never),
        requester: Field::Missing,
        created: object.text(misfits, ("created_time", "record.created_ts"), Absent::Never),
        scheduled: object.text(misfits, ("scheduled_time", "record.scheduled_ts"), Absent::Never),
        finished: object.text(misfits, ("finished_time", end_of(&state)), Absent::Null),
        state,
        ..Record::default()
    }
}

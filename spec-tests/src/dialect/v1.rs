//! `/api/v1`.

use serde_json::{Value, json};

use super::amounts::{LAG, OFFSET, amount};
use super::reading::{Absent, Misfits, Object, count, end_of, named, one_of, text};
use super::{Ask, List};
use crate::model::{Brief, Field, NODE_STATES, Node, Record, Role, STATES, Shard, Store};

const ROLES: [(&str, Role); 4] = [
    ("PRIMARY", Role::Primary),
    ("SECONDARY", Role::Secondary),
    ("RECOVERING", Role::Recovering),
    ("OTHER", Role::Other),
];

pub(super) fn schedule(ask: &Ask<'_>) -> Value {
    let Ask {
        kind,
        args,
        id,
        headers,
        requester,
        created: _,
    } = ask;
    let mut body = json!({"kind": kind, "args": args});
    if let Some(id) = id {
        body["id"] = json!(id);
    }
    if let Some(requester) = requester {
        body["requester"] = json!(requester);
    }
    if !headers.is_empty() {
        body["headers"] = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
    }
    body
}

pub(super) fn node(misfits: &mut Misfits, body: &Value) -> Option<Node> {
    let object = misfits.object("wire.node", "", body)?;
    let state = object.field(
        misfits,
        ("node_status", "node.status"),
        "one of the seven states",
        Absent::Never,
        |value| one_of(&NODE_STATES, value),
    );
    let reason = object.text(misfits, ("node_status_reason", "wire.node"), Absent::Null);
    Some(Node {
        id: object.words(misfits, ("node_id", "node.id"), Absent::Never),
        state,
        reason: reason.value().cloned(),
        store_id: object.words(misfits, ("store_id", "wire.node"), Absent::Never),
        agent_version: version(misfits, object, "agent_version", "node.agent_version", "taint"),
        store_version: version(misfits, object, "store_version", "node.store_version", "extra"),
        member_address: addresses(misfits, object, "addresses"),
        attributes: object.map(misfits, ("attributes", "node.attributes")),
    })
}

/// The number of a version, whose other two parts are strings or null.
pub(super) fn version(
    misfits: &mut Misfits,
    object: Object<'_>,
    key: &str,
    check: &'static str,
    other: &str,
) -> Field<String> {
    let Some(Value::Object(_)) = object.get(key) else {
        return object.field(misfits, (key, check), "a version", Absent::Never, |_| None);
    };
    let (at, value) = (object.place(key), object.get(key).unwrap_or(&Value::Null));
    let Some(version) = misfits.object(check, &at, value) else {
        return Field::Wrong;
    };
    for part in ["checkout", other] {
        version.text(misfits, (part, "wire.node"), Absent::Null);
    }
    version.text(misfits, ("number", check), Absent::Never)
}

/// The member's address; every address is a string, `client` and `member` may be null.
pub(super) fn addresses(misfits: &mut Misfits, object: Object<'_>, key: &str) -> Field<String> {
    let (at, value) = (object.place(key), object.get(key));
    let Some(addresses) = value.and_then(|value| misfits.object("wire.node", &at, value)) else {
        if value.is_none() {
            misfits.add("wire.node", at, "an object", None);
        }
        return Field::Missing;
    };
    addresses.text(misfits, ("client", "wire.node"), Absent::Null);
    for (name, further) in value.and_then(Value::as_object).into_iter().flatten() {
        if !further.is_string() && name != "client" && name != "member" {
            misfits.add("wire.node", addresses.place(name), "a string", Some(further));
        }
    }
    addresses.text(misfits, ("member", "wire.node"), Absent::Null)
}

pub(super) fn store(misfits: &mut Misfits, body: &Value) -> Option<Store> {
    let object = misfits.object("wire.store", "", body)?;
    Some(Store {
        cluster_id: object.words(misfits, ("cluster_id", "store.cluster_id"), Absent::Null),
        attributes: object.map(misfits, ("attributes", "store.attributes")),
    })
}

pub(super) fn shards(misfits: &mut Misfits, body: &Value) -> Option<Field<Vec<Shard>>> {
    let object = misfits.object("wire.shards", "", body)?;
    Some(object.list(misfits, ("shards", "shards.list"), |misfits, shard| {
        shard.text(misfits, ("replication_state_reason", "wire.shards"), Absent::Null);
        Shard {
            id: shard.words(misfits, ("shard_id", "shard.id"), Absent::Never),
            role: shard.field(
                misfits,
                ("replication_state", "shard.state"),
                "one of the four states",
                Absent::Never,
                |value| one_of(&ROLES, value),
            ),
            offset: amount(misfits, shard, ("commit_offset", &OFFSET, Absent::Null), said),
            lag: amount(misfits, shard, ("replication_lag", &LAG, Absent::Null), said),
        }
    }))
}

fn said(value: &Value) -> Option<String> {
    text(value).filter(|unit| !unit.is_empty())
}

pub(super) fn list(misfits: &mut Misfits, body: &Value) -> Option<List> {
    let object = misfits.object("wire.lists", "", body)?;
    let next = object.text(misfits, ("next", "wire.lists"), Absent::Null);
    Some(List {
        actions: object.list(misfits, ("actions", "wire.lists"), |misfits, action| {
            brief(misfits, action, "state")
        }),
        next: next.value().cloned(),
    })
}

pub(super) fn brief(misfits: &mut Misfits, action: Object<'_>, state: &str) -> Brief {
    Brief {
        id: action.text(misfits, ("id", "wire.lists"), Absent::Never),
        kind: action.text(misfits, ("kind", "wire.lists"), Absent::Never),
        state: action.field(
            misfits,
            (state, "wire.lists"),
            "one of the four states",
            Absent::Never,
            |value| one_of(&STATES, value),
        ),
    }
}

pub(super) fn record(misfits: &mut Misfits, body: &Value) -> Option<Record> {
    let object = misfits.object("wire.record", "", body)?;
    let started = object.text(misfits, ("started_ts", "wire.record"), Absent::Null);
    let [output, payload, _] =
        ["output", "state_payload", "preconditions"].map(|key| object.any(misfits, (key, "wire.record")));
    for (key, absent) in [
        ("attempt", Absent::Never),
        ("deadline_s", Absent::Null),
        ("version", Absent::Never),
    ] {
        object.field(misfits, (key, "wire.record"), "a number", absent, count);
    }
    object.field(
        misfits,
        ("cancel_requested", "wire.record"),
        "true or false",
        Absent::Never,
        Value::as_bool,
    );
    let error = object.field(
        misfits,
        ("error", "wire.record"),
        "an error with its code",
        Absent::Null,
        |value| {
            let whole = value["code"].is_string() && value["message"].is_string() && value["retryable"].is_boolean();
            whole.then(|| value.clone())
        },
    );
    let state = object.field(
        misfits,
        ("state", "record.state"),
        "one of the four states",
        Absent::Never,
        |value| one_of(&STATES, value),
    );
    Some(Record {
        args: object.any(misfits, ("args", "record.args")),
        // Null where none were given.
        headers: object.field(
            misfits,
            ("headers", "record.headers"),
            "values by name",
            Absent::Null,
            named,
        ),
        id: object.words(misfits, ("id", "record.id"), Absent::Never),
        kind: object.words(misfits, ("kind", "record.kind"), Absent::Never),
        requester: object.words(misfits, ("requester", "record.requester"), Absent::Never),
        created: object.text(misfits, ("created_ts", "record.created_ts"), Absent::Never),
        scheduled: object.text(misfits, ("scheduled_ts", "record.scheduled_ts"), Absent::Never),
        started,
        finished: object.text(misfits, ("finished_ts", end_of(&state)), Absent::Null),
        state,
        payload,
        output,
        error,
    })
}

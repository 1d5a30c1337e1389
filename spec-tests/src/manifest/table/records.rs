//! The invocation records of actions.

use super::{checked, informs, partly};
use crate::manifest::Entry;

const RECORDS: &str = "Attributes › Agent Action Invocation Records";

pub(super) const ENTRIES: &[Entry] = &[
    checked(
        RECORDS,
        "1c99ff2623b9adc5",
        "there are records of actions",
        &["action.accepted"],
    ),
    informs(RECORDS, "676e1a08056aba0b", "an agent's actions run where its node is"),
    checked(
        RECORDS,
        "07d476aa8ff2657d",
        "every run of an action has a record, by which it can be followed",
        &["action.accepted", "action.progress"],
    ),
    checked(
        RECORDS,
        "538e180592b3d2ab",
        "a record has what its action was scheduled with",
        &[
            "record.args",
            "record.headers",
            "record.id",
            "record.kind",
            "record.requester",
        ],
    ),
    checked(
        RECORDS,
        "55522e0ced84c03b",
        "a record has the arguments that its action is given",
        &["record.args", "action.args"],
    ),
    checked(
        RECORDS,
        "f5dd27b0b072a8b7",
        "a record has the headers that its action was scheduled with",
        &["record.headers", "action.headers"],
    ),
    checked(
        RECORDS,
        "b6c347103d44c549",
        "a record has an id, which is a UUID",
        &["record.id", "action.id"],
    ),
    partly(
        RECORDS,
        "35dec6250db76630",
        "no two actions of a cluster share an id, though its nodes do not agree on ids",
        &[
            "record.id",
            "lists.ids",
            "action.unique",
            "action.id.made",
            "cluster.action_ids",
            "stress.unique",
        ],
        "ids may be given by clients: who gives one to two agents makes them share it, and no answer tells who gave it",
    ),
    checked(
        RECORDS,
        "11330f58b86ccd88",
        "a record says which implementation is run",
        &["record.kind", "action.kind"],
    ),
    partly(
        RECORDS,
        "e49973db6c31e46e",
        "a record says who asked for the action",
        &["record.requester", "action.requester"],
        "the dialect unstable has no place for it",
    ),
    checked(
        RECORDS,
        "f7ec469d5df74a32",
        "a record has what its agent adds",
        &[
            "record.created_ts",
            "record.finished_ts",
            "record.scheduled_ts",
            "record.state",
        ],
    ),
    partly(
        RECORDS,
        "ee636648bf28d857",
        "a record says when its action came to be",
        &["record.created_ts", "record.times.order"],
        "where a client of unstable gave it, it is that client's to say, and is not compared",
    ),
    checked(
        RECORDS,
        "e49fef7270c2bc95",
        "a record says when its action ended",
        &["record.finished_ts", "record.times.order"],
    ),
    checked(
        RECORDS,
        "f80f0bfcb246e8db",
        "only what has ended, well or badly, has a time of the end",
        &["record.finished_ts", "action.done", "action.failed"],
    ),
    checked(
        RECORDS,
        "ec4609d5b651d35d",
        "a record says when its agent wrote it down for good",
        &["record.scheduled_ts", "record.times.order", "crash.durable"],
    ),
    checked(
        RECORDS,
        "2fdad13607a6ea5b",
        "a record says how far its action is in its life",
        &[
            "record.state",
            "action.done",
            "action.failed",
            "action.state.forward",
            "crash.final",
        ],
    ),
    checked(
        RECORDS,
        "27e07b137c5f683a",
        "a record has a place, which may be empty, where an action notes how far it is",
        &["wire.record", "action.progress"],
    ),
];

//! Rows to records and back, with the digest that says whether what was accepted is still what is there.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::schema::RUNS;
use super::{Brief, Submission, Summary};
use crate::spec::{ErrorRecord, KindName, Record, Requester, State, Timestamp, Transition};

/// The columns that [`record`] and [`summary`] read, in their order.
const SUMMARY: &str = "i.seq, i.id, i.kind, i.requester, i.deadline_s, i.created_ts, i.scheduled_ts, i.state, i.version, \
     i.attempt, i.cancel_requested, i.started_ts, i.finished_ts, i.error";
const REST: &str = "i.state_payload, i.output, coalesce(i.args, r.args), coalesce(i.headers, r.headers), \
     coalesce(i.preconditions, r.preconditions), coalesce(i.trace, r.trace), i.digest";
const SUMMARY_COLUMNS: usize = 14;

/// The longest request, in bytes, that is kept in its record: each step writes the record again, and a request apart costs
/// a row more to accept.
const SHORT: usize = 512;

/// A row that cannot be decoded, or is not what was accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// What is said of such a record.
pub(super) fn damaged_error() -> ErrorRecord {
    ErrorRecord {
        code: "damaged".to_owned(),
        message: "the record in the agent's database is not what was accepted; it was not run".to_owned(),
        retryable: false,
    }
}

/// A query for whole records.
pub(super) fn records(condition: &str) -> String {
    format!(
        "SELECT {SUMMARY}, {REST} FROM invocation i LEFT JOIN request r ON i.headers IS NULL AND r.seq = i.seq WHERE {condition}"
    )
}

/// A query for summaries.
pub(super) fn summaries(condition: &str) -> String {
    format!("SELECT {SUMMARY}, i.place FROM invocation i WHERE {condition}")
}

/// The number by which a row of [`summaries`] is ordered among the finished.
pub(super) fn place(row: &Row<'_>) -> rusqlite::Result<i64> {
    row.get(SUMMARY_COLUMNS)
}

/// Writes what was accepted as number `seq` and returns the record as it now is.
pub(super) fn insert(connection: &Connection, submission: &Submission, seq: i64) -> rusqlite::Result<Record> {
    let now = Timestamp::now();
    let record = Record {
        id: submission.id,
        kind: submission.kind.clone(),
        args: submission.args.clone(),
        headers: submission.headers.clone(),
        requester: submission.requester.clone(),
        preconditions: submission.preconditions.clone(),
        deadline_s: submission.deadline_s,
        trace: submission.trace.clone(),
        created_ts: submission.created_ts.unwrap_or(now),
        scheduled_ts: now,
        started_ts: None,
        finished_ts: None,
        state: State::New,
        state_payload: None,
        output: None,
        error: None,
        attempt: 0,
        cancel_requested: false,
        version: 1,
    };
    let headers = json(&record.headers)?;
    let preconditions = record.preconditions.as_ref().map(json).transpose()?;
    let (created, scheduled) = (record.created_ts.to_string(), record.scheduled_ts.to_string());
    let args = record.args.as_deref().map(RawValue::get);
    let digest = digest(&[
        Some(record.id.as_bytes()),
        Some(record.kind.as_str().as_bytes()),
        Some(record.requester.as_str().as_bytes()),
        Some(&record.deadline_s.to_be_bytes()),
        Some(created.as_bytes()),
        Some(scheduled.as_bytes()),
        args.map(str::as_bytes),
        Some(headers.as_bytes()),
        preconditions.as_deref().map(str::as_bytes),
        record.trace.as_deref().map(str::as_bytes),
    ]);
    let length = |text: Option<&str>| text.map_or(0, str::len);
    let trace = record.trace.as_deref();
    let short = length(args) + headers.len() + length(preconditions.as_deref()) + length(trace) <= SHORT;
    let request = (args, Some(headers.as_str()), preconditions.as_deref(), trace);
    let (here_args, here_headers, here_preconditions, here_trace) =
        if short { request } else { (None, None, None, None) };
    connection
        .prepare_cached(
            "INSERT INTO invocation (seq, id, kind, requester, deadline_s, created_ts, scheduled_ts, args, headers,
                preconditions, trace, digest, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            seq,
            record.id.as_bytes().as_slice(),
            record.kind.as_str(),
            record.requester.as_str(),
            record.deadline_s,
            created,
            scheduled,
            here_args,
            here_headers,
            here_preconditions,
            here_trace,
            digest.as_slice(),
            RUNS + seq
        ])?;
    if !short {
        connection
            .prepare_cached("INSERT INTO request (seq, args, headers, preconditions, trace) VALUES (?, ?, ?, ?, ?)")?
            .execute(params![seq, args, headers, preconditions, trace])?;
    }
    Ok(record)
}

/// A whole record, if it is what was accepted.
pub(super) fn record(row: &Row<'_>) -> Result<Record, Damaged> {
    let head = summary(row)?;
    let at = |offset: usize| SUMMARY_COLUMNS + offset;
    let headers = text(row, at(3))?;
    let preconditions = optional_text(row, at(4))?;
    let args = optional_text(row, at(2))?;
    let trace = optional_text(row, at(5))?;
    let computed = digest(&[
        Some(head.id.as_bytes()),
        Some(head.kind.as_str().as_bytes()),
        Some(head.requester.as_str().as_bytes()),
        Some(&head.deadline_s.to_be_bytes()),
        Some(text(row, 5)?.as_bytes()),
        Some(text(row, 6)?.as_bytes()),
        args.map(str::as_bytes),
        Some(headers.as_bytes()),
        preconditions.map(str::as_bytes),
        trace.map(str::as_bytes),
    ]);
    match row.get_ref(at(6)) {
        Ok(ValueRef::Blob(digest)) if digest == computed.as_slice() => {}
        _ => return Err(Damaged),
    }
    let Summary {
        id,
        kind,
        requester,
        created_ts,
        scheduled_ts,
        started_ts,
        finished_ts,
        state,
        error,
        attempt,
        cancel_requested,
        deadline_s,
        version,
    } = head;
    Ok(Record {
        id,
        kind,
        args: args.map(raw).transpose()?,
        headers: parse(headers)?,
        requester,
        preconditions: preconditions.map(parse).transpose()?,
        deadline_s,
        trace: trace.map(str::to_owned),
        created_ts,
        scheduled_ts,
        started_ts,
        finished_ts,
        state,
        state_payload: optional_text(row, at(0))?.map(raw).transpose()?,
        output: optional_text(row, at(1))?.map(raw).transpose()?,
        error,
        attempt,
        cancel_requested,
        version,
    })
}

/// A record as it can still be shown where it is damaged.
pub(super) fn record_or_damaged(row: &Row<'_>) -> Record {
    record(row).unwrap_or_else(|Damaged| {
        let head = summary_or_damaged(row);
        Record {
            id: head.id,
            kind: head.kind,
            args: None,
            headers: std::collections::BTreeMap::new(),
            requester: head.requester,
            preconditions: None,
            deadline_s: head.deadline_s,
            trace: None,
            created_ts: head.created_ts,
            scheduled_ts: head.scheduled_ts,
            started_ts: head.started_ts,
            finished_ts: head.finished_ts,
            state: head.state,
            state_payload: None,
            output: None,
            error: Some(damaged_error()),
            attempt: head.attempt,
            cancel_requested: head.cancel_requested,
            version: head.version,
        }
    })
}

/// A record's summary.
pub(super) fn summary(row: &Row<'_>) -> Result<Summary, Damaged> {
    Ok(Summary {
        id: id(row, 1)?,
        kind: KindName::parse(text(row, 2)?).map_err(|_| Damaged)?,
        requester: Requester::parse(text(row, 3)?).map_err(|_| Damaged)?,
        deadline_s: number(row, 4)?,
        created_ts: time(text(row, 5)?)?,
        scheduled_ts: time(text(row, 6)?)?,
        state: state(text(row, 7)?)?,
        version: number(row, 8)?,
        attempt: number(row, 9)?,
        cancel_requested: number::<u8>(row, 10)? != 0,
        started_ts: optional_text(row, 11)?.map(time).transpose()?,
        finished_ts: optional_text(row, 12)?.map(time).transpose()?,
        error: optional_text(row, 13)?.map(parse).transpose()?,
    })
}

/// A summary as it can still be shown where it is damaged: whatever can be read, and the fault.
pub(super) fn summary_or_damaged(row: &Row<'_>) -> Summary {
    summary(row).unwrap_or_else(|Damaged| {
        let scheduled_ts = text(row, 6)
            .and_then(time)
            .unwrap_or_else(|Damaged| Timestamp::unreadable());
        Summary {
            id: id(row, 1).unwrap_or_default(),
            kind: text(row, 2)
                .ok()
                .and_then(|kind| KindName::parse(kind).ok())
                .unwrap_or_else(KindName::damaged),
            requester: text(row, 3)
                .ok()
                .and_then(|name| Requester::parse(name).ok())
                .unwrap_or_default(),
            deadline_s: number(row, 4).unwrap_or(1),
            created_ts: text(row, 5).and_then(time).unwrap_or(scheduled_ts),
            scheduled_ts,
            state: text(row, 7).and_then(state).unwrap_or(State::Failed),
            version: number(row, 8).unwrap_or(1),
            attempt: number(row, 9).unwrap_or(0),
            cancel_requested: number::<u8>(row, 10).unwrap_or(0) != 0,
            started_ts: optional_text(row, 11).ok().flatten().and_then(|at| time(at).ok()),
            finished_ts: optional_text(row, 12).ok().flatten().and_then(|at| time(at).ok()),
            error: Some(damaged_error()),
        }
    })
}

/// Id, kind and state from a row of just these.
pub(super) fn brief(row: &Row<'_>) -> Brief {
    Brief {
        id: id(row, 0).unwrap_or_default(),
        kind: text(row, 1).map_or_else(|Damaged| KindName::damaged().to_string(), str::to_owned),
        state: text(row, 2).and_then(state).unwrap_or(State::Failed),
    }
}

/// A step from a row of `version, at, state, attempt, state_payload, error`.
pub(super) fn transition(row: &Row<'_>) -> Result<Transition, Damaged> {
    Ok(Transition {
        version: number(row, 0)?,
        at: time(text(row, 1)?)?,
        state: state(text(row, 2)?)?,
        attempt: number(row, 3)?,
        state_payload: optional_text(row, 4)?.map(raw).transpose()?,
        error: optional_text(row, 5)?.map(parse).transpose()?,
    })
}

/// A record by its id, as it can be shown.
pub(super) fn find(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Record>> {
    connection
        .prepare_cached(&records("i.id = ?"))?
        .query_row([id.as_bytes().as_slice()], |row| Ok(record_or_damaged(row)))
        .optional()
}

/// Whether a record with this id was kept once, and is remembered.
pub(super) fn was_purged(connection: &Connection, id: Uuid) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM purged WHERE id = ?")?
        .exists([id.as_bytes().as_slice()])
}

/// JSON text of a value that always has one.
pub(super) fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// SHA-256 over every field with its length, so that no two different requests have the same bytes.
fn digest(fields: &[Option<&[u8]>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for field in fields {
        match field {
            Some(bytes) => {
                hash.update((bytes.len() as u64).to_be_bytes());
                hash.update(bytes);
            }
            None => hash.update(u64::MAX.to_be_bytes()),
        }
    }
    hash.finalize().into()
}

fn id(row: &Row<'_>, column: usize) -> Result<Uuid, Damaged> {
    match row.get_ref(column) {
        Ok(ValueRef::Blob(bytes)) => Uuid::from_slice(bytes).map_err(|_| Damaged),
        _ => Err(Damaged),
    }
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Damaged> {
    optional_text(row, column)?.ok_or(Damaged)
}

fn optional_text<'a>(row: &'a Row<'_>, column: usize) -> Result<Option<&'a str>, Damaged> {
    match row.get_ref(column) {
        Ok(ValueRef::Null) => Ok(None),
        Ok(ValueRef::Text(bytes)) => std::str::from_utf8(bytes).map(Some).map_err(|_| Damaged),
        _ => Err(Damaged),
    }
}

fn number<T: TryFrom<i64>>(row: &Row<'_>, column: usize) -> Result<T, Damaged> {
    row.get::<_, i64>(column)
        .ok()
        .and_then(|number| T::try_from(number).ok())
        .ok_or(Damaged)
}

fn time(text: &str) -> Result<Timestamp, Damaged> {
    Timestamp::parse(text).map_err(|_| Damaged)
}

fn state(text: &str) -> Result<State, Damaged> {
    State::ALL.into_iter().find(|state| state.name() == text).ok_or(Damaged)
}

fn raw(text: &str) -> Result<Box<RawValue>, Damaged> {
    RawValue::from_string(text.to_owned()).map_err(|_| Damaged)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Damaged> {
    serde_json::from_str(text).map_err(|_| Damaged)
}

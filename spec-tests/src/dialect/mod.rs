//! The two dialects: under which paths an agent is asked, and where in its answers the model's fields stand.
//!
//! A rule that `wire.md` lays down for a shape alone is broken under a `wire.*` check; where the specification itself asks
//! for what is missing, the misfit goes to the check of that sentence, and to no other; where the specification only
//! recommends what the contract asks for, it goes to both.

mod amounts;
mod reading;
mod unstable;
mod v1;

pub(crate) use reading::integer;

use std::fmt;

use serde_json::Value;

use crate::client::{Answer, Request, escaped};
use crate::model::{Brief, Field, Misfit, Node, Record, Shard, Store};

/// A dialect of the HTTP interface.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Deserialize,
    serde::Serialize,
    schemars::JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// `/api/v1`, the specification's own names.
    V1,
    /// `/api/unstable`, what the control plane speaks.
    Unstable,
}

impl Dialect {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V1, Self::Unstable];

    /// Its name in reports, and in paths.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Unstable => "unstable",
        }
    }

    /// A path of it.
    pub fn path(self, rest: &str) -> String {
        format!("/api/{}/{rest}", self.name())
    }

    /// Where a record is: also one whose id an agent has made up, and which may be anything.
    pub fn record_path(self, id: &str) -> String {
        let id = escaped(id);
        match self {
            Self::V1 => self.path(&format!("actions/{id}")),
            Self::Unstable => self.path(&format!("action/{id}")),
        }
    }

    /// Where actions are scheduled.
    pub fn schedule_path(self) -> String {
        match self {
            Self::V1 => self.path("actions"),
            Self::Unstable => self.path("action"),
        }
    }

    /// What an accepted request is answered with.
    pub const fn accepted(self) -> u16 {
        match self {
            Self::V1 => 201,
            Self::Unstable => 200,
        }
    }

    /// The request that schedules an action.
    pub fn schedule(self, ask: &Ask<'_>) -> Request {
        let body = match self {
            Self::V1 => v1::schedule(ask),
            Self::Unstable => unstable::schedule(ask),
        };
        Request::post(self.schedule_path(), &body)
    }

    /// Reads `info/node`.
    pub fn node(self, body: &Value) -> Read<Node> {
        read(|misfits| match self {
            Self::V1 => v1::node(misfits, body),
            Self::Unstable => unstable::node(misfits, body),
        })
    }

    /// Reads `info/store`.
    pub fn store(self, body: &Value) -> Read<Store> {
        read(|misfits| match self {
            Self::V1 => v1::store(misfits, body),
            Self::Unstable => unstable::store(misfits, body),
        })
    }

    /// Reads `info/shards`.
    pub fn shards(self, body: &Value) -> Read<Field<Vec<Shard>>> {
        read(|misfits| match self {
            Self::V1 => v1::shards(misfits, body),
            Self::Unstable => unstable::shards(misfits, body),
        })
    }

    /// Reads a list of actions, with where it goes on, if it does.
    pub fn list(self, body: &Value) -> Read<List> {
        read(|misfits| match self {
            Self::V1 => v1::list(misfits, body),
            Self::Unstable => unstable::list(misfits, body),
        })
    }

    /// Reads an invocation record.
    pub fn record(self, body: &Value) -> Read<Record> {
        read(|misfits| match self {
            Self::V1 => v1::record(misfits, body),
            Self::Unstable => unstable::record(misfits, body),
        })
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is asked for when an action is scheduled.
#[derive(Debug, Clone, Default)]
pub struct Ask<'a> {
    /// Which action.
    pub kind: &'a str,
    /// Its arguments.
    pub args: Value,
    /// Its id, where the client gives one.
    pub id: Option<&'a str>,
    /// Kept for the client.
    pub headers: &'a [(&'a str, &'a str)],
    /// Who asks; only `v1` has a place for it.
    pub requester: Option<&'a str>,
    /// When it was made; only `unstable` has a place for it.
    pub created: Option<&'a str>,
}

/// One page of actions.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// What is on it.
    pub actions: Field<Vec<Brief>>,
    /// The cursor of the next page, in `v1`.
    pub next: Option<String>,
}

/// What was read, and what did not fit.
#[derive(Debug, Clone)]
pub struct Read<T> {
    /// As far as it could be read.
    pub value: T,
    /// What could not.
    pub misfits: Vec<Misfit>,
}

fn read<T: Default>(read: impl FnOnce(&mut reading::Misfits) -> Option<T>) -> Read<T> {
    let mut misfits = reading::Misfits::default();
    let value = read(&mut misfits).unwrap_or_default();
    Read {
        value,
        misfits: misfits.found,
    }
}

/// What is wrong with an answer that has to be a problem document; `code` is its stable word.
pub fn problem(dialect: Dialect, answer: &Answer, status: &[u16]) -> Result<Value, String> {
    if !status.contains(&answer.status) {
        let wanted: Vec<_> = status.iter().map(u16::to_string).collect();
        return Err(format!("status {}", wanted.join(" or ")));
    }
    if answer.media().as_deref() != Some("application/problem+json") {
        return Err("content-type application/problem+json".to_owned());
    }
    let body = answer.json().map_err(|_| "a JSON object".to_owned())?;
    for key in ["type", "title", "detail", "code"] {
        if !body[key].is_string() {
            return Err(format!("a string under /{key}"));
        }
    }
    if body["status"].as_u64() != Some(answer.status.into()) {
        return Err(format!("{} under /status", answer.status));
    }
    if dialect == Dialect::Unstable && (body["error"] != true || !body["error_msg"].is_string()) {
        return Err("true under /error and a string under /error_msg".to_owned());
    }
    Ok(body)
}

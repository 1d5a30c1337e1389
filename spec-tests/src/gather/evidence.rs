//! What agents told, as it came and as it was read.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::client::{Exchange, Fault, shorten};
use crate::dialect::{Dialect, List, Read};
use crate::model::{Field, Node, Record, Shard, Store};

/// The most values in an answer that is read: a hundred thousand actions, ten times what agents keep, have half as many.
const VALUES: usize = 1_000_000;

/// An answer: as it came, and as it was read.
#[derive(Debug, Clone)]
pub struct Told<T> {
    /// As it came.
    pub exchange: Exchange,
    /// As it was read; none where it is no good answer of JSON.
    pub read: Option<Read<T>>,
}

impl<T> Told<T> {
    /// Reads an exchange's answer, where it is a good one.
    pub(crate) fn of(mut exchange: Exchange, read: impl FnOnce(&Value) -> Read<T>) -> Self {
        let answer = exchange.outcome.as_mut().ok().filter(|answer| answer.is_good());
        let (mut found, mut is_long) = (None, false);
        if let Some(answer) = answer
            && let Ok(body) = answer.json()
        {
            is_long = values(&body) > VALUES;
            found = (!is_long).then(|| read(&body));
            // It is read, and a run reads many.
            shorten(&mut answer.body);
        }
        if is_long {
            exchange.outcome = Err(Fault::TooMany(VALUES));
        }
        Self { exchange, read: found }
    }

    /// The value, where there is one.
    pub fn value(&self) -> Option<&T> {
        self.read.as_ref().map(|read| &read.value)
    }

    /// The status that was answered.
    pub fn status(&self) -> Option<u16> {
        self.exchange.outcome.as_ref().ok().map(|answer| answer.status)
    }
}

/// How many values there are in an answer, those within others included.
fn values(body: &Value) -> usize {
    match body {
        Value::Array(within) => 1 + within.iter().map(values).sum::<usize>(),
        Value::Object(within) => 1 + within.values().map(values).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

/// One look at the node.
#[derive(Debug, Clone)]
pub struct Sample {
    /// `info/node`.
    pub node: Told<Node>,
    /// `info/store`.
    pub store: Told<Store>,
    /// `info/shards`.
    pub shards: Told<Field<Vec<Shard>>>,
}

/// Pages of a list.
#[derive(Debug, Clone)]
pub struct Pages {
    /// In the order in which they were read.
    pub pages: Vec<Told<List>>,
    /// Whether the last one brought nothing new, or a cursor that was given before, and says that there is more.
    pub goes_round: bool,
}

/// What one agent told, in one dialect.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its address.
    pub agent: String,
    /// Looks at the node, one after the other.
    pub samples: Vec<Sample>,
    /// Actions that have not ended.
    pub queue: Pages,
    /// Those that have.
    pub finished: Pages,
    /// Some of their records.
    pub records: Vec<Told<Record>>,
    /// Questions that have one right answer each, by name.
    pub probes: BTreeMap<&'static str, Exchange>,
    /// The node as the other dialect tells of it, between two looks in this one; where the agent has both.
    pub across: Option<Across>,
    /// What came of actions.
    pub acted: Option<Acted>,
    /// What came of load.
    pub stressed: Option<Stressed>,
    /// What came of removing a node that is not there.
    pub removed: Option<Removed>,
}

/// The same node in two dialects, as nearly at the same time as can be.
#[derive(Debug, Clone)]
pub struct Across {
    /// In this one.
    pub before: Sample,
    /// In the other.
    pub other: Sample,
    /// In this one again.
    pub after: Sample,
}

/// An action that was scheduled, and what became of it.
#[derive(Debug, Clone)]
pub struct Scheduled {
    /// The id that was asked for.
    pub id: String,
    /// The kind that was asked for.
    pub kind: String,
    /// The arguments that were given.
    pub args: Value,
    /// The headers that were given.
    pub headers: BTreeMap<String, String>,
    /// Who was said to ask.
    pub requester: Option<String>,
    /// When it was said to be made.
    pub created: Option<String>,
    /// How the request was answered.
    pub answer: Exchange,
    /// The record, each time it was looked at; the last one when it had ended, or patience had.
    pub looks: Vec<Told<Record>>,
    /// How waiting for its end went.
    pub waited: Waited,
}

/// How waiting for an action's end went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// It was not waited for, or its record could not be read.
    Not,
    /// It has ended.
    Ended,
    /// It has not, and may have had to wait for others.
    Busy,
    /// It has not, though nothing was ahead of it and nothing moved.
    Stuck,
}

impl Scheduled {
    /// Whether it was accepted.
    pub fn is_accepted(&self) -> bool {
        self.answer.outcome.as_ref().is_ok_and(crate::client::Answer::is_good)
    }

    /// The record as it was seen last.
    pub fn last(&self) -> Option<&Told<Record>> {
        self.looks.last()
    }
}

/// Which kinds of action an agent has.
#[derive(Debug, Clone)]
pub struct Offered {
    /// Those that it lists, each with its deadline in seconds; none where it does not say, or cannot.
    pub kinds: Option<BTreeMap<String, Option<u64>>>,
    /// How it answers who asks for a kind that no agent has.
    pub unknown: Exchange,
}

/// Level `actions`.
#[derive(Debug, Clone)]
pub struct Acted {
    /// Which kinds there are.
    pub offered: Offered,
    /// `test.success`, with everything that a request can say.
    pub success: Scheduled,
    /// The same request again, once it had ended, and the record after it.
    pub repeated: Option<(Exchange, Told<Record>)>,
    /// `test.fail`.
    pub failure: Scheduled,
    /// `test.loop`, watched.
    pub counted: Scheduled,
    /// Many, one behind the other.
    pub row: Vec<Scheduled>,
    /// The queue, while they ran.
    pub queues: Vec<Told<List>>,
    /// The finished ones, when they had.
    pub finished: Pages,
    /// The head of that list in short pages, in `v1`.
    pub short: Option<Pages>,
    /// The records of those that had ended and were not listed, by their ids.
    pub unlisted: BTreeMap<String, Told<Record>>,
    /// The queue, when they had.
    pub queue: Pages,
    /// A request for another kind with the id of one that had ended.
    pub reused: Option<Exchange>,
    /// The node, while they ran.
    pub meanwhile: Vec<Told<Node>>,
    /// Both lists, while they ran.
    pub rounds: Vec<Round>,
    /// A request without an id, and with arguments that are null.
    pub unnamed: Exchange,
    /// Requests that have to be refused, by name, each with the id that it would have had.
    pub refused: BTreeMap<&'static str, (Exchange, Told<Record>)>,
    /// Questions of `v1` about actions, by name.
    pub asked: BTreeMap<&'static str, Exchange>,
    /// What was told of every step of an action, in `v1`: page by page.
    pub history: Vec<Exchange>,
}

impl Acted {
    /// Whether the agent has no such kind, as its refusal tells.
    pub fn lacks(&self, kind: &str) -> bool {
        let mut all = [&self.success, &self.failure, &self.counted].into_iter();
        all.any(|one| one.kind == kind && !one.is_accepted() && self.offered.lacks(kind, &one.answer))
    }
}

/// Both lists, read one after the other.
#[derive(Debug, Clone)]
pub struct Round {
    /// The finished ones.
    pub finished: Told<List>,
    /// The queue after it.
    pub queue: Told<List>,
    /// The records of those in neither, by their ids.
    pub lost: BTreeMap<String, Told<Record>>,
}

/// Level `stress`.
#[derive(Debug, Clone)]
pub struct Stressed {
    /// Requests with the same id at the same time.
    pub same_id: Vec<Exchange>,
    /// Many requests at the same time, each with an id of its own, and their records.
    pub crowd: Vec<Scheduled>,
    /// Requests until the queue was full, or the bound was reached.
    pub overload: Vec<Exchange>,
    /// Requests that are meant to hurt, by name, each with what the agent said of itself afterwards.
    pub hostile: BTreeMap<&'static str, (Exchange, Told<Node>)>,
    /// What a crash has left; none where no commands were given.
    pub crashed: Option<Crashed>,
}

/// What a crash has left.
#[derive(Debug, Clone)]
pub struct Crashed {
    /// Why it could not be seen, where it could not.
    pub fault: Option<String>,
    /// An action that had ended before.
    pub finished: Survivor,
    /// The one that ran.
    pub running: Survivor,
    /// Those that waited.
    pub waiting: Vec<Survivor>,
    /// The finished ones, once all of them had ended.
    pub listed: Option<Told<List>>,
}

/// An action on both sides of a crash.
#[derive(Debug, Clone)]
pub struct Survivor {
    /// As it was seen before.
    pub before: Scheduled,
    /// As it was seen after, from the first moment on.
    pub after: Scheduled,
}

/// A node that is not there, removed twice.
#[derive(Debug, Clone)]
pub struct Removed {
    /// Both.
    pub times: Vec<Scheduled>,
    /// The node before.
    pub before: Sample,
    /// The node after.
    pub after: Sample,
}

/// What all agents told in one dialect.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Which dialect.
    pub dialect: Dialect,
    /// One for each agent.
    pub agents: Vec<Seen>,
}

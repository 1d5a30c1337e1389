//! What is asked of each agent, by level, and what was told.
//!
//! Gathering never judges: it asks a fixed series of questions, whatever the answers are, and keeps every exchange. What
//! follows from an answer (which records to read) follows from nothing else, so that the same agent is asked the same.

mod acting;
mod looking;
mod probing;
mod questioning;
mod refusing;
mod removing;
mod rowing;
mod stressing;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use crate::client::{Client, Exchange};
use crate::dialect::{Dialect, List, Read};
use crate::model::{Field, Node, Record, Shard, Store};
use crate::verdict::Level;

/// What a run is to ask.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How deep.
    pub level: Level,
    /// How long to look again and again.
    pub observe: Duration,
    /// A node that is not in the cluster, to be removed twice.
    pub absent_node: Option<String>,
    /// Commands that bring the agent down and up again.
    pub crash: Option<Crash>,
}

/// How an agent is brought down, and up again.
#[derive(Debug, Clone)]
pub struct Crash {
    /// Kills it without a warning.
    pub kill: String,
    /// Starts it again.
    pub restart: String,
}

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
    pub(crate) fn of(exchange: Exchange, read: impl FnOnce(&Value) -> Read<T>) -> Self {
        let body = exchange.outcome.as_ref().ok().filter(|answer| answer.is_good());
        let read = body.and_then(|answer| answer.json().ok()).map(|body| read(&body));
        Self { exchange, read }
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

/// Every page of a list.
#[derive(Debug, Clone)]
pub struct Pages {
    /// In the order in which they were read.
    pub pages: Vec<Told<List>>,
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

/// Level `actions`.
#[derive(Debug, Clone)]
pub struct Acted {
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
    /// The queue, when they had.
    pub queue: Pages,
    /// A request for another kind with the id of one that had ended.
    pub reused: Option<Exchange>,
    /// The node, while they ran.
    pub meanwhile: Vec<Told<Node>>,
    /// The finished ones and then the queue, while they ran.
    pub rounds: Vec<(Told<List>, Told<List>)>,
    /// A request without an id, and with arguments that are null.
    pub unnamed: Exchange,
    /// Requests that have to be refused, by name, each with the id that it would have had.
    pub refused: BTreeMap<&'static str, (Exchange, Told<Record>)>,
    /// Questions of `v1` about actions, by name.
    pub asked: BTreeMap<&'static str, Exchange>,
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
    pub finished: Scheduled,
    /// The one that ran, with its looks before and after.
    pub running: Scheduled,
    /// How many of its looks were before.
    pub looks_before: usize,
    /// Those that waited.
    pub waiting: Vec<Scheduled>,
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

/// Asks everything of one agent. What was found so far is kept in `seen`, so that a run that is cut short loses nothing.
pub async fn look(client: &Client, dialect: Dialect, plan: &Plan) -> Seen {
    let (samples, queue, finished, records) = looking::look(client, dialect, plan.observe).await;
    Seen {
        agent: client.address().to_string(),
        samples,
        queue,
        finished,
        records,
        probes: probing::probe(client, dialect).await,
        across: looking::across(client, dialect).await,
        acted: None,
        stressed: None,
        removed: None,
    }
}

/// Level `actions` of one agent.
pub async fn act(client: &Client, dialect: Dialect, seen: &mut Seen) {
    seen.acted = Some(acting::act(client, dialect).await);
}

/// Level `stress` of one agent.
pub async fn stress(client: &Client, dialect: Dialect, plan: &Plan, seen: &mut Seen) {
    seen.stressed = Some(stressing::stress(client, dialect, plan.crash.as_ref()).await);
}

/// Removes a node that is not there, twice.
pub async fn remove(client: &Client, dialect: Dialect, node: &str, seen: &mut Seen) {
    seen.removed = Some(removing::remove(client, dialect, node).await);
}

/// What a run says beforehand that it will write on each agent, in each dialect.
pub const fn writes(level: Level) -> Option<&'static str> {
    match level {
        Level::Read => None,
        Level::Actions => Some(acting::WRITES),
        Level::Stress => Some(stressing::WRITES),
    }
}

/// A new id.
fn id() -> String {
    Uuid::new_v4().to_string()
}

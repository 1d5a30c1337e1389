//! The records of all actions, and every step that one can take.
//!
//! A step is written before it is seen: whoever holds the lock writes the line to the file, where there is one, and only
//! then lets go. What is read from here has therefore outlived any crash that comes after.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::Tree;
use super::durable::Log;

/// How far an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    New,
    Running,
    Done,
    Failed,
}

impl State {
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// One action.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Action {
    /// Its place in the order of acceptance.
    pub seq: usize,
    pub tree: Tree,
    pub id: String,
    pub kind: String,
    /// As they were written.
    pub args: Option<String>,
    pub headers: BTreeMap<String, String>,
    pub requester: String,
    pub created: String,
    pub scheduled: String,
    pub started: Option<String>,
    pub finished: Option<String>,
    pub state: State,
    pub payload: Option<Value>,
    pub output: Option<Value>,
    pub error: Option<Value>,
    pub attempt: u64,
    pub cancel: bool,
    /// As they were written.
    pub preconditions: Option<String>,
    pub deadline_s: u64,
    pub version: u64,
    /// Its place in the order of ends.
    pub ended: usize,
    /// In the file each line has its own step alone.
    #[serde(skip)]
    pub history: Vec<Value>,
}

impl Action {
    fn step(&self) -> Value {
        json!({
            "version": self.version,
            "at": now(),
            "state": self.state,
            "attempt": self.attempt,
            "state_payload": if self.state == State::Running { self.payload.clone() } else { None },
            "error": self.error,
        })
    }
}

/// All of them.
#[derive(Default)]
pub struct Book {
    pub actions: Vec<Action>,
    by_id: HashMap<String, usize>,
    /// How many have not ended.
    pub open: usize,
    ends: usize,
    pub log: Option<Log>,
    /// How many of those that have ended are kept; all where it is not given.
    pub keeps: Option<usize>,
}

impl Book {
    pub fn find(&self, id: &str) -> Option<&Action> {
        let action = self.by_id.get(id).map(|seq| &self.actions[*seq]);
        action.filter(|action| self.is_kept(action))
    }

    /// Whether an action has not been dropped for age.
    pub fn is_kept(&self, action: &Action) -> bool {
        !action.state.is_final() || self.keeps.is_none_or(|keeps| action.ended + keeps > self.ends)
    }

    /// Takes an action in; its place and its first step are given to it here.
    pub fn accept(&mut self, mut action: Action) {
        action.seq = self.actions.len();
        action.version = 1;
        self.by_id.entry(action.id.clone()).or_insert(action.seq);
        self.open += 1;
        let seq = action.seq;
        self.actions.push(action);
        self.keep(seq);
    }

    /// The action begins, or begins again.
    pub fn begin(&mut self, seq: usize) {
        self.change(seq, |action| {
            action.state = State::Running;
            action.attempt += 1;
            action.started.get_or_insert_with(now);
        });
    }

    pub fn checkpoint(&mut self, seq: usize, payload: Value) {
        self.change(seq, |action| action.payload = Some(payload));
    }

    pub fn ask_to_stop(&mut self, seq: usize) {
        if !self.actions[seq].cancel {
            self.change(seq, |action| action.cancel = true);
        }
    }

    /// A waiting action ends in one step.
    pub fn cancel(&mut self, seq: usize, error: Value) {
        self.actions[seq].cancel = true;
        self.end(seq, Err(error));
    }

    /// The action has ended, with its output or its error.
    pub fn end(&mut self, seq: usize, result: Result<Value, Value>) {
        self.ends += 1;
        self.open -= 1;
        let ended = self.ends;
        self.change(seq, |action| {
            action.ended = ended;
            action.finished = Some(now());
            match result {
                Ok(output) => (action.state, action.output) = (State::Done, Some(output)),
                Err(error) => (action.state, action.error) = (State::Failed, Some(error)),
            }
        });
    }

    /// What no right agent does: an action that has ended is as if it were new.
    pub fn set_back(&mut self, seq: usize) {
        if self.actions[seq].state.is_final() {
            self.open += 1;
            self.change(seq, |action| {
                (action.state, action.finished) = (State::New, None);
                (action.output, action.error, action.payload) = (None, None, None);
            });
        }
    }

    /// Takes in a line of the file.
    pub fn recall(&mut self, mut action: Action, step: Value) {
        let seq = action.seq;
        if let Some(known) = self.actions.get_mut(seq) {
            action.history = std::mem::take(&mut known.history);
            action.history.push(step);
            *known = action;
        } else {
            action.history.push(step);
            self.by_id.insert(action.id.clone(), seq);
            self.actions.push(action);
        }
        self.open = self.actions.iter().filter(|action| !action.state.is_final()).count();
        self.ends = self.actions.iter().map(|action| action.ended).max().unwrap_or(0);
    }

    fn change(&mut self, seq: usize, change: impl FnOnce(&mut Action)) {
        let action = &mut self.actions[seq];
        change(action);
        action.version += 1;
        self.keep(seq);
    }

    fn keep(&mut self, seq: usize) {
        let action = &mut self.actions[seq];
        let step = action.step();
        if let Some(log) = &mut self.log {
            log.append(action, &step);
        }
        action.history.push(step);
    }
}

/// RFC 3339 in UTC with nine digits.
#[expect(
    clippy::disallowed_methods,
    reason = "an agent tells people the time; nothing is decided by it"
)]
pub fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
}

//! What an agent looks like: the same questions to any agent, and its answers without what differs from run to run.

use serde_json::Value;

use super::talk::{Came, ask_with};
use crate::mutant::Fault;

/// Answers by what was asked.
#[derive(Default)]
pub struct Portrait(pub Vec<(String, String)>);

impl Portrait {
    /// Asks, and keeps what came.
    pub fn ask(&mut self, address: &str, line: &str, head: &str, body: Option<&[u8]>) -> Value {
        let came = ask_with(address, line, head, body);
        let (text, value) = match &came {
            None => ("no answer".to_owned(), Value::Null),
            Some(came) => (told(came), came.json()),
        };
        let name = String::from_utf8_lossy(body.unwrap_or_default());
        let name: String = name.chars().take(120).collect();
        self.0.push((format!("{line} {name}"), text));
        value
    }

    pub fn get(&mut self, address: &str, path: &str) -> Value {
        self.ask(address, &format!("GET {path}"), "", None)
    }

    pub fn post(&mut self, address: &str, path: &str, body: &str) -> Value {
        let json = "content-type: application/json\r\n";
        self.ask(address, &format!("POST {path}"), json, Some(body.as_bytes()))
    }

    /// Keeps what was found otherwise.
    pub fn keep(&mut self, name: &str, found: impl Into<Value>) {
        self.0.push((name.to_owned(), found.into().to_string()));
    }

    /// In what two differ.
    pub fn unlike(&self, other: &Self) -> Vec<String> {
        let pairs = self.0.iter().zip(&other.0);
        let mut unlike: Vec<String> = pairs
            .filter(|(one, two)| one != two)
            .map(|((name, one), (_, two))| format!("{name}\n  right {one}\n  wrong {two}"))
            .collect();
        if self.0.len() != other.0.len() {
            unlike.push(format!("{} answers, {}", self.0.len(), other.0.len()));
        }
        unlike
    }
}

/// Status, the headers that matter, and the body.
fn told(came: &Came) -> String {
    const NAMES: [&str; 5] = ["allow", "content-type", "location", "retry-after", "www-authenticate"];
    let named = |line: &&str| NAMES.iter().any(|name| line.starts_with(name));
    let mut lines: Vec<&str> = came.head.lines().filter(named).collect();
    lines.sort_unstable();
    format!("{} {lines:?} {}", came.status, offsets(&times(&came.text())))
}

/// Times of this century's twenties with nine digits, all alike.
fn times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\"202") {
        let (before, from) = rest.split_at(at + 1);
        out.push_str(before);
        let whole = from
            .get(..31)
            .is_some_and(|time| time.ends_with("Z\"") && &time[19..20] == ".");
        if whole {
            out.push_str("TIME");
        }
        rest = &from[if whole { 30 } else { 0 }..];
    }
    out + rest
}

/// Offsets that grow, all alike.
fn offsets(text: &str) -> String {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return text.to_owned();
    };
    let offset = value["shards"][0]["commit_offset"]["value"].as_i64();
    match offset.filter(|offset| (1000..1999).contains(offset)) {
        Some(offset) => text.replacen(&format!("\"value\":{offset}"), "\"value\":OFFSET", 1),
        None => text.to_owned(),
    }
}

/// What no portrait shows, each with the test that does.
pub const ELSEWHERE: [(Fault, &str); 27] = [
    (Fault::NodeSlow, "shown::a_slow_node"),
    (Fault::DeadlineIgnored, "shown::a_deadline_that_nobody_keeps"),
    (Fault::LongPollAtOnce, "shown::a_poll_that_does_not_wait"),
    (Fault::NothingRuns, "shown::nothing_runs"),
    (Fault::MadeIdNumber, "mutants"),
    (Fault::MadeIdsAlike, "mutants"),
    (Fault::DeepNestingFails, "mutants"),
    (Fault::RemoveEmptiesNode, "mutants"),
    (Fault::PrimaryMoves, "mutants"),
    (Fault::FailedByCrash, "mutants"),
    (Fault::RecordSetBackByCrash, "mutants"),
    (Fault::NoTestKinds, "mutants"),
    (Fault::QueueOfTwenty, "mutants"),
    (Fault::ManyFinished, "mutants"),
    (Fault::SomebodyAhead, "mutants"),
    (Fault::HistoryInShortPages, "mutants"),
    (Fault::ComeAgainLater, "mutants"),
    (Fault::FewKept, "mutants"),
    (Fault::ListBodyAccepted, "mutants"),
    (Fault::NumberHeadersAccepted, "mutants"),
    (Fault::LostByCrash, "crashes"),
    (Fault::OrderLostByCrash, "crashes"),
    (Fault::FinishedNewAfterCrash, "crashes"),
    (Fault::FinishedRunAgainAfterCrash, "crashes"),
    (Fault::RunningForgottenByCrash, "crashes"),
    (Fault::ProgressLostByCrash, "crashes"),
    (Fault::RunningResumedLast, "crashes"),
];

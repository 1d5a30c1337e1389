//! Which kinds of action an agent has: the specification lays down none of those that the suite schedules.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::acting::ask;
use super::patience::Patient;
use super::refusing::UNKNOWN;
use super::{Offered, id};
use crate::client::{Answer, Exchange, Request};
use crate::dialect::{Ask, Dialect};

pub(super) async fn learn(client: &Patient, dialect: Dialect) -> Offered {
    let kinds = match dialect {
        Dialect::V1 => listed(&client.ask(Request::get(dialect.path("kinds"))).await),
        Dialect::Unstable => None,
    };
    let id = id();
    let unknown = Ask {
        id: Some(&id),
        ..ask(UNKNOWN, json!({}))
    };
    Offered {
        kinds,
        unknown: client.ask(dialect.schedule(&unknown)).await,
    }
}

/// The kinds that an answer lists, each with its deadline in seconds.
fn listed(exchange: &Exchange) -> Option<BTreeMap<String, Option<u64>>> {
    let answer = exchange.outcome.as_ref().ok().filter(|answer| answer.status == 200)?;
    let document = answer.json().ok()?;
    let kinds = document["kinds"].as_array()?.iter();
    kinds
        .map(|kind| Some((kind["kind"].as_str()?.to_owned(), kind["deadline_s"].as_u64())))
        .collect()
}

impl Offered {
    /// Whether this refusal of an action says that the agent has no such kind.
    pub fn lacks(&self, kind: &str, answer: &Exchange) -> bool {
        let told = |exchange: &Exchange| {
            let refuses = |answer: &&Answer| (400..500).contains(&answer.status);
            let answer = exchange.outcome.as_ref().ok().filter(refuses)?;
            let code = answer.json().ok().map(|body| body["code"].clone());
            Some((answer.status, code))
        };
        let refused = told(answer);
        match &self.kinds {
            Some(kinds) => refused.is_some() && !kinds.contains_key(kind),
            None => refused.is_some() && refused == told(&self.unknown),
        }
    }

    /// The longest that an action of this kind may take, where the agent says so.
    pub fn deadline(&self, kind: &str) -> Option<Duration> {
        let seconds = *self.kinds.as_ref()?.get(kind)?;
        seconds.map(Duration::from_secs)
    }
}

//! Level `read`: the node again and again, the lists, some records.

use std::time::{Duration, Instant};

use super::{Across, Pages, Sample, Told};
use crate::client::{Client, Request};
use crate::dialect::Dialect;
use crate::model::Record;

/// Looks without a time to observe for: enough to see what changes with every answer.
const LOOKS: usize = 3;

/// Between two looks, unless there is more time.
const PAUSE: Duration = Duration::from_millis(100);

/// Pages that are read of a list: 10,000 entries.
const PAGES: usize = 100;

/// Records that are read of each list.
const RECORDS: usize = 12;

pub(super) async fn look(
    client: &Client,
    dialect: Dialect,
    observe: Duration,
) -> (Vec<Sample>, Pages, Pages, Vec<Told<Record>>) {
    let began = Instant::now();
    let pause = PAUSE.max(observe / 60);
    let mut samples = vec![sample(client, dialect).await];
    while samples.len() < LOOKS || began.elapsed() < observe {
        tokio::time::sleep(pause).await;
        samples.push(sample(client, dialect).await);
    }
    // In this order nothing is missed that ends in between.
    let finished = pages(client, dialect, "actions/finished").await;
    let queue = pages(client, dialect, "actions/queue").await;
    let mut records = Vec::new();
    for list in [&finished, &queue] {
        for id in list.ids().take(RECORDS) {
            records.push(record(client, dialect, &id).await);
        }
    }
    (samples, queue, finished, records)
}

pub(super) async fn sample(client: &Client, dialect: Dialect) -> Sample {
    let ask = |what: &str| client.ask(Request::get(dialect.path(what)));
    Sample {
        node: Told::of(ask("info/node").await, |body| dialect.node(body)),
        store: Told::of(ask("info/store").await, |body| dialect.store(body)),
        shards: Told::of(ask("info/shards").await, |body| dialect.shards(body)),
    }
}

/// Looks by way of `v1`, of the other dialect, and of `v1` again: once is enough, so from `v1` only.
pub(super) async fn across(client: &Client, dialect: Dialect) -> Option<Across> {
    if dialect != Dialect::V1 {
        return None;
    }
    let before = sample(client, dialect).await;
    let other = sample(client, Dialect::Unstable).await;
    let has_it = other.node.status() != Some(404);
    let after = sample(client, dialect).await;
    has_it.then_some(Across { before, other, after })
}

pub(super) async fn record(client: &Client, dialect: Dialect, id: &str) -> Told<Record> {
    let exchange = client.ask(Request::get(dialect.record_path(id))).await;
    Told::of(exchange, |body| dialect.record(body))
}

/// Follows a list to its end.
pub(super) async fn pages(client: &Client, dialect: Dialect, list: &str) -> Pages {
    let mut pages = Vec::new();
    let mut path = dialect.path(list);
    while pages.len() < PAGES {
        let page = Told::of(client.ask(Request::get(path)).await, |body| dialect.list(body));
        let next = page.value().and_then(|list| list.next.clone());
        pages.push(page);
        let Some(next) = next else { break };
        let joint = if list.contains('?') { '&' } else { '?' };
        path = dialect.path(&format!("{list}{joint}cursor={}", escaped(&next)));
    }
    Pages { pages }
}

impl Pages {
    /// The ids on them, in their order.
    pub fn ids(&self) -> impl Iterator<Item = String> {
        self.briefs().filter_map(|brief| brief.id.value().cloned())
    }

    /// The actions on them, in their order.
    pub fn briefs(&self) -> impl Iterator<Item = &crate::model::Brief> {
        let lists = self.pages.iter().filter_map(|page| page.value()?.actions.value());
        lists.flatten()
    }

    /// Whether every page was read, to the end.
    pub fn is_whole(&self) -> bool {
        let end = self.pages.last().and_then(Told::value);
        end.is_some_and(|list| list.next.is_none() && list.actions.value().is_some())
    }
}

/// A cursor as a query has it.
pub(super) fn escaped(text: &str) -> String {
    let keep = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| {
            if keep(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

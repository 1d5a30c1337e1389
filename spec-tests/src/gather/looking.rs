//! Level `read`: the node again and again, the lists, some records.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::patience::Patient;
use super::{Across, Pages, Sample, Told};
use crate::client::{Request, escaped};
use crate::dialect::{Dialect, List};
use crate::model::Record;

/// Looks without a time to observe for: enough to see what changes with every answer.
const LOOKS: usize = 3;

/// Between two looks, unless there is more time.
const PAUSE: Duration = Duration::from_millis(100);

/// Pages that are read of a list at level `read`, where nothing depends on its end.
const SOME: usize = 100;

/// Pages of a list that is read to its end: a bound for who has none.
const ALL: usize = 1_000;

/// Short pages that are read of a list: enough to see how one page follows another.
const SHORT: usize = 8;

/// The longest cursor that is followed, in bytes.
const CURSOR: usize = 4096;

/// Entries of a short page.
pub(crate) const SHORT_PAGE: usize = 25;

/// Records that are read of each list.
const RECORDS: usize = 12;

pub(super) async fn look(
    client: &Patient,
    dialect: Dialect,
    observe: Duration,
) -> (Vec<Sample>, Pages, Pages, Vec<Told<Record>>) {
    let began = Instant::now();
    let pause = PAUSE.max(observe / 60);
    let mut samples = vec![sample(client, dialect).await];
    while (samples.len() < LOOKS || began.elapsed() < observe) && !client.is_over() {
        client.rest(pause).await;
        samples.push(sample(client, dialect).await);
    }
    // In this order nothing is missed that ends in between.
    let finished = pages(client, dialect, "actions/finished", SOME).await;
    let queue = pages(client, dialect, "actions/queue", SOME).await;
    let mut records = Vec::new();
    for list in [&finished, &queue] {
        for id in list.ids().take(RECORDS) {
            records.push(record(client, dialect, &id).await);
        }
    }
    (samples, queue, finished, records)
}

pub(super) async fn sample(client: &Patient, dialect: Dialect) -> Sample {
    // The store's process may not be there to be asked: that is an answer, and no reason to come again.
    let ask = |what: &str| client.once(Request::get(dialect.path(what)));
    let node = client.ask(Request::get(dialect.path("info/node"))).await;
    Sample {
        node: Told::of(node, |body| dialect.node(body)),
        store: Told::of(ask("info/store").await, |body| dialect.store(body)),
        shards: Told::of(ask("info/shards").await, |body| dialect.shards(body)),
    }
}

/// Looks by way of `v1`, of the other dialect where that is looked at, and of `v1` again: once is enough, so from `v1` only.
pub(super) async fn across(client: &Patient, dialect: Dialect, dialects: &[Dialect]) -> Option<Across> {
    if dialect != Dialect::V1 || !dialects.contains(&Dialect::Unstable) {
        return None;
    }
    Some(Across {
        before: sample(client, dialect).await,
        other: sample(client, Dialect::Unstable).await,
        after: sample(client, dialect).await,
    })
}

pub(super) async fn record(client: &Patient, dialect: Dialect, id: &str) -> Told<Record> {
    let exchange = client.ask(Request::get(dialect.record_path(id))).await;
    Told::of(exchange, |body| dialect.record(body))
}

/// Everything in a list, in as few pages as there can be.
pub(super) async fn whole(client: &Patient, dialect: Dialect, list: &str) -> Pages {
    match dialect {
        Dialect::V1 => pages(client, dialect, &format!("{list}?limit=1000"), ALL).await,
        Dialect::Unstable => pages(client, dialect, list, 1).await,
    }
}

/// The head of a list in short pages.
pub(super) async fn short(client: &Patient, dialect: Dialect, list: &str) -> Pages {
    pages(client, dialect, &format!("{list}?limit={SHORT_PAGE}"), SHORT).await
}

/// Follows a list as long as its pages bring something new, for so many of them.
async fn pages(client: &Patient, dialect: Dialect, list: &str, most: usize) -> Pages {
    let (mut pages, mut goes_round) = (Vec::new(), false);
    let (mut known, mut cursors) = (HashSet::new(), HashSet::new());
    let mut path = dialect.path(list);
    while pages.len() < most {
        let page = Told::of(client.ask(Request::get(path)).await, |body| dialect.list(body));
        let news = ids(&page).filter(|id| known.insert((*id).clone())).count();
        let next = page.value().and_then(|list| list.next.clone());
        pages.push(page);
        // A cursor is not what fills a run's memory.
        let Some(next) = next.filter(|next| next.len() <= CURSOR) else {
            break;
        };
        goes_round = news == 0 || !cursors.insert(next.clone());
        if goes_round {
            break;
        }
        let joint = if list.contains('?') { '&' } else { '?' };
        path = dialect.path(&format!("{list}{joint}cursor={}", escaped(&next)));
    }
    Pages { pages, goes_round }
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

fn ids(page: &Told<List>) -> impl Iterator<Item = &String> {
    let briefs = page.value().and_then(|list| list.actions.value());
    briefs.into_iter().flatten().filter_map(|brief| brief.id.value())
}

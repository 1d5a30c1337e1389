//! Actions, from the request to their end, and what is ahead of them meanwhile.

use std::time::{Duration, Instant};

use super::looking::record;
use super::patience::Patient;
use super::{Scheduled, Told, Waited, id};
use crate::client::Request;
use crate::dialect::{Ask, Dialect, List};
use crate::model::{Record, State};

/// How long an action may stand still with nothing ahead of it.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Between two looks at something that changes.
pub(super) const PAUSE: Duration = Duration::from_millis(15);

/// Between two looks at the queue, while an action stands still.
const GLANCE: Duration = Duration::from_secs(1);

/// Schedules an action under an id of ours, and looks at its record at once: later an agent may have dropped it for age.
pub(super) async fn schedule(client: &Patient, dialect: Dialect, ask: Ask<'_>) -> Scheduled {
    let id = id();
    let request = named(dialect, &ask, &id);
    let answer = client.ask(request).await;
    scheduled(client, dialect, ask, id, answer).await
}

/// The same, where an answer that says "later" is as good as another.
pub(super) async fn schedule_once(client: &Patient, dialect: Dialect, ask: Ask<'_>) -> Scheduled {
    let id = id();
    let answer = client.once(named(dialect, &ask, &id)).await;
    scheduled(client, dialect, ask, id, answer).await
}

fn named(dialect: Dialect, ask: &Ask<'_>, id: &str) -> Request {
    dialect.schedule(&Ask {
        id: Some(id),
        ..ask.clone()
    })
}

async fn scheduled(
    client: &Patient,
    dialect: Dialect,
    ask: Ask<'_>,
    id: String,
    answer: crate::client::Exchange,
) -> Scheduled {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let mut scheduled = Scheduled {
        id,
        kind: ask.kind.to_owned(),
        args: ask.args,
        headers: ask.headers.iter().map(owned).collect(),
        requester: ask.requester.map(str::to_owned),
        created: ask.created.map(str::to_owned),
        answer,
        looks: Vec::new(),
        waited: Waited::Not,
    };
    if scheduled.is_accepted() {
        scheduled.looks.push(record(client, dialect, &scheduled.id).await);
    }
    scheduled
}

/// Looks at an action until it has ended, or patience has.
pub(super) async fn follow(client: &Patient, dialect: Dialect, scheduled: &mut Scheduled) {
    follow_for(client, dialect, scheduled, PATIENCE).await;
}

/// The same for a kind that may stand still for longer.
pub(super) async fn follow_for(client: &Patient, dialect: Dialect, scheduled: &mut Scheduled, patience: Duration) {
    if !scheduled.is_accepted() {
        return;
    }
    let mut still = Still::new(client, dialect, patience);
    loop {
        let look = record(client, dialect, &scheduled.id).await;
        let (ended, lost) = (is_final(&look), look.value().is_none());
        let (runs, moved) = (state(&look) == Some(State::Running), keep(&mut scheduled.looks, look));
        if ended {
            scheduled.waited = Waited::Ended;
            client.set_tired(false);
        } else if !lost && let Some(waited) = still.over(&scheduled.id, runs, moved).await {
            scheduled.waited = waited;
        }
        if lost || scheduled.waited != Waited::Not {
            return;
        }
        client.rest(PAUSE).await;
    }
}

/// Waits until nothing is queued any more; false where something stays.
pub(super) async fn drain(client: &Patient, dialect: Dialect) -> bool {
    let mut still = Still::new(client, dialect, PATIENCE);
    loop {
        match Open::look(client, dialect).await {
            Some(open) if open.is_empty() => return true,
            // A queue may list thousands.
            Some(_) if still.over("", false, false).await.is_none() => client.rest(10 * PAUSE).await,
            _ => return false,
        }
    }
}

/// Keeps a look, and says whether it tells anything new. Of those that say the same the first and the last are kept.
pub(super) fn keep(looks: &mut Vec<Told<Record>>, look: Told<Record>) -> bool {
    let same = |one: Option<&Told<Record>>| match (one.and_then(Told::value), look.value()) {
        (Some(before), Some(now)) => before.state == now.state && before.payload == now.payload,
        _ => false,
    };
    let known = same(looks.last());
    if known && same(looks.iter().rev().nth(1)) {
        looks.pop();
    }
    looks.push(look);
    !known
}

pub(super) fn state(look: &Told<Record>) -> Option<State> {
    look.value()?.state.value().copied()
}

pub(super) fn is_final(look: &Told<Record>) -> bool {
    state(look).is_some_and(State::is_final)
}

/// How long nothing has moved.
pub(super) struct Still<'a> {
    client: &'a Patient,
    dialect: Dialect,
    patience: Duration,
    since: Instant,
    glanced: Instant,
    /// What was in the queue.
    open: Option<Open>,
}

impl<'a> Still<'a> {
    pub(super) fn new(client: &'a Patient, dialect: Dialect, patience: Duration) -> Self {
        Self {
            client,
            dialect,
            patience,
            since: Instant::now(),
            glanced: Instant::now(),
            open: None,
        }
    }

    /// How waiting for an action went, once nothing has moved for as long as patience lasts.
    pub(super) async fn over(&mut self, own: &str, runs: bool, moved: bool) -> Option<Waited> {
        let is_over = |since: Instant| since.elapsed() >= self.client.for_stillness(self.patience);
        if moved {
            self.since = Instant::now();
        }
        if self.glanced.elapsed() < GLANCE && !is_over(self.since) {
            return None;
        }
        let now = Open::look(self.client, self.dialect).await;
        if let (Some(before), Some(now)) = (&self.open, &now)
            && before.has_moved(now)
        {
            self.since = Instant::now();
        }
        (self.open, self.glanced) = (now, Instant::now());
        if !is_over(self.since) {
            return None;
        }
        self.client.set_tired(true);
        // Whoever runs has nobody ahead; whose queue cannot be read may have anybody. A short wait says nothing.
        let alone = runs || self.open.as_ref().is_some_and(|open| !open.is_ahead_of(own));
        Some(if alone && self.since.elapsed() >= self.patience {
            Waited::Stuck
        } else {
            Waited::Busy
        })
    }
}

/// The actions that have not ended, in their order.
pub(super) struct Open {
    actions: Vec<(String, State)>,
    is_whole: bool,
}

impl Open {
    /// None where the queue could not be read.
    pub(super) async fn look(client: &Patient, dialect: Dialect) -> Option<Self> {
        let path = match dialect {
            Dialect::V1 => "actions/queue?limit=200",
            Dialect::Unstable => "actions/queue",
        };
        let told = Told::of(client.ask(Request::get(dialect.path(path))).await, |body| {
            dialect.list(body)
        });
        told.value().and_then(Self::of)
    }

    fn of(list: &List) -> Option<Self> {
        let briefs = list.actions.value()?.iter();
        let open = briefs.filter_map(|brief| Some((brief.id.value()?.clone(), *brief.state.value()?)));
        Some(Self {
            actions: open.filter(|(_, state)| !state.is_final()).collect(),
            is_whole: list.next.is_none(),
        })
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Whether something has ended since, or begun. What has only come says nothing of what is ahead of it.
    pub(super) fn has_moved(&self, since: &Self) -> bool {
        self.actions.iter().any(|action| !since.actions.contains(action))
    }

    /// Whether another action runs, or stands before this one.
    fn is_ahead_of(&self, own: &str) -> bool {
        let place = self.actions.iter().position(|(id, _)| id == own);
        let others = self.actions.iter().enumerate().filter(|(_, (id, _))| id != own);
        let mut ahead =
            others.filter(|(at, (_, state))| *state == State::Running || place.is_none_or(|place| *at < place));
        ahead.next().is_some() || (place.is_none() && !self.is_whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(actions: &[(&str, State)]) -> Open {
        Open {
            actions: actions.iter().map(|(id, state)| ((*id).to_owned(), *state)).collect(),
            is_whole: true,
        }
    }

    #[test]
    fn who_is_ahead_is_told_by_the_queue() {
        use State::{New, Running};
        assert!(!open(&[]).is_ahead_of("own"));
        assert!(!open(&[("own", New), ("other", New)]).is_ahead_of("own"));
        assert!(open(&[("other", New), ("own", New)]).is_ahead_of("own"));
        assert!(open(&[("own", New), ("other", Running)]).is_ahead_of("own"));
        assert!(open(&[("other", New)]).is_ahead_of("own"));
        let mut cut = open(&[]);
        cut.is_whole = false;
        assert!(cut.is_ahead_of("own"));
    }

    #[test]
    fn a_queue_moves_by_what_leaves_it_and_by_what_begins() {
        use State::{New, Running};
        let before = open(&[("a", New), ("b", New)]);
        assert!(!before.has_moved(&open(&[("a", New), ("b", New), ("c", New)])));
        assert!(before.has_moved(&open(&[("a", Running), ("b", New)])));
        assert!(before.has_moved(&open(&[("b", New)])));
    }
}

//! Readers: a few connections that only read, each on a thread of its own, one page at a time.
//!
//! A read transaction holds the write-ahead log back from being cleaned, so none outlives the reading of its page.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::page::List;
use super::schema::RUNS;
use super::{Brief, Cursor, Page, ReadError, Summary, row, schema};
use crate::spec::{Record, State, Timestamp, Transition};

/// Readers: two, so that one long list does not keep everybody else waiting.
const READERS: usize = 2;

/// Reads that may wait: enough for every long poll of a burst to look once.
const WAITING: usize = 4096;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The readers.
pub(crate) struct Readers {
    jobs: mpsc::SyncSender<Job>,
    /// The highest number among the finished that an answer of `finished_brief` has shown.
    shown: Arc<AtomicI64>,
}

impl Readers {
    pub(super) fn start(database: &Path) -> rusqlite::Result<Self> {
        let (jobs, queue) = mpsc::sync_channel::<Job>(WAITING);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..READERS {
            let connection = schema::reader(database)?;
            let queue = queue.clone();
            std::thread::Builder::new()
                .name(format!("ledger-reader-{number}"))
                .spawn(move || {
                    loop {
                        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                        let Ok(job) = job else { return };
                        job(&connection);
                    }
                })
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        }
        Ok(Self {
            jobs,
            shown: Arc::new(AtomicI64::new(0)),
        })
    }

    pub(super) async fn record(&self, id: Uuid) -> Result<Option<Record>, ReadError> {
        self.read(move |connection| row::find(connection, id)).await
    }

    pub(super) async fn used(&self, id: Uuid) -> Result<Option<Option<Record>>, ReadError> {
        self.read(move |connection| {
            // One snapshot: a record that is purged between the two must be in one of them.
            let snapshot = connection.unchecked_transaction()?;
            if let Some(record) = row::find(&snapshot, id)? {
                return Ok(Some(Some(record)));
            }
            Ok(row::was_purged(&snapshot, id)?.then_some(None))
        })
        .await
    }

    pub(super) async fn summaries(
        &self,
        list: List,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Summary>, ReadError> {
        match list {
            List::Finished => self.finished(from, limit).await,
            _ => self.queue(from, limit).await,
        }
    }

    async fn finished(&self, from: Option<Cursor>, limit: usize) -> Result<Page<Summary>, ReadError> {
        let before = from.map_or(RUNS, |cursor| cursor.after.min(RUNS));
        self.read(move |connection| {
            let mut statement =
                connection.prepare_cached(&row::summaries("i.place < ? ORDER BY i.place DESC LIMIT ?"))?;
            let rows = statement.query_map(params![before, page_size(limit)], |row| {
                Ok((row::place(row)?, row::summary_or_damaged(row)))
            })?;
            Ok(page(List::Finished, rows.collect::<Result<_, _>>()?, limit))
        })
        .await
    }

    async fn queue(&self, from: Option<Cursor>, limit: usize) -> Result<Page<Summary>, ReadError> {
        let after = from.map_or(0, |cursor| cursor.after.min(RUNS - 1));
        self.read(move |connection| {
            // One snapshot: an action that starts between the two must be in one of them.
            let snapshot = connection.unchecked_transaction()?;
            let mut found = Vec::new();
            for (condition, place) in [
                ("i.place = ? AND i.seq > ? LIMIT ?", RUNS),
                ("i.place > ? AND i.seq > ? ORDER BY i.place LIMIT ?", RUNS + after),
            ] {
                let mut statement = snapshot.prepare_cached(&row::summaries(condition))?;
                let rows = statement.query_map(params![place, after, page_size(limit)], |row| {
                    Ok((row.get::<_, i64>(0)?, row::summary_or_damaged(row)))
                })?;
                for row in rows {
                    found.push(row?);
                }
            }
            Ok(page(List::Queue, found, limit))
        })
        .await
    }

    pub(super) async fn history(
        &self,
        id: Uuid,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Option<Page<Transition>>, ReadError> {
        let after = from.map_or(0, |cursor| cursor.after);
        self.read(move |connection| {
            let snapshot = connection.unchecked_transaction()?;
            let found = snapshot
                .prepare_cached(&row::records("i.id = ?"))?
                .query_row([id.as_bytes().as_slice()], |row| {
                    Ok((row.get::<_, i64>(0)?, row::record_or_damaged(row)))
                })
                .optional()?;
            let Some((seq, record)) = found else { return Ok(None) };
            let mut statement = snapshot.prepare_cached(
                "SELECT version, at, state, attempt, state_payload, error FROM history
                 WHERE seq = ? AND version > ? ORDER BY version LIMIT ?",
            )?;
            let between = statement
                .query_map(params![seq, after, page_size(limit)], |row| {
                    Ok(row::transition(row).ok())
                })?
                .filter_map(Result::transpose)
                .collect::<Result<Vec<_>, _>>()?;
            Ok(Some(history_page(&record, between, after, limit)))
        })
        .await
    }

    pub(super) async fn finished_brief(&self) -> Result<Vec<Brief>, ReadError> {
        let shown = self.shown.clone();
        self.read(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT id, kind, state, place FROM invocation WHERE place < ? ORDER BY place DESC")?;
            let mut rows = statement.query([RUNS])?;
            let mut list = Vec::new();
            while let Some(row) = rows.next()? {
                if list.is_empty() {
                    shown.fetch_max(row.get(3)?, Ordering::SeqCst);
                }
                list.push(row::brief(row));
            }
            Ok(list)
        })
        .await
    }

    pub(super) async fn queue_brief(&self) -> Result<Vec<Brief>, ReadError> {
        let shown = self.shown.clone();
        self.read(move |connection| {
            // One snapshot: an action that ends between the two must be in one of them.
            let snapshot = connection.unchecked_transaction()?;
            let mut list = Vec::new();
            for (condition, after) in [
                ("place > ?1 AND place < ?2", shown.load(Ordering::SeqCst)),
                // Its own lower bound first: SQLite begins a search at the first one it finds.
                ("place >= ?2 AND place > ?1", 0),
            ] {
                let query = format!("SELECT id, kind, state FROM invocation WHERE {condition} ORDER BY place");
                let mut statement = snapshot.prepare_cached(&query)?;
                for brief in statement.query_map([after, RUNS], |row| Ok(row::brief(row)))? {
                    list.push(brief?);
                }
            }
            Ok(list)
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody waits any more: the client has gone.
            drop(reply.send(query(connection)));
        });
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => ReadError::Busy,
            mpsc::TrySendError::Disconnected(_) => ReadError::Closed,
        })?;
        let result = answer.await.map_err(|_| ReadError::Closed)?;
        result.map_err(|error| ReadError::Database(error.to_string().into()))
    }
}

/// A page of what was found, at most one more than it holds, each with its number in the list.
fn page(list: List, mut found: Vec<(i64, Summary)>, limit: usize) -> Page<Summary> {
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| more)
        .map(|(after, _)| Cursor { list, after: *after });
    let items = found.into_iter().map(|(_, summary)| summary).collect();
    Page { items, next }
}

/// One more than a page holds says whether another follows.
fn page_size(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// Puts the steps that the record itself tells around those between.
fn history_page(record: &Record, between: Vec<Transition>, after: i64, limit: usize) -> Page<Transition> {
    let plain = |version: u64, at: Timestamp, state: State, attempt: u32| Transition {
        version,
        at,
        state,
        attempt,
        state_payload: None,
        error: None,
    };
    let mut steps = vec![plain(1, record.scheduled_ts, State::New, 0)];
    steps.extend(record.started_ts.map(|at| plain(2, at, State::Running, 1)));
    steps.extend(between);
    if let Some(at) = record.finished_ts {
        let error = record.error.clone();
        steps.push(Transition {
            error,
            ..plain(record.version, at, record.state, record.attempt)
        });
    }
    let after = u64::try_from(after).unwrap_or(0);
    steps.retain(|step| step.version > after);
    let more = steps.len() > limit;
    steps.truncate(limit);
    let last = steps
        .last()
        .and_then(|step| i64::try_from(step.version).ok())
        .filter(|_| more);
    let list = List::History(record.id);
    Page {
        items: steps,
        next: last.map(|after| Cursor { list, after }),
    }
}

//! Invocation records on SQLite: what was accepted, in which order, and what became of it.
//!
//! One thread owns the only connection that writes. It takes commands from a bounded channel and commits as many in one
//! transaction as wait for it (group commit), with a sync to the disk before anybody is answered. A few more connections
//! only read, one page at a time. The thread also hands the runner its next action: accepting and starting are one
//! transaction when nothing waits, and so are finishing one action and starting the next.
//!
//! What may always be relied on, and where it is kept (`invariants` has a test for each):
//!
//! 1. What was acknowledged is on disk: [`Ledger::accept`].
//! 2. Order is acceptance order, a number given inside the inserting transaction.
//! 3. One agent per state directory, [`StateDirectory`]; one `RUNNING` record, an index says so.
//! 4. `RUNNING` is committed before the runner hears of it.
//! 5. Steps are those of [`transition::next`]; triggers in the schema say it again.
//! 6. Ids are used once; those of purged records are remembered.
//! 7. What ran when the agent ended is resumed or ended by `recovery`.
//! 8. What does not match its digest fails alone: `row`.
//! 9. Handlers cannot hurt: that is the runner's.
//! 10. History stays with its record; `retention` goes by count.
//! 11. A full disk changes nothing, a failed sync ends all: `fault`, `reserve`.
//! 12. `schema` refuses what it does not know, and leaves it as it was.
//! 13. A request to cancel is as durable as the action.

mod apply;
mod command;
mod directory;
mod error;
mod fault;
mod handle;
mod health;
#[cfg(test)]
mod invariants;
mod migrate;
#[cfg(test)]
mod migration;
mod page;
mod reader;
mod recovery;
mod reserve;
mod retention;
mod row;
mod schema;
mod steps;
pub mod transition;
mod watchers;
mod writer;

pub(crate) use command::{Ending, Taker, Task};
pub use directory::StateDirectory;
pub(crate) use directory::{is_held, private};
pub use error::{AcceptError, CancelError, OpenError, ReadError, Unlawful, WriteError};
pub use handle::Ledger;
pub use health::Status;
pub use page::{Brief, Cursor, List, Page, Summary};
pub use transition::Step;
#[cfg(test)]
pub(crate) use writer::BeforeWrite;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::TransactionBehavior;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::spec::{KindName, Preconditions, Requester, Timestamp};

/// What a client asks for, checked as far as it can be without the ledger.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The id that the client chose, or a new one.
    pub id: Uuid,
    /// Which action.
    pub kind: KindName,
    /// Its arguments in the text that came; none for null.
    pub args: Option<Box<RawValue>>,
    /// Kept for the client.
    pub headers: BTreeMap<String, String>,
    /// Who asks.
    pub requester: Requester,
    /// What must hold before the first attempt.
    pub preconditions: Option<Preconditions>,
    /// Running time that the action has, in seconds.
    pub deadline_s: u32,
    /// W3C `traceparent` of the request.
    pub trace: Option<String>,
    /// When the client made it; now when it does not say.
    pub created_ts: Option<Timestamp>,
}

/// How much a ledger holds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most actions that may wait.
    pub max_queued: usize,
    /// Finished actions that are kept.
    pub keep_finished: usize,
}

impl Ledger {
    /// Opens the ledger of a state directory, made when there is none, and recovers what ran.
    ///
    /// **Guarantees**: an action that was running is resumed, or has ended, before anything else can be asked.
    pub fn open(directory: &StateDirectory, limits: Limits) -> Result<Self, OpenError> {
        Self::open_with(directory, limits, None)
    }

    /// [`Ledger::open`], with a look at the connection before each transaction: how tests make a disk full.
    pub(crate) fn open_with(
        directory: &StateDirectory,
        limits: Limits,
        before_write: Option<writer::BeforeWrite>,
    ) -> Result<Self, OpenError> {
        let file = directory.database();
        let database = |cause| schema::unusable(&file, cause);
        let mut connection = schema::open(&file)?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(database)?;
        let (tally, resumed) = recovery::recover(&transaction, limits.max_queued).map_err(database)?;
        transaction.commit().map_err(database)?;
        let (commands, received) = mpsc::channel(handle::COMMANDS);
        let (cancelled, cancellations) = watch::channel(None);
        let health = Arc::new(health::Health::new());
        health.set_counts(tally.waiting, tally.kept);
        let watchers = Arc::new(watchers::Watchers::default());
        let readers = reader::Readers::start(&file).map_err(database)?;
        let writer = writer::Writer {
            connection,
            tally,
            commands: received,
            health: health.clone(),
            watchers: watchers.clone(),
            cancelled,
            reserve: reserve::Reserve::hold(directory.reserve()),
            keep: limits.keep_finished,
            resumed,
            runner: None,
            before_write,
            begun: None,
            log_length: Arc::default(),
        };
        std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|cause| OpenError::Directory {
                directory: directory.path().to_owned(),
                cause,
            })?;
        Ok(Self {
            commands,
            readers: Arc::new(readers),
            watchers,
            health,
            cancelled: cancellations,
        })
    }
}

/// What a state directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// It is not there and can be made.
    Missing,
    /// It can be used and has no database yet.
    Empty,
    /// It can be used, and so can its database.
    Database,
}

/// Looks whether an agent could use a state directory and its database, changing nothing.
pub fn probe(directory: &Path) -> Result<Probe, OpenError> {
    if !directory::probe(directory)? {
        return Ok(Probe::Missing);
    }
    let file = directory.join(directory::DATABASE);
    if !file.exists() {
        schema::no_orphans(&file)?;
        return Ok(Probe::Empty);
    }
    schema::inspect(&file).map(|_| Probe::Database)
}

//! What can go wrong with the ledger, by who has to do something about it.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;
use uuid::Uuid;

use super::Step;
use crate::spec::{Record, State};

/// Why a ledger cannot be opened. Each is one finding of `check`; in every case the files are left as they were.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The state directory cannot be made, or written to.
    #[error("the state directory {} cannot be used: {cause}", .directory.display())]
    Directory {
        /// Which.
        directory: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Another agent has it.
    #[error("the state directory {} is held by another agent: {holder}", .directory.display())]
    Held {
        /// Which.
        directory: PathBuf,
        /// Who, as that agent wrote it down.
        holder: String,
    },
    /// Made by a newer version of the agent.
    #[error("the database {} has format {found}, this agent knows formats up to {known}: use the newer agent", .file.display())]
    Newer {
        /// Which file.
        file: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this agent knows.
        known: u32,
    },
    /// Not a database of an agent.
    #[error("{} is no agent's database", .file.display())]
    Foreign {
        /// Which file.
        file: PathBuf,
    },
    /// Damaged in its structure.
    #[error("the database {} is damaged: {detail}; restore it from a copy, or move it, its -wal and its -shm away to begin with an empty one", .file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What was found.
        detail: String,
    },
    /// Anything else.
    #[error("the database {} cannot be opened: {cause}", .file.display())]
    Database {
        /// Which file.
        file: PathBuf,
        /// Why.
        cause: rusqlite::Error,
    },
}

/// Why something was not recorded.
#[derive(Debug, Clone, Error)]
pub enum WriteError {
    /// The disk is full; nothing was changed, and the same request succeeds when space returns.
    #[error("the disk that holds the state directory is full")]
    NoSpace,
    /// More is asked than the ledger takes at once; try again shortly.
    #[error("the ledger is busy")]
    Busy,
    /// The ledger has refused all work since a write may not have reached the disk, or since it was closed.
    #[error("the ledger takes no more work: {0}")]
    Closed(Arc<str>),
    /// The database refused this one.
    #[error("the database refused: {0}")]
    Refused(Arc<str>),
    /// A step that no record may take.
    #[error(transparent)]
    Unlawful(#[from] Unlawful),
}

/// A step that no record may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an action that is {} cannot {step:?}", .from.name())]
pub struct Unlawful {
    /// The state that the record is in.
    pub from: State,
    /// The step that was asked for.
    pub step: Step,
}

/// Why an action was not accepted. Nothing was stored.
#[derive(Debug, Error)]
pub enum AcceptError {
    /// The id was used before.
    #[error("the id {id} was used before")]
    Used {
        /// The id.
        id: Uuid,
        /// The record that has it; none when it was purged since.
        existing: Option<Box<Record>>,
    },
    /// As many actions wait as may.
    #[error("{waiting} actions wait already")]
    QueueFull {
        /// How many.
        waiting: usize,
    },
    /// It was not recorded.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Why an action was not cancelled.
#[derive(Debug, Error)]
pub enum CancelError {
    /// No record has this id.
    #[error("no action has the id {0}")]
    Unknown(Uuid),
    /// It has ended.
    #[error("the action has ended already")]
    Finished,
    /// It was not recorded.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Why nothing was read.
#[derive(Debug, Clone, Error)]
pub enum ReadError {
    /// A cursor that is not of this list.
    #[error("the cursor belongs to no page of this list")]
    Cursor,
    /// As many readers wait as may; try again shortly.
    #[error("the ledger is busy")]
    Busy,
    /// The ledger is closed.
    #[error("the ledger is closed")]
    Closed,
    /// The database refused.
    #[error("the database cannot be read: {0}")]
    Database(Arc<str>),
}

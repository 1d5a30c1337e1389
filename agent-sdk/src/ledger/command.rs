//! What the writer is asked to do, and how it answers.

use std::fmt;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{AcceptError, CancelError, Submission, WriteError};
use crate::spec::{ErrorRecord, Record};

/// The next action, as the runner is given it.
#[derive(Debug)]
pub(crate) struct Task {
    /// The record after the step that started it, or as it waits when its preconditions have to be looked at first.
    pub(crate) record: Record,
    /// Running time that earlier attempts have used.
    pub(crate) spent: Duration,
    /// Whether the record is `RUNNING` already; otherwise the runner looks at the preconditions and calls
    /// [`super::Ledger::begin`], or ends it.
    pub(crate) begun: bool,
}

/// Who waits for the next action.
pub(crate) struct Taker {
    task: oneshot::Sender<Task>,
    handing: Box<dyn FnOnce(&Record) + Send>,
}

impl Taker {
    /// With what is called, on the ledger's own thread, right before an action is handed over; and where it comes.
    pub(crate) fn new(handing: impl FnOnce(&Record) + Send + 'static) -> (Self, oneshot::Receiver<Task>) {
        let (task, taken) = oneshot::channel();
        let handing = Box::new(handing);
        (Self { task, handing }, taken)
    }

    pub(super) fn has_gone(&self) -> bool {
        self.task.is_closed()
    }

    /// Hands the action over; it comes back where nobody waits for it any more.
    pub(super) fn give(self, task: Task) -> Option<Task> {
        if self.has_gone() {
            return Some(task);
        }
        (self.handing)(&task.record);
        self.task.send(task).err()
    }
}

impl fmt::Debug for Taker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Taker").finish_non_exhaustive()
    }
}

/// How an action ended.
#[derive(Debug, Clone)]
pub(crate) enum Ending {
    /// With this output.
    Done(Box<RawValue>),
    /// With this error.
    Failed(ErrorRecord),
}

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<T>;

/// One thing to write. Each may be applied again after a rollback, so it is only taken apart once it is on disk.
pub(super) enum Command {
    /// A new record.
    Accept {
        submission: Box<Submission>,
        reply: Reply<Result<Record, AcceptError>>,
    },
    /// A client wants an action to end.
    Cancel {
        id: Uuid,
        reply: Reply<Result<Record, CancelError>>,
    },
    /// The runner has nothing to do.
    Take(Taker),
    /// The runner found the preconditions to hold.
    Begin {
        id: Uuid,
        reply: Reply<Result<Task, WriteError>>,
    },
    /// How far the running action has come.
    Checkpoint {
        id: Uuid,
        payload: Box<RawValue>,
        spent: Duration,
        reply: Reply<Result<(), WriteError>>,
    },
    /// An attempt failed; another follows.
    AttemptFailed {
        id: Uuid,
        error: ErrorRecord,
        spent: Duration,
        reply: Reply<Result<(), WriteError>>,
    },
    /// The next attempt begins.
    NextAttempt {
        id: Uuid,
        spent: Duration,
        reply: Reply<Result<Record, WriteError>>,
    },
    /// The action has ended. With `next`, the runner also takes what follows.
    End {
        id: Uuid,
        ending: Ending,
        spent: Duration,
        reply: Reply<Result<(), WriteError>>,
        next: Option<Taker>,
    },
    /// How much running time was used, without a step.
    Spent { id: Uuid, spent: Duration },
    /// The agent stops in good order; the action goes on when it starts again.
    Park {
        id: Uuid,
        spent: Duration,
        reply: Reply<Result<(), WriteError>>,
    },
}

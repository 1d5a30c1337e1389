//! How the ledger is, for whoever asks, without asking the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// Whether the ledger records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Recording,
    /// The last write found the disk full; the next one may succeed.
    NoSpace,
    /// It records nothing any more: a write may not have reached the disk.
    Failed(Arc<str>),
}

/// Where the writer says how it is.
pub(crate) struct Health {
    status: watch::Sender<Status>,
    waiting: AtomicUsize,
    kept: AtomicUsize,
}

impl Health {
    pub(super) fn new() -> Self {
        let status = watch::Sender::new(Status::Recording);
        Self {
            status,
            waiting: AtomicUsize::new(0),
            kept: AtomicUsize::new(0),
        }
    }

    pub(super) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(super) fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }

    pub(super) fn set_counts(&self, waiting: usize, kept: usize) {
        self.waiting.store(waiting, Ordering::Relaxed);
        self.kept.store(kept, Ordering::Relaxed);
    }

    /// A failed ledger stays so.
    pub(super) fn set(&self, status: Status) {
        self.status.send_if_modified(|current| {
            let change = !matches!(current, Status::Failed(_)) && *current != status;
            if change {
                *current = status;
            }
            change
        });
    }

    pub(super) async fn failed(&self) -> Arc<str> {
        let mut status = self.status.subscribe();
        loop {
            if let Status::Failed(reason) = &*status.borrow_and_update() {
                return reason.clone();
            }
            if status.changed().await.is_err() {
                // The sender lives as long as `self`.
                std::future::pending::<()>().await;
            }
        }
    }
}

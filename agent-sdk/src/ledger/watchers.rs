//! Who waits for a record to change.
//!
//! Only records that somebody waits for have an entry, so a commit costs nothing when nobody does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

/// Records that are waited for.
#[derive(Default)]
pub(crate) struct Watchers {
    waiting: Mutex<HashMap<Uuid, watch::Sender<()>>>,
}

/// One who waits.
pub(super) struct Watcher {
    watchers: Arc<Watchers>,
    id: Uuid,
    changes: Option<watch::Receiver<()>>,
}

impl Watchers {
    pub(super) fn watch(self: &Arc<Self>, id: Uuid) -> Watcher {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = waiting.entry(id).or_insert_with(|| watch::Sender::new(())).subscribe();
        Watcher {
            watchers: self.clone(),
            id,
            changes: Some(changes),
        }
    }

    /// Called once a step of these records is on disk.
    pub(super) fn changed(&self, ids: &[Uuid]) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return;
        }
        for id in ids {
            if let Some(changes) = waiting.get(id) {
                changes.send_replace(());
            }
        }
    }
}

impl Watcher {
    /// Returns when the record has changed since this was made or last returned.
    pub(super) async fn changed(&mut self) {
        if let Some(changes) = &mut self.changes {
            // The sender is kept for as long as somebody waits.
            drop(changes.changed().await);
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut waiting = self.watchers.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.changes = None;
        if waiting
            .get(&self.id)
            .is_some_and(|changes| changes.receiver_count() == 0)
        {
            waiting.remove(&self.id);
        }
    }
}

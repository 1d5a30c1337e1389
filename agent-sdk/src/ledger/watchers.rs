//! Who waits for a record to change.
//!
//! Only records that somebody waits for have an entry, so a commit costs nothing when nobody does. Who waits is given the
//! record as the commit has left it and need not read it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

use crate::spec::Record;

/// What a record has become; none where it has to be read.
type Change = Option<Arc<Record>>;

/// Records that are waited for.
#[derive(Default)]
pub(crate) struct Watchers {
    waiting: Mutex<HashMap<Uuid, watch::Sender<Change>>>,
}

/// One who waits.
pub(super) struct Watcher {
    watchers: Arc<Watchers>,
    id: Uuid,
    changes: Option<watch::Receiver<Change>>,
}

impl Watchers {
    pub(super) fn watch(self: &Arc<Self>, id: Uuid) -> Watcher {
        let mut waiting = self.lock();
        let changes = waiting
            .entry(id)
            .or_insert_with(|| watch::Sender::new(None))
            .subscribe();
        Watcher {
            watchers: self.clone(),
            id,
            changes: Some(changes),
        }
    }

    /// Called once a step of these records is on disk; `read` says what one has become.
    pub(super) fn changed(&self, ids: &[Uuid], read: impl Fn(Uuid) -> Option<Record>) {
        let awaited: Vec<_> = {
            let waiting = self.lock();
            if waiting.is_empty() {
                return;
            }
            ids.iter().filter(|id| waiting.contains_key(id)).copied().collect()
        };
        for id in awaited {
            // Nobody who begins to wait is kept from it by the reading.
            let change = read(id).map(Arc::new);
            if let Some(changes) = self.lock().get(&id) {
                changes.send_replace(change);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Sender<Change>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher {
    /// What the record has become, once it has changed since this was made or last returned; none where it has to be read.
    pub(super) async fn changed(&mut self) -> Change {
        let changes = self.changes.as_mut()?;
        // The sender is kept for as long as somebody waits.
        changes.changed().await.ok()?;
        changes.borrow_and_update().clone()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut waiting = self.watchers.lock();
        self.changes = None;
        if waiting
            .get(&self.id)
            .is_some_and(|changes| changes.receiver_count() == 0)
        {
            waiting.remove(&self.id);
        }
    }
}

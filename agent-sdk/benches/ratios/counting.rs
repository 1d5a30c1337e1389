//! A slow store that counts what it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_sdk::datastore::{DataStore, StoreError};
use agent_sdk::spec::{Attributes, Identity, Map, NodeStatus, Shard};
use serde::{Deserialize, Serialize};

/// How long the counting store takes for an answer: long enough for every client to ask meanwhile.
const SLOW: Duration = Duration::from_millis(20);

/// A slow store that counts, attribute by attribute, how often it was asked and how often at once.
#[derive(Clone, Default)]
pub(crate) struct Counting {
    counts: Arc<[Count; 6]>,
}

#[derive(Default)]
struct Count {
    now: AtomicUsize,
    most: AtomicUsize,
    all: AtomicUsize,
}

/// What the store has counted, as its process tells it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Counted {
    /// The most queries of one attribute that were in flight at once.
    pub(crate) most: usize,
    /// All queries.
    pub(crate) all: usize,
}

impl Counting {
    async fn asked<T>(&self, attribute: usize, answer: T) -> T {
        let count = &self.counts[attribute];
        let now = count.now.fetch_add(1, Ordering::SeqCst) + 1;
        count.most.fetch_max(now, Ordering::SeqCst);
        count.all.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(SLOW).await;
        count.now.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    /// What was counted, as JSON.
    pub(crate) fn told(&self) -> String {
        let each =
            |number: fn(&Count) -> &AtomicUsize| self.counts.iter().map(move |c| number(c).load(Ordering::SeqCst));
        let counted = Counted {
            most: each(|count| &count.most).max().unwrap_or_default(),
            all: each(|count| &count.all).sum(),
        };
        serde_json::json!(counted).to_string()
    }
}

impl DataStore for Counting {
    const STORE_ID: &'static str = "counting";

    async fn status(&self) -> NodeStatus {
        self.asked(0, NodeStatus::healthy()).await
    }

    async fn identity(&self) -> Identity {
        self.asked(1, Identity::default()).await
    }

    async fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        self.asked(2, Ok(None)).await
    }

    async fn shards(&self) -> Result<Vec<Shard>, StoreError> {
        self.asked(3, Ok(Vec::new())).await
    }

    async fn attributes(&self, which: Map) -> Attributes {
        let attribute = match which {
            Map::Node => 4,
            Map::Store => 5,
        };
        self.asked(attribute, Attributes::new()).await
    }
}

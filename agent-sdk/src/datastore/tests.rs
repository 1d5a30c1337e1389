//! What clients see of stores that answer, hang, fail and panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Handle;

use super::*;
use crate::spec::{Identity, NodeState, NodeStatus, ReplicationState, StoreVersion, Unit};
use crate::telemetry::Metrics;

const DEADLINE: Duration = Duration::from_secs(2);

/// How a store behaves.
#[derive(Clone, Copy)]
enum Mood {
    Answers,
    Hangs,
    Refuses,
    Panics,
}

struct Moody {
    mood: Mood,
    calls: AtomicUsize,
    /// The offset that is told; none when it is 0.
    offset: AtomicU32,
}

impl Moody {
    async fn feel(&self) -> Result<(), StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        match self.mood {
            Mood::Answers => Ok(()),
            Mood::Hangs => std::future::pending().await,
            Mood::Refuses => Err(StoreError::refused(anyhow::anyhow!("no"))),
            Mood::Panics => panic!("a vendor's mistake"),
        }
    }
}

impl DataStore for Moody {
    const STORE_ID: &'static str = "moody";

    async fn status(&self) -> NodeStatus {
        match self.feel().await {
            Ok(()) => NodeStatus::healthy(),
            Err(error) => NodeStatus::unknown(error.to_string()),
        }
    }

    async fn identity(&self) -> Identity {
        match self.feel().await {
            Ok(()) => Identity {
                node_id: Some("n1".into()),
                version: StoreVersion::parse("1.2"),
                ..Identity::default()
            },
            Err(_) => Identity::default(),
        }
    }

    async fn cluster_id(&self) -> Result<Option<String>, StoreError> {
        self.feel().await.map(|()| Some("c".to_owned()))
    }

    async fn shards(&self) -> Result<Vec<Shard>, StoreError> {
        self.feel().await?;
        let shard = Shard::new("s", ReplicationState::Primary, Unit::named("entries"));
        Ok(vec![match self.offset.load(Ordering::SeqCst) {
            0 => shard,
            offset => shard.at(offset.into()),
        }])
    }

    async fn attributes(&self, _: Map) -> Attributes {
        match self.feel().await {
            Ok(()) => Attributes::new()
                .with("example.org/a", 1)
                .with("example.org/list", json!([1])),
            Err(_) => Attributes::new(),
        }
    }
}

fn moody(mood: Mood) -> Arc<Moody> {
    Arc::new(Moody {
        mood,
        calls: AtomicUsize::new(0),
        offset: AtomicU32::new(7),
    })
}

fn observer(store: &Arc<Moody>, memory: Memory) -> Observer {
    let configured = Configured {
        node_id: None,
        store_version: None,
        address: Some("h:1".into()),
        cluster_id: Some("laid-down".into()),
        attributes: Attributes::new().with("replicante.io/zone", "z"),
        deadline: DEADLINE,
        reuse: Duration::ZERO,
    };
    Observer::new(
        store.clone(),
        configured,
        memory,
        Arc::new(Metrics::default()),
        &Handle::current(),
    )
}

#[tokio::test]
async fn a_store_that_answers_is_shown_without_what_is_unlawful() {
    let observer = observer(&moody(Mood::Answers), Memory::none());
    let node = observer.node().await;
    assert_eq!(
        (node.node_id.as_str(), node.version.number.to_string().as_str()),
        ("n1", "1.2.0")
    );
    let names: Vec<_> = node.attributes.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["example.org/a", "replicante.io/zone"]);
    let store = observer.store().await.unwrap();
    assert_eq!(store.cluster_id.as_deref(), Some("c"));
    assert_eq!(store.configured_cluster_id.as_deref(), Some("laid-down"));
}

#[tokio::test(start_paused = true)]
async fn a_hung_store_is_unavailable_within_the_deadline() {
    let observer = observer(&moody(Mood::Hangs), Memory::none());
    let begun = tokio::time::Instant::now();
    let node = observer.node().await;
    assert_eq!(node.status.state(), NodeState::Unavailable);
    assert_eq!(node.node_id, "h:1", "the configured address stands in for an id");
    assert_eq!(node.version, StoreVersion::unknown());
    assert!(
        begun.elapsed() <= DEADLINE + Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
    let begun = tokio::time::Instant::now();
    assert!(observer.store().await.unwrap_err().to_string().contains("2000 ms"));
    assert!(observer.shards().await.unwrap_err().to_string().contains("2000 ms"));
    assert!(
        begun.elapsed() <= 2 * DEADLINE + Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn any_number_of_clients_of_a_hung_store_cost_it_one_call_of_each_kind() {
    let store = moody(Mood::Hangs);
    let observer = observer(&store, Memory::none());
    futures_util::future::join_all((0..1000).map(|_| observer.node())).await;
    assert_eq!(store.calls.load(Ordering::SeqCst), 3, "status, identity, attributes");
}

#[tokio::test]
async fn a_refusal_is_told_as_one() {
    let observer = observer(&moody(Mood::Refuses), Memory::none());
    assert_eq!(observer.node().await.status.state(), NodeState::Unknown);
    let refusal = observer.shards().await.unwrap_err();
    assert_eq!(refusal.to_string(), "the store refuses: no");
}

#[tokio::test]
async fn a_panic_in_a_vendors_code_is_no_hung_endpoint() {
    let observer = observer(&moody(Mood::Panics), Memory::none());
    let node = observer.node().await;
    assert_eq!(node.status.state(), NodeState::Unknown);
    assert!(node.status.reason().unwrap().contains("panicked"), "{:?}", node.status);
    assert!(observer.shards().await.unwrap_err().to_string().contains("panicked"));
}

#[tokio::test]
async fn an_offset_that_cannot_be_read_just_now_is_remembered() {
    let store = moody(Mood::Answers);
    let observer = observer(&store, Memory::none());
    let last = async || observer.shards().await.unwrap().shards[0].clone();
    assert_eq!(last().await.1, Some(7));
    store.offset.store(0, Ordering::SeqCst);
    let (shard, seen) = last().await;
    assert_eq!((shard.commit_offset, seen), (None, Some(7)));
}

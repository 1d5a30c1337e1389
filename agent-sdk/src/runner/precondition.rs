//! Whether the state that a client expects is the one the node is in.
//!
//! What a client knows of a distributed system is always old. Looking once more, right before the first attempt, is what
//! makes acting on it safe.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::datastore::Observer;
use crate::spec::{ErrorRecord, NodeState, NodeStatus, Preconditions, Role, Shard};

/// How much longer than the observer promises to take its answers may be on their way.
const SLACK: Duration = Duration::from_secs(1);

/// Looks at the node, as far as the preconditions ask for it: anew, whatever others have seen just now, and on the threads
/// for looking. Where a store's code blocks those, so that not even their deadlines come, the node is not known.
pub(super) async fn look(observer: Arc<Observer>, preconditions: Preconditions) -> Result<(), ErrorRecord> {
    let runtime = observer.runtime().clone();
    // The node and the shards, one after the other.
    let limit = 2 * observer.patience() + SLACK;
    let looking = runtime.spawn(async move {
        observer.look_anew();
        hold(&observer, &preconditions).await
    });
    let fault = |error| {
        Err(unknown(format!(
            "what is expected of the node could not be looked at: {error}"
        )))
    };
    match tokio::time::timeout(limit, looking).await {
        Ok(looked) => looked.unwrap_or_else(fault),
        Err(_) => Err(unknown(format!(
            "what is expected of the node could not be looked at within {} s: the store's code blocks its threads",
            limit.as_secs()
        ))),
    }
}

async fn hold(observer: &Observer, preconditions: &Preconditions) -> Result<(), ErrorRecord> {
    let Preconditions { node_status, shards } = preconditions;
    if !node_status.is_empty() {
        status_holds(node_status, &observer.node().await.status)?;
    }
    if !shards.is_empty() {
        let seen = observer.shards().await.map_err(|error| {
            unknown(format!(
                "the node's shards cannot be read to check what is expected of them: {error}"
            ))
        })?;
        shards_hold(shards, seen.shards.iter().map(|(shard, _)| shard))?;
    }
    Ok(())
}

fn status_holds(expected: &[NodeState], seen: &NodeStatus) -> Result<(), ErrorRecord> {
    if expected.contains(&seen.state()) {
        return Ok(());
    }
    let expected = expected
        .iter()
        .map(|state| state.name())
        .collect::<Vec<_>>()
        .join(" or ");
    let reason = seen.reason().map_or_else(String::new, |reason| format!(" ({reason})"));
    let message = format!(
        "the node is expected to be {expected}, and is {}{reason}",
        seen.state().name()
    );
    Err(if seen.state() == NodeState::Unknown {
        unknown(message)
    } else {
        unmet(message)
    })
}

fn shards_hold<'a>(
    expected: &BTreeMap<String, Vec<Role>>,
    seen: impl Iterator<Item = &'a Shard>,
) -> Result<(), ErrorRecord> {
    let seen: BTreeMap<&str, Role> = seen.map(|shard| (shard.id.as_str(), shard.role.role())).collect();
    for (id, roles) in expected {
        let names = || roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" or ");
        match seen.get(id.as_str()) {
            Some(role) if roles.contains(role) => {}
            Some(role) => {
                return Err(unmet(format!(
                    "the node is expected to be {} of the shard {id}, and is {}",
                    names(),
                    role.name()
                )));
            }
            None => {
                return Err(unmet(format!(
                    "the node is expected to be {} of the shard {id}, and does not have it",
                    names()
                )));
            }
        }
    }
    Ok(())
}

fn unmet(message: String) -> ErrorRecord {
    ErrorRecord {
        code: "precondition_unmet".to_owned(),
        message,
        retryable: true,
    }
}

fn unknown(message: String) -> ErrorRecord {
    ErrorRecord {
        code: "precondition_unknown".to_owned(),
        message,
        retryable: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datastore::{Configured, DataStore, Memory, StoreError};
    use crate::spec::{Attributes, Identity, Map, ReplicationState, Unit};

    /// A store whose code blocks the threads on which it is asked.
    struct Blocks;

    impl DataStore for Blocks {
        const STORE_ID: &'static str = "blocks";

        async fn status(&self) -> NodeStatus {
            loop {
                std::thread::park();
            }
        }

        async fn identity(&self) -> Identity {
            Identity::default()
        }

        async fn cluster_id(&self) -> Result<Option<String>, StoreError> {
            Ok(None)
        }

        async fn shards(&self) -> Result<Vec<Shard>, StoreError> {
            Ok(Vec::new())
        }

        async fn attributes(&self, _: Map) -> Attributes {
            Attributes::new()
        }
    }

    #[tokio::test]
    async fn a_store_that_blocks_the_threads_for_looking_holds_no_action() {
        let eyes = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let configured = Configured {
            node_id: None,
            store_version: None,
            address: None,
            cluster_id: None,
            attributes: Attributes::new(),
            deadline: Duration::from_millis(10),
            reuse: Duration::ZERO,
        };
        let observer = Observer::new(
            Arc::new(Blocks),
            configured,
            Memory::none(),
            Arc::default(),
            eyes.handle(),
        );
        let preconditions = Preconditions {
            node_status: vec![NodeState::Healthy],
            shards: BTreeMap::new(),
        };
        let looked = look(Arc::new(observer), preconditions).await;
        assert_eq!(looked.unwrap_err().code, "precondition_unknown");
        eyes.shutdown_background();
    }

    #[test]
    fn one_of_the_states_has_to_be_seen() {
        let expected = [NodeState::Healthy, NodeState::Unhealthy];
        assert_eq!(status_holds(&expected, &NodeStatus::healthy()), Ok(()));
        assert_eq!(
            status_holds(&expected, &NodeStatus::joining()).unwrap_err().code,
            "precondition_unmet"
        );
        assert_eq!(
            status_holds(&expected, &NodeStatus::unknown("x")).unwrap_err().code,
            "precondition_unknown"
        );
    }

    #[test]
    fn every_shard_has_to_be_there_in_one_of_its_roles() {
        let seen = [Shard::new("a", ReplicationState::Secondary, Unit::Seconds)];
        let holds = |id: &str, role| {
            shards_hold(&BTreeMap::from([(id.to_owned(), vec![role])]), seen.iter()).map_err(|error| error.code)
        };
        assert_eq!(holds("a", Role::Secondary), Ok(()));
        assert_eq!(holds("a", Role::Primary), Err("precondition_unmet".into()));
        assert_eq!(holds("b", Role::Secondary), Err("precondition_unmet".into()));
    }
}

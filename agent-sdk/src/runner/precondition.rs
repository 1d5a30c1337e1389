//! Whether the state that a client expects is the one the node is in.
//!
//! What a client knows of a distributed system is always old. Looking once more, right before the first attempt, is what
//! makes acting on it safe.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::datastore::Observer;
use crate::spec::{ErrorRecord, NodeState, NodeStatus, Preconditions, Role, Shard};

/// Looks at the node, as far as the preconditions ask for it: anew, whatever others have seen just now, and on the threads
/// for looking.
pub(super) async fn look(observer: Arc<Observer>, preconditions: Preconditions) -> Result<(), ErrorRecord> {
    let runtime = observer.runtime().clone();
    let looking = runtime.spawn(async move {
        observer.look_anew();
        hold(&observer, &preconditions).await
    });
    let fault = |error| {
        Err(unknown(format!(
            "what is expected of the node could not be looked at: {error}"
        )))
    };
    looking.await.unwrap_or_else(fault)
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
    use crate::spec::{ReplicationState, Unit};

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

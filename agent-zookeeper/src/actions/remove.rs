//! `cluster.remove`: run on a member, removes a server from its ensemble.
//!
//! Absent means absent from the ensemble's own list, read with a quorum, by the store's own form of the id. A name that
//! is no such id is never taken for one of a server that is gone.

use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Fault, Invocation, Kind, Next, NodeArgs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admit;
use super::change::{self, Change, Edit};
use crate::ensemble::Ensemble;
use crate::member::{Member, Role};
use crate::reach::{Reached, reach};
use crate::reconfig::NOT_STANDALONE;
use crate::store::Shared;

/// Removes a server from this server's ensemble.
pub struct Remove(Arc<Shared>);

/// What is told once a server is no member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// Id of the server.
    pub server_id: u64,
    /// Version of the ensemble's configuration, hexadecimal.
    pub config_version: String,
    /// Whether this action asked for the change; false when the server was no member before.
    pub changed: bool,
    /// What is left to do by hand.
    pub note: String,
}

/// The ensemble, and whether the agent may change it.
#[derive(Debug)]
pub struct Members {
    ensemble: Option<Ensemble>,
    authority: Option<bool>,
}

const NOTE: &str = "a removed server goes on serving until it is stopped, and does not start again as it is: stop it; \
    before it may join once more, its own dynamic file has to name the members and itself as observer";

impl Remove {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

impl Kind for Remove {
    const KIND: &'static str = "agent.replicante.io/cluster.remove";
    const SUMMARY: &'static str = "Removes a server, dead or alive, from this server's ensemble.";
    const DEADLINE: Duration = Duration::from_secs(120);
    type Args = NodeArgs;
    type Output = Removed;
}

/// Whom the arguments name.
fn named(node: &str, ensemble: &Ensemble) -> Result<u64, ActionError> {
    if let Ok(id) = node.trim().parse() {
        return Ok(id);
    }
    let unresolved = |message: String| ActionError::Final(Fault::node_unresolved(message));
    let line: Member = node.parse().map_err(|error| {
        let fault = Fault::node_unresolved("a server is named by its id or by its whole server line");
        ActionError::Final(fault.caused_by(anyhow::Error::new(error)))
    })?;
    let same_peers = |member: &&Member| member.shares_peer_with(&line);
    match (ensemble.get(line.id), ensemble.members().find(same_peers)) {
        (Some(member), _) if !member.shares_peer_with(&line) => Err(unresolved(format!(
            "the ensemble's server {} has other addresses, {member}: name it by its id if it is meant",
            line.id
        ))),
        (None, Some(other)) => Err(unresolved(format!(
            "the ensemble has no server {}, but {other} at the same address: name it by its id if it is meant",
            line.id
        ))),
        _ => Ok(line.id),
    }
}

impl Converge for Remove {
    type View = Members;
    type Step = Change;

    async fn observe(&self, args: &NodeArgs, last: Option<&Change>) -> Result<Members, ActionError> {
        // By any server but the one that leaves, where there is one: it may lead, and then its sessions are cut.
        let reached = reach(self.0.server(), &self.0.ways_without(&args.node).await).await;
        let Reached { client, ensemble, .. } = reached?;
        if last.is_some() {
            self.0.doubt().read(ensemble.as_ref());
        }
        let authority = client.is_super(self.0.server().timeouts.answer()).await;
        client.close().await;
        Ok(Members { ensemble, authority })
    }

    fn decide(args: &NodeArgs, view: &Members, last: Option<&Change>) -> Result<Next<Change, Removed>, ActionError> {
        let Some(ensemble) = &view.ensemble else {
            return Err(ActionError::last(
                "standalone",
                format!("this server is standalone, no member of an ensemble: {NOT_STANDALONE}"),
            ));
        };
        let id = named(&args.node, ensemble)?;
        let Some(member) = ensemble.get(id) else {
            return Ok(Next::Done(Removed {
                server_id: id,
                config_version: ensemble.version().to_string(),
                changed: last.is_some(),
                note: NOTE.to_owned(),
            }));
        };
        if member.role == Role::Participant && ensemble.participants() == 1 {
            return Err(ActionError::last(
                "last_participant",
                format!("server {id} is the only one that votes: an ensemble cannot be without"),
            ));
        }
        admit::changeable(ensemble)?;
        let now = Change::new(ensemble, Edit::Leave(id));
        Ok(Next::Do { now, then: Vec::new() })
    }

    async fn apply(&self, args: &NodeArgs, step: &Change, invocation: &Invocation) -> Result<(), ActionError> {
        change::send(&self.0, &self.0.ways_without(&args.node).await, step, invocation).await
    }

    fn unchecked(_: &NodeArgs, view: &Members) -> Vec<String> {
        admit::unchecked(view.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: &str = "server.1=h:1:2;3\nserver.2=h:4:5;6\nserver.3=h:7:8:observer;9\nversion=100000004";

    fn decide(node: &str, config: &str, last: Option<&Change>) -> Result<Next<Change, Removed>, ActionError> {
        let view = Members {
            ensemble: Ensemble::parse(config.as_bytes()).unwrap(),
            authority: None,
        };
        Remove::decide(&NodeArgs { node: node.to_owned() }, &view, last)
    }

    fn code(decided: Result<Next<Change, Removed>, ActionError>) -> String {
        match decided {
            Err(ActionError::Final(fault)) => fault.code().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_member_leaves_by_its_id_or_by_its_line() {
        for node in [
            "2",
            "server.2=h:4:5;6",
            "server.2=H:4:5:observer",
            "server.2=h:4:5;other:1",
        ] {
            let Ok(Next::Do { now, .. }) = decide(node, THREE, None) else {
                panic!("{node}")
            };
            assert_eq!(now.edit, Edit::Leave(2));
            assert_eq!(now.base.to_string(), "100000004");
        }
    }

    #[test]
    fn who_is_absent_from_the_list_is_gone() {
        for node in ["9", "server.9=x:1:2;3"] {
            let Ok(Next::Done(removed)) = decide(node, THREE, None) else {
                panic!("{node}")
            };
            assert_eq!((removed.server_id, removed.changed), (9, false));
        }
    }

    #[test]
    fn a_name_that_is_none_of_an_id_is_unresolved() {
        for node in ["", "zk-2", "h:6", "-1", "server.2=other:4:5;6", "server.9=h:4:5;6"] {
            assert_eq!(code(decide(node, THREE, None)), "node_unresolved", "{node}");
        }
    }

    #[test]
    fn the_last_voter_stays() {
        let one = "server.1=h:1:2;3\nserver.3=h:7:8:observer;9\nversion=1";
        assert_eq!(code(decide("1", one, None)), "last_participant");
        assert!(matches!(decide("3", one, None), Ok(Next::Do { .. })));
        assert_eq!(code(decide("1", "", None)), "standalone");
        assert_eq!(
            code(decide("2", &format!("{THREE}\ngroup.1=1:2"), None)),
            "hierarchical"
        );
    }
}

//! `cluster.join`: run on a new server, takes it into the ensemble that it follows already.

use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Fault, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admit::{self, Admission};
use super::change::{self, Change, Outcome};
use crate::address::Address;
use crate::ensemble::Ensemble;
use crate::member::{Member, Role};
use crate::store::Shared;

/// Takes this server into the ensemble of another.
pub struct Join(Arc<Shared>);

/// Where to join. The server that joins is the one beside the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinArgs {
    /// A member of the ensemble to join: its server line, as its agent shows it (server.ID=HOST:PORT:PORT:ROLE;CLIENT-HOST:PORT), or its id, where this server follows that ensemble.
    pub node: String,
    /// Whether this server votes. When not given: as its own line (store.member) says.
    #[serde(default)]
    pub role: Option<Role>,
}

impl Join {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Where the member is that the arguments name.
    async fn member(&self, args: &JoinArgs) -> Result<Vec<Address>, ActionError> {
        let followed = self.0.ensemble().await;
        resolve(&args.node, followed.as_ref()).map(|address| vec![address])
    }

    fn wanted(&self, args: &JoinArgs) -> Result<Member, ActionError> {
        let mut member = self.0.server().member.clone().ok_or_else(|| {
            ActionError::last(
                "member_unknown",
                "the agent does not know this server's own line: set store.member to \
                 server.ID=HOST:PORT:PORT:participant;CLIENT-HOST:PORT",
            )
        })?;
        member.role = args.role.unwrap_or(member.role);
        Ok(member)
    }
}

impl Kind for Join {
    const KIND: &'static str = "agent.replicante.io/cluster.join";
    const SUMMARY: &'static str = "Takes this server, which runs and follows already, into the ensemble of a member.";
    const DEADLINE: Duration = Duration::from_secs(120);
    type Args = JoinArgs;
    type Output = Outcome;
}

/// The client address of a member that is named by its line or its id.
fn resolve(node: &str, followed: Option<&Ensemble>) -> Result<Address, ActionError> {
    let unresolved = |message: String| ActionError::Final(Fault::node_unresolved(message));
    let entry = |id: u64| {
        followed
            .and_then(|ensemble| ensemble.get(id))
            .and_then(Member::client_address)
    };
    if let Ok(id) = node.trim().parse::<u64>() {
        return entry(id).ok_or_else(|| {
            unresolved(format!(
                "server {id} is not in the ensemble that this server follows: name the member by its whole server line"
            ))
        });
    }
    let member: Member = node.parse().map_err(|error| {
        let fault = Fault::node_unresolved("a member is named by its whole server line, or by its id");
        ActionError::Final(fault.caused_by(anyhow::Error::new(error)))
    })?;
    member
        .client_address()
        .or_else(|| entry(member.id))
        .ok_or_else(|| unresolved(format!("{member} has no client part (;HOST:PORT): nobody can ask it")))
}

impl Converge for Join {
    type View = Admission;
    type Step = Change;

    async fn observe(&self, args: &JoinArgs, last: Option<&Change>) -> Result<Admission, ActionError> {
        let wanted = self.wanted(args)?;
        let member = self.member(args).await?;
        let view = admit::observe(self.0.server(), &member, wanted, last).await;
        let done = |view: &Admission| {
            view.ensemble
                .as_ref()
                .is_some_and(|it| it.get(view.wanted.id).is_some())
        };
        if !view.as_ref().is_ok_and(done) && last.is_none() {
            self.0.set_joining(false);
        }
        view
    }

    fn decide(_: &JoinArgs, view: &Admission, last: Option<&Change>) -> Result<Next<Change, Outcome>, ActionError> {
        admit::decide(view, last)
    }

    async fn apply(&self, args: &JoinArgs, step: &Change, invocation: &Invocation) -> Result<(), ActionError> {
        let member = self.member(args).await?;
        // From here on the server is on its way in, until it is seen to be a member or the change has failed.
        self.0.set_joining(true);
        let sent = change::send(self.0.server(), &member, step, invocation).await;
        if sent.is_err() {
            self.0.set_joining(false);
        }
        sent
    }

    fn unchecked(_: &JoinArgs, view: &Admission) -> Vec<String> {
        admit::unchecked(view.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_by_its_line_or_by_its_id() {
        let followed = Ensemble::parse(b"server.1=h:1:2;3\nversion=1").unwrap();
        let found = |node| resolve(node, followed.as_ref()).map(|address| address.to_string());
        assert_eq!(
            found("server.1=h:1:2;c:9").unwrap(),
            "c:9",
            "the line that was given goes first"
        );
        assert_eq!(found("server.1=h:1:2").unwrap(), "h:3");
        assert_eq!(found(" 1 ").unwrap(), "h:3");
        for node in ["2", "zk-1", "", "h:3", "server.9=h:1:2"] {
            let error = found(node).unwrap_err();
            assert!(
                matches!(&error, ActionError::Final(fault) if fault.code() == "node_unresolved"),
                "{node}: {error}"
            );
        }
    }
}

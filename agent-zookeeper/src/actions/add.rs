//! `cluster.add`: run on a member, takes another server into its ensemble.

use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Fault, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admit::{self, Admission};
use super::change::{self, Change, Outcome};
use crate::member::{Member, Role};
use crate::store::Shared;

/// Takes another server into this server's ensemble.
pub struct Add(Arc<Shared>);

/// The server to take in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddArgs {
    /// Server line of the new server, as its agent shows it: server.ID=HOST:PORT:PORT:ROLE;CLIENT-HOST:PORT.
    pub node: String,
    /// Whether it votes. When not given: as its line says, else participant.
    #[serde(default)]
    pub role: Option<Role>,
}

impl Add {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

impl Kind for Add {
    const KIND: &'static str = "agent.replicante.io/cluster.add";
    const SUMMARY: &'static str = "Takes another server, which runs and follows already, into this server's ensemble.";
    const DEADLINE: Duration = Duration::from_secs(120);
    type Args = AddArgs;
    type Output = Outcome;
}

/// The line that the new server is to have.
fn wanted(args: &AddArgs) -> Result<Member, ActionError> {
    let mut member: Member = args.node.parse().map_err(|error| {
        let message = "the new server is named by its whole server line";
        ActionError::Final(Fault::node_unresolved(message).caused_by(anyhow::Error::new(error)))
    })?;
    member.role = args.role.unwrap_or(member.role);
    Ok(member)
}

impl Converge for Add {
    type View = Admission;
    type Step = Change;

    async fn observe(&self, args: &AddArgs, last: Option<&Change>) -> Result<Admission, ActionError> {
        admit::observe(&self.0, wanted(args)?, last).await
    }

    fn decide(_: &AddArgs, view: &Admission, last: Option<&Change>) -> Result<Next<Change, Outcome>, ActionError> {
        admit::decide(view, last)
    }

    async fn apply(&self, _: &AddArgs, step: &Change, invocation: &Invocation) -> Result<(), ActionError> {
        change::send(&self.0, &self.0.ways().await, step, invocation).await
    }

    fn unchecked(_: &AddArgs, view: &Admission) -> Vec<String> {
        admit::unchecked(view.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_that_is_given_goes_before_the_lines() {
        let args = |text: &str| serde_json::from_str::<AddArgs>(text).unwrap();
        let role = |text| wanted(&args(text)).unwrap().role;
        assert_eq!(role(r#"{"node": "server.2=h:1:2;3"}"#), Role::Participant);
        assert_eq!(role(r#"{"node": "server.2=h:1:2:observer;3"}"#), Role::Observer);
        assert_eq!(
            role(r#"{"node": "server.2=h:1:2;3", "role": "observer"}"#),
            Role::Observer
        );
        assert!(serde_json::from_str::<AddArgs>(r#"{"node": "x", "role": "leader"}"#).is_err());
        let unresolved = wanted(&args(r#"{"node": "zk-2:2181"}"#));
        assert!(matches!(unresolved, Err(ActionError::Final(fault)) if fault.code() == "node_unresolved"));
    }
}

//! One change of an ensemble: the step that is made durable, and the sending of it.

use std::fmt;

use agent_sdk::action::{ActionError, Invocation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client;
use crate::ensemble::{Ensemble, Version};
use crate::member::Member;
use crate::reach::{Reached, reach};
use crate::reconfig::{Verdict, verdict};
use crate::store::Shared;
use agent_sdk::config::Address;

/// A change, and the version of the configuration that it is based on. The server makes it on no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Version of the configuration that it is based on.
    pub base: Version,
    /// The members that it is based on: two ensembles can have one version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// What is changed.
    pub edit: Edit,
}

/// What is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// This server becomes a member, or a member in another role.
    Join(Member),
    /// The server of this id is a member no longer.
    Leave(u64),
}

/// What is told once a server is a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Id of the server.
    pub server_id: u64,
    /// Its line in the ensemble.
    pub member: String,
    /// Version of the ensemble's configuration, hexadecimal.
    pub config_version: String,
    /// Whether this action asked for the change; false when the server was a member before.
    pub changed: bool,
}

impl Change {
    /// A change of the ensemble as it was read.
    pub fn new(read: &Ensemble, edit: Edit) -> Self {
        Self {
            base: read.version(),
            members: read.members().cloned().collect(),
            edit,
        }
    }

    /// Whether this is the ensemble that the change is based on.
    pub(super) fn is_based_on(&self, ensemble: Option<&Ensemble>) -> bool {
        ensemble.is_some_and(|ensemble| ensemble.is(self.base, &self.members))
    }
}

impl Outcome {
    /// What is told of this member.
    pub fn of(member: &Member, ensemble: &Ensemble, changed: bool) -> Self {
        Self {
            server_id: member.id,
            member: member.to_string(),
            config_version: ensemble.version().to_string(),
            changed,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.edit {
            Edit::Join(member) => write!(f, "take {member} into the ensemble")?,
            Edit::Leave(id) => write!(f, "remove server {id} from the ensemble")?,
        }
        write!(f, ", on version {} of its configuration", self.base)
    }
}

/// Sends a change by one of these servers.
///
/// **Guarantees**: it is sent at most once, on the version it is based on, over a session that had a quorum; once this
/// has returned it is sent no more. `Ok` does not say that the change was made: the next reading does.
pub(super) async fn send(
    shared: &Shared,
    addresses: &[Address],
    change: &Change,
    invocation: &Invocation,
) -> Result<(), ActionError> {
    let Reached {
        client,
        ensemble,
        with_credentials,
    } = reach(shared.server(), addresses).await?;
    // The guard would refuse it too, and would write a refused transaction for it.
    if !change.is_based_on(ensemble.as_ref()) {
        client.close().await;
        return Err(ActionError::retry(
            "changed_meanwhile",
            "the ensemble was changed meanwhile; it is read anew",
        ));
    }
    invocation.proceed()?;
    let (line, id);
    let edit = match &change.edit {
        Edit::Join(member) => {
            line = member.to_string();
            client::Edit::Join(&line)
        }
        Edit::Leave(leaving) => {
            id = leaving.to_string();
            client::Edit::Leave(&id)
        }
    };
    let patience = shared.server().timeouts.reconfig();
    let earlier = shared.doubt().send(change);
    let answer = tokio::select! {
        biased;
        answer = client.reconfig(&edit, change.base) => answer,
        () = tokio::time::sleep(patience) => {
            return unanswered(&format!("no answer within {} ms", patience.as_millis()), invocation);
        }
        _ = invocation.interrupted() => return unanswered("the action had to end before the answer came", invocation),
    };
    match answer.map_err(|error| verdict(&error, with_credentials)) {
        Ok(()) => {
            client.close().await;
            Ok(())
        }
        Err(Verdict::Failed(error)) => {
            shared.doubt().refused(earlier);
            client.close().await;
            Err(error)
        }
        Err(Verdict::Undecided(reason)) => unanswered(&reason, invocation),
    }
}

/// A change that was sent and not answered: the next reading decides, while there is time for one.
fn unanswered(reason: &str, invocation: &Invocation) -> Result<(), ActionError> {
    tracing::warn!(reason, "a change was sent and not answered; it is read back");
    invocation.proceed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_back_from_its_checkpoint() {
        let join = Change {
            base: Version(0x1_0000_0000),
            members: Vec::new(),
            edit: Edit::Join("server.2=h:1:2;3".parse().unwrap()),
        };
        let text = serde_json::to_string(&join).unwrap();
        assert_eq!(
            text,
            r#"{"base":"100000000","edit":{"join":"server.2=h:1:2:participant;0.0.0.0:3"}}"#
        );
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), join);
        let leave = Change {
            base: Version(16),
            members: Vec::new(),
            edit: Edit::Leave(2),
        };
        assert_eq!(
            leave.to_string(),
            "remove server 2 from the ensemble, on version 10 of its configuration"
        );
    }

    #[test]
    fn a_change_is_based_on_members_as_well_as_on_a_version() {
        let read = |text: &str| Ensemble::parse(text.as_bytes()).unwrap();
        let one = read("server.1=a:1:2;3\nversion=10");
        let mut change = Change::new(one.as_ref().unwrap(), Edit::Leave(2));
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change);
        let other = read("server.1=b:1:2;3\nversion=10");
        assert!(change.is_based_on(one.as_ref()));
        assert!(!change.is_based_on(other.as_ref()) && !change.is_based_on(None));
        assert!(!change.is_based_on(read("server.1=a:1:2;3\nversion=11").as_ref()));
        change.members.clear();
        assert!(change.is_based_on(other.as_ref()), "a step of an older agent");
    }
}

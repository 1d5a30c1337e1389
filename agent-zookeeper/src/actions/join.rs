//! `cluster.join`: run on a new server, takes it into the ensemble that it follows already.

use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Fault, Invocation, Kind, Next};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admit::{self, Admission};
use super::change::{self, Change, Outcome};
use super::joiner::{self, Joiner};
use crate::config::Server;
use crate::ensemble::Ensemble;
use crate::member::{Member, Role};
use crate::srvr::Mode;
use crate::store::Shared;
use agent_sdk::config::Address;

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

    /// Whether the member that the arguments name is in the ensemble that was read. What the caller names gets no
    /// credentials by its own word: a password sent to it would be in the hands of whoever listens there.
    async fn check(&self, args: &JoinArgs, read: Option<&Ensemble>) -> Result<(), ActionError> {
        let server = self.0.server();
        // By its id a member is named by what the agent's own server shows.
        let named = resolve(&args.node, read)?;
        let Some(followed) = read else { return Ok(()) };
        let known = |member: &Member| member.client_address().as_ref() == Some(&named);
        if named == server.address || followed.members().any(known) {
            return Ok(());
        }
        // Each server of a static ensemble shows its own file: there is nothing to compare, and nothing to change.
        admit::changeable(followed)?;
        same_ensemble(server, &named, followed).await
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

/// Asks a server that nobody vouches for, without credentials, whether its ensemble is the one that is followed.
async fn same_ensemble(server: &Server, named: &Address, followed: &Ensemble) -> Result<(), ActionError> {
    let shown = match joiner::ask(server, named).await {
        Joiner::Serving { ensemble, .. } => ensemble,
        Joiner::Silent(reason) => return Err(unreachable(named, &reason)),
        Joiner::NotServing | Joiner::NoAddress => return Err(unreachable(named, "it does not serve")),
    };
    match shown {
        Some(shown) if shown.has_members_of(followed) => Ok(()),
        shown => Err(ActionError::retry(
            "other_ensemble",
            format!(
                "{named} {}, and this server follows an ensemble of {}: it joins no other, and credentials are sent \
                 to no server that is not in it; name a member as the ensemble itself lists it, or start this server \
                 with the lines of the ensemble that it is to join",
                shown.map_or_else(
                    || "shows no ensemble to the agent".to_owned(),
                    |shown| format!("is in an ensemble of {}", shown.ids())
                ),
                followed.ids()
            ),
        )),
    }
}

fn unreachable(named: &Address, reason: &str) -> ActionError {
    ActionError::retry(
        "member_unreachable",
        format!(
            "{named} is no client address in the ensemble that this server follows, and gives no answer: {reason}; \
             nothing was sent"
        ),
    )
}

impl Converge for Join {
    type View = Admission;
    type Step = Change;

    async fn observe(&self, args: &JoinArgs, last: Option<&Change>) -> Result<Admission, ActionError> {
        let wanted = self.wanted(args)?;
        let read = admit::observe(&self.0, wanted, last).await;
        let view = match read {
            Ok(mut view) => {
                // The server that joins is the agent's own: it may be asked with credentials, at the agent's own address.
                if matches!(view.joiner, Joiner::Serving { ensemble: None, mode, .. } if mode != Mode::Standalone)
                    && let Joiner::Serving { id: told, .. } = &view.joiner
                    && let own @ Joiner::Serving { .. } = joiner::ask_own(self.0.server()).await
                    && matches!(&own, Joiner::Serving { id, .. } if told.is_none() || id == told)
                {
                    view.joiner = own;
                }
                let checked = self.check(args, view.ensemble.as_ref()).await;
                checked.map(|()| view)
            }
            Err(error) => Err(error),
        };
        let done = |view: &Admission| {
            view.ensemble
                .as_ref()
                .is_some_and(|it| it.get(view.wanted.id).is_some())
        };
        // A plan that is asked while the change is under way reads the same, and must not say that it is not.
        if !view.as_ref().is_ok_and(done) && last.is_none() && !self.0.doubt().is_open() {
            self.0.set_joining(false);
        }
        view
    }

    fn decide(_: &JoinArgs, view: &Admission, last: Option<&Change>) -> Result<Next<Change, Outcome>, ActionError> {
        admit::decide(view, last)
    }

    async fn apply(&self, _: &JoinArgs, step: &Change, invocation: &Invocation) -> Result<(), ActionError> {
        let ways = self.0.ways().await;
        // From here on the server is on its way in, until it is seen to be a member or the change has failed.
        self.0.set_joining(true);
        let sent = change::send(&self.0, &ways, step, invocation).await;
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
    use crate::fake::Peer;

    const MEMBERS: &str = "server.1=127.0.0.1:2888:3888;127.0.0.1:";

    /// Joins by the address of a peer that nobody vouches for, and says with which code that ends.
    async fn joined_by(own: &Peer, named: &Peer) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("credentials");
        std::fs::write(&file, "super:harvested").unwrap();
        let mut server = Server::new(own.address(), "zk");
        let line = format!("server.2=127.0.0.1:2889:3889;{}", own.address());
        (server.member, server.credentials_file) = (Some(line.parse().unwrap()), Some(file));
        let join = Join::new(Arc::new(Shared::new(server)));
        let args = JoinArgs {
            node: format!("server.1=127.0.0.1:2888:3888;{}", named.address()),
            role: None,
        };
        match join.observe(&args, None).await {
            Ok(_) => None,
            Err(ActionError::Final(fault) | ActionError::Retry(fault)) => Some(fault.code().to_owned()),
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_password_never_goes_where_the_caller_says() {
        let ensemble = format!("{MEMBERS}1\nversion=100000000");
        let other = "server.1=127.0.0.1:4:5;6\nversion=100000000";
        for (shows, code) in [(ensemble.as_str(), None), (other, Some("other_ensemble"))] {
            let own = Peer::start(2, &ensemble);
            let impostor = Peer::start(1, shows);
            assert_eq!(joined_by(&own, &impostor).await.as_deref(), code);
            assert!(impostor.sessions() > 0, "it was asked");
            assert!(!impostor.has_seen(b"harvested"), "the impostor has the password");
            assert!(own.has_seen(b"harvested"), "the agent's own server may have it");
        }
    }

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

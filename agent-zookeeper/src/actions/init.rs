//! `cluster.init`: an ensemble of one is one by its configuration, so this verifies that the server is.
//!
//! Whether the servers allow changes is in no answer that every server gives, but the version tells: the first leader of
//! an ensemble commits its configuration, and so gives it a version, only where changes are allowed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Invocation, Kind, Next, NoArgs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admit;
use crate::ensemble::Ensemble;
use crate::identity;
use crate::node::disagreement;
use crate::reach::{Reached, reach};
use crate::reconfig::NOT_STANDALONE;
use crate::store::Shared;

/// Verifies that the server is a member of an ensemble that can grow.
pub struct Init(Arc<Shared>);

/// What is told of the ensemble.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initialised {
    /// Id of the server.
    pub server_id: u64,
    /// Version of the ensemble's configuration, hexadecimal.
    pub config_version: String,
    /// Ids of the members.
    pub members: Vec<u64>,
}

/// The ensemble and the server's own id.
#[derive(Debug)]
pub struct Own {
    ensemble: Option<Ensemble>,
    id: Option<u64>,
    /// The id as the session tells it.
    told: Option<u64>,
}

/// There is nothing to apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoStep(Void);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Void {}

impl fmt::Display for NoStep {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl Init {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

impl Kind for Init {
    const KIND: &'static str = "agent.replicante.io/cluster.init";
    const SUMMARY: &'static str = "Verifies that this server is a member of an ensemble that can take in others.";
    const DEADLINE: Duration = Duration::from_secs(60);
    type Args = NoArgs;
    type Output = Initialised;
}

impl Converge for Init {
    type View = Own;
    type Step = NoStep;

    async fn observe(&self, _: &NoArgs, _: Option<&NoStep>) -> Result<Own, ActionError> {
        let server = self.0.server();
        let Reached { client, ensemble, .. } = reach(server, std::slice::from_ref(&server.address)).await?;
        let told = client.server_id();
        client.close().await;
        let id = match server.known_id().or(told) {
            None => identity::ask(server, server.timeouts.answer()).await,
            known => known,
        };
        Ok(Own { ensemble, id, told })
    }

    fn decide(_: &NoArgs, view: &Own, _: Option<&NoStep>) -> Result<Next<NoStep, Initialised>, ActionError> {
        let Some(ensemble) = &view.ensemble else {
            return Err(ActionError::last(
                "standalone",
                format!("the server is standalone: {NOT_STANDALONE}"),
            ));
        };
        let Some(id) = view.id else {
            return Err(ActionError::last(
                "id_unknown",
                "the server's id is not known: set store.data_directory or store.server_id",
            ));
        };
        if let Some(reason) = disagreement(view.id, view.told) {
            let remedy = "correct store.address, store.server_id, store.member or store.data_directory";
            return Err(ActionError::last("id_mismatch", format!("{reason}: {remedy}")));
        }
        if ensemble.get(id).is_none() {
            return Err(ActionError::last(
                "other_ensemble",
                format!(
                    "server {id} follows an ensemble of the servers {} and is none of them: take it in with cluster.join",
                    ensemble.ids()
                ),
            ));
        }
        admit::changeable(ensemble)?;
        Ok(Next::Done(Initialised {
            server_id: id,
            config_version: ensemble.version().to_string(),
            members: ensemble.members().map(|member| member.id).collect(),
        }))
    }

    async fn apply(&self, _: &NoArgs, step: &NoStep, _: &Invocation) -> Result<(), ActionError> {
        match step.0 {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(config: &str, id: Option<u64>) -> Result<Next<NoStep, Initialised>, String> {
        decide_told(config, id, id)
    }

    fn decide_told(config: &str, id: Option<u64>, told: Option<u64>) -> Result<Next<NoStep, Initialised>, String> {
        let view = Own {
            ensemble: Ensemble::parse(config.as_bytes()).unwrap(),
            id,
            told,
        };
        Init::decide(&NoArgs {}, &view, None).map_err(|error| match error {
            ActionError::Final(fault) => fault.code().to_owned(),
            error => panic!("{error}"),
        })
    }

    #[test]
    fn only_a_member_of_an_ensemble_that_can_grow_is_initialised() {
        let one = "server.1=h:1:2;3\nversion=100000000";
        assert_eq!(
            decide(one, Some(1)),
            Ok(Next::Done(Initialised {
                server_id: 1,
                config_version: "100000000".into(),
                members: vec![1]
            }))
        );
        assert_eq!(decide(one, Some(2)), Err("other_ensemble".into()));
        assert_eq!(decide(one, None), Err("id_unknown".into()));
        assert_eq!(decide_told(one, Some(1), Some(2)), Err("id_mismatch".into()));
        assert_eq!(
            decide("server.1=h:1:2;3\nversion=0", Some(1)),
            Err("reconfig_disabled".into())
        );
        assert_eq!(decide("", Some(1)), Err("standalone".into()));
    }
}

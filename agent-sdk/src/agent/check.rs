//! Looks at everything an agent needs before it runs, and changes nothing.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Builder;

use super::program::exit_of_state;
use super::serve::{Setup, configured};
use crate::cli::{Exit, Finding};
use crate::datastore::{Memory, ObserveError, Observer, StoreError};
use crate::ledger;
use crate::spec::NodeState;
use crate::telemetry::Metrics;

/// Configuration, state directory, database, store: what each is, and what the agent would report.
pub(super) fn check(setup: Setup, file: &Path) -> Vec<Finding> {
    let Setup {
        about: _,
        agent,
        config,
    } = setup;
    let mut findings = vec![Finding::ok("configuration", format!("{} holds", file.display()))];
    findings.extend(
        config
            .warnings()
            .iter()
            .map(|warning| Finding::warning("configuration", warning)),
    );
    if let Err(error) = &agent.catalogue {
        findings.push(Finding::bad("actions", Exit::Fault, error.to_string()));
    }
    findings.extend(state(&config.config().state_directory));
    let observed = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    match observed {
        Ok(runtime) => {
            let metrics = Arc::new(Metrics::default());
            let observer = (agent.observing)(
                configured(&config, agent.cluster_id),
                Memory::none(),
                metrics,
                runtime.handle(),
            );
            findings.extend(runtime.block_on(store(&observer)));
            // A store that blocks must not keep the command.
            runtime.shutdown_background();
        }
        Err(error) => findings.push(Finding::bad("store", Exit::Fault, error.to_string())),
    }
    findings
}

fn state(directory: &Path) -> Vec<Finding> {
    let shown = directory.display();
    match ledger::probe(directory) {
        Ok(ledger::Probe::Missing) => vec![Finding::ok(
            "state directory",
            format!("{shown} will be made at the first start"),
        )],
        Ok(ledger::Probe::Empty) => vec![
            Finding::ok("state directory", format!("{shown} can be used")),
            Finding::ok("database", "it will be made at the first start"),
        ],
        Ok(ledger::Probe::Database) => vec![
            Finding::ok("state directory", format!("{shown} can be used")),
            Finding::ok("database", "it is whole, and of a format that this agent knows"),
        ],
        Err(error) => {
            let exit = exit_of_state(&error);
            let subject = if exit == Exit::Database {
                "database"
            } else {
                "state directory"
            };
            vec![Finding::bad(subject, exit, error.to_string())]
        }
    }
}

async fn store(observer: &Observer) -> Vec<Finding> {
    let (node, store, shards) = tokio::join!(observer.node(), observer.store(), observer.shards());
    let state = node.status.state();
    let reason = node
        .status
        .reason()
        .map_or_else(String::new, |reason| format!(" ({reason})"));
    let told = format!(
        "{}{reason}; node {}, version {}",
        state.name(),
        node.node_id,
        node.version.number
    );
    let refused = [store.as_ref().err(), shards.as_ref().err()]
        .into_iter()
        .flatten()
        .find(|error| matches!(error, ObserveError::Store(error) if matches!(**error, StoreError::Refused(_))));
    let mut findings = Vec::new();
    match (state, refused) {
        (_, Some(refusal)) => findings.push(Finding::bad("store", Exit::StoreRefuses, format!("{told}: {refusal}"))),
        (NodeState::Unavailable, None) => findings.push(Finding::bad("store", Exit::StoreUnreachable, told)),
        (NodeState::Unknown, None) => findings.push(Finding::bad("store", Exit::StoreRefuses, told)),
        (NodeState::Unhealthy, None) => findings.push(Finding::warning("store", told)),
        (_, None) => findings.push(Finding::ok("store", told)),
    }
    if let Ok(store) = store {
        let cluster = match (&store.cluster_id, &store.configured_cluster_id) {
            (Some(id), _) => id.clone(),
            (None, Some(id)) => format!("none yet; {id} is configured"),
            (None, None) => "none".to_owned(),
        };
        findings.push(Finding::ok("cluster", cluster));
    }
    if let Ok(shards) = shards {
        findings.push(Finding::ok(
            "shards",
            match shards.shards.as_slice() {
                [] => "none".to_owned(),
                [(only, _)] => format!("{}: {}", only.id, only.role.role().name()),
                many => format!("{} of them", many.len()),
            },
        ));
    }
    findings
}

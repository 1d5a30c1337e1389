//! What the answer to a change, or to a question before it, calls for.

use agent_sdk::action::{ActionError, Fault};

use crate::ask::AskError;
use crate::client::{Code, Fault as ClientFault};
use crate::command::CommandError;

/// A question that an action depends on has no answer.
pub(super) fn unanswered(error: &AskError) -> ActionError {
    if let Some(refused) = refused(error) {
        return refused;
    }
    match error.fault() {
        // Certificates and credentials can be mended while the action waits: they are read for each connection, or at the
        // agent's next start, and the action outlives both.
        Some(ClientFault::Tls(_) | ClientFault::Login(_)) => ActionError::retry("not_let_in", error.to_string()),
        // Another release, or another kind of listener than the agent is told.
        Some(ClientFault::Unsupported(_)) => ActionError::last("unsupported", error.to_string()),
        _ => ActionError::retry("unreachable", error.to_string()),
    }
}

/// A change was answered with an error, or not at all. What is already as it should be is found by the next reading.
pub(super) fn of_change(error: &AskError) -> ActionError {
    if let Some(refused) = refused(error) {
        return refused;
    }
    if error.fault().is_some_and(ClientFault::is_undecided) {
        return ActionError::Retry(Fault::undecided(error.to_string()));
    }
    let text = error.to_string();
    match error.code() {
        Some(Code::INCONSISTENT_CLUSTER_ID) => ActionError::last("other_cluster", text),
        Some(Code::UNSUPPORTED_VERSION) => ActionError::last(STATIC_VOTERS.0, format!("{}: {text}", STATIC_VOTERS.1)),
        Some(Code::INVALID_REQUEST) => ActionError::last("refused", text),
        // Everything that passes, and what the next reading decides: 126, 127.
        Some(_) => ActionError::retry("not_now", text),
        None => unanswered(error),
    }
}

/// The agent may not do this.
fn refused(error: &AskError) -> Option<ActionError> {
    matches!(
        error.code(),
        Some(Code::CLUSTER_AUTHORIZATION_FAILED | Code::TOPIC_AUTHORIZATION_FAILED)
    )
    .then(|| ActionError::last("not_allowed", error.to_string()))
}

/// A command of the operator's failed. What it failed for may pass, or be mended while the action waits.
pub(super) fn of_command(error: &CommandError) -> ActionError {
    match error {
        CommandError::Missing(_) => ActionError::last("not_configured", error.to_string()),
        CommandError::Unrunnable { .. } | CommandError::Failed { .. } | CommandError::Endless { .. } => {
            ActionError::retry("command_failed", error.to_string())
        }
    }
}

/// Code and message where voters cannot be changed at all.
pub(super) const STATIC_VOTERS: (&str, &str) = (
    "static_voters",
    "the voters of this cluster are laid down in its nodes' configuration (controller.quorum.voters, kraft.version 0)",
);

/// The cluster cannot change its voters.
pub(super) fn static_voters() -> ActionError {
    ActionError::last(STATIC_VOTERS.0, STATIC_VOTERS.1)
}

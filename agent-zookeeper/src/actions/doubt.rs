//! What an action has sent and heard nothing of.
//!
//! A change whose answer is lost may be made later, for as long as the ensemble is the one that it is based on: its guard
//! is the version. So it is in doubt until a reading shows another ensemble, made by it or by somebody else. While it
//! is, no error of the action may sound as if nothing had been sent, wherever it comes from: a reading that fails, a
//! later sending that is refused, a joiner that is gone by now, the deadline. [`Accounted`] sees to that for all of
//! them at once, from outside.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agent_sdk::action::{Action, ActionError, Converge, Fault, Interrupt, Invocation, Kind, Plan};
use serde::Deserialize;

use super::change::Change;
use crate::ensemble::Ensemble;
use crate::store::Shared;

/// How long a reading may outlast the deadline while a change is in doubt. Below the shortest grace (1 s): after that,
/// nobody would hear what is said here.
const LATE: Duration = Duration::from_millis(300);

/// The change that may be under way. One action runs at a time.
#[derive(Debug, Default)]
pub(crate) struct Doubt(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The action that this is known of.
    action: Option<uuid::Uuid>,
    change: Option<Change>,
}

impl Doubt {
    /// An attempt of this action begins. Of what another process has sent only the checkpoint tells, and not whether it
    /// was answered.
    fn begin(&self, action: uuid::Uuid, checkpoint: Option<Change>) {
        let mut known = self.known();
        if known.action != Some(action) {
            (known.action, known.change) = (Some(action), checkpoint);
        }
    }

    /// A change is about to be sent. Gives the one that was in doubt before.
    pub(super) fn send(&self, change: &Change) -> Option<Change> {
        self.known().change.replace(change.clone())
    }

    /// It was refused: what was in doubt before still is.
    pub(super) fn refused(&self, earlier: Option<Change>) {
        self.known().change = earlier;
    }

    /// The ensemble was read, after what was sent. A server that is in none says nothing of the one that was asked.
    pub(super) fn read(&self, ensemble: Option<&Ensemble>) {
        let mut known = self.known();
        if ensemble.is_some()
            && known
                .change
                .as_ref()
                .is_some_and(|change| !change.is_based_on(ensemble))
        {
            known.change = None;
        }
    }

    /// Whether a change may be under way.
    pub(super) fn is_open(&self) -> bool {
        self.known().change.is_some()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An action that changes the ensemble, and accounts for what it has sent.
pub struct Accounted<A> {
    action: A,
    shared: Arc<Shared>,
}

impl<A> Accounted<A> {
    pub(crate) const fn new(action: A, shared: Arc<Shared>) -> Self {
        Self { action, shared }
    }
}

/// As much of a checkpoint as matters here.
#[derive(Deserialize)]
struct Checkpoint {
    step: Option<Change>,
}

impl<A: Kind> Kind for Accounted<A> {
    const KIND: &'static str = A::KIND;
    const SUMMARY: &'static str = A::SUMMARY;
    const DEADLINE: Duration = A::DEADLINE;
    type Args = A::Args;
    type Output = A::Output;
}

impl<A: Converge<Step = Change>> Action for Accounted<A> {
    const PLANS: bool = true;

    async fn run(&self, args: &A::Args, invocation: &mut Invocation) -> Result<A::Output, ActionError> {
        let doubt = self.shared.doubt();
        let checkpoint: Option<Checkpoint> = invocation.last_checkpoint()?;
        doubt.begin(invocation.id(), checkpoint.and_then(|checkpoint| checkpoint.step));
        let late = tokio::time::sleep(invocation.remaining() + LATE);
        let ended = {
            let mut running = pin!(Action::run(&self.action, args, invocation));
            tokio::select! {
                ended = &mut running => ended,
                () = late => if doubt.is_open() {
                    Err(ActionError::Interrupted)
                } else {
                    running.await
                },
            }
        };
        ended.map_err(|error| told(error, doubt.is_open(), invocation.interrupt()))
    }

    async fn plan(&self, args: &A::Args) -> Result<Plan, ActionError> {
        Action::plan(&self.action, args).await
    }
}

/// What is said of an attempt that ended with this error.
fn told(error: ActionError, in_doubt: bool, interrupt: Option<Interrupt>) -> ActionError {
    match error {
        error if !in_doubt => error,
        // The action goes on at the next start, and finds out.
        ActionError::Interrupted if interrupt == Some(Interrupt::Stopping) => ActionError::Interrupted,
        ActionError::Interrupted | ActionError::NoPlan => undecided("the action had to end before it was read back"),
        // Also what is final for the last sending is not for the one before: it is read again until the deadline.
        ActionError::Retry(fault) | ActionError::Final(fault) => undecided(&fault.to_string()),
    }
}

fn undecided(reason: &str) -> ActionError {
    ActionError::Retry(Fault::undecided(format!(
        "a change of the ensemble may have been sent, and whether it was or will be made is not known ({reason}); once \
         there is a quorum, the same action again finds out"
    )))
}

#[cfg(test)]
mod tests;

//! Observe, decide, apply, confirm: what every action on a cluster is made of.
//!
//! A distributed system is always seen late, and a crash may come between any two instructions. So an action that
//! changes a cluster reads first, decides by a pure function, makes its decision durable, applies it, and reads again;
//! it is done only when a *reading* says so. An attempt that follows a crash does the same from the top: what was
//! applied already is found to be there, and is not applied again. Since the decision is pure, the same code also says
//! what it *would* do: the plan.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Action, ActionError, Invocation, Kind, Plan, PlannedStep};
use crate::spec::ErrorRecord;

/// What a reading calls for.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<S, O> {
    /// The goal holds. Only a reading can say so: that is the confirmation.
    Done(O),
    /// Nothing to do but wait for this, then read again.
    Wait(String),
    /// Something to do.
    Do {
        /// The next step.
        now: S,
        /// What would follow, as far as it can be told.
        then: Vec<S>,
    },
}

/// An action that brings a cluster to a goal.
///
/// **Guarantees**: `apply` is only called with a step that is on disk as the record's checkpoint; after it the cluster
/// is read again, and `Done` is only ever decided from a reading.
///
/// **Assumptions**: applying a step twice is harmless or impossible (guarded by a version, say), since an attempt may
/// end between `apply` and the next checkpoint.
pub trait Converge: Kind {
    /// What is read.
    type View: Send + Sync;
    /// One step: a line of the plan (its `Display`), and the checkpoint before acting (its JSON).
    type Step: Serialize + DeserializeOwned + Display + Clone + PartialEq + Send + Sync;

    /// How long to wait between two readings while there is nothing to do but wait.
    const POLL: Duration = Duration::from_millis(250);

    /// Reads what the decision needs, `last` being the step that was made durable last, if any.
    fn observe(
        &self,
        args: &Self::Args,
        last: Option<&Self::Step>,
    ) -> impl Future<Output = Result<Self::View, ActionError>> + Send;

    /// Decides. Pure: the same view gives the same answer.
    fn decide(
        args: &Self::Args,
        view: &Self::View,
        last: Option<&Self::Step>,
    ) -> Result<Next<Self::Step, Self::Output>, ActionError>;

    /// Applies a step.
    fn apply(
        &self,
        args: &Self::Args,
        step: &Self::Step,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<(), ActionError>> + Send;

    /// What only acting would show, for the plan.
    fn unchecked(args: &Self::Args, view: &Self::View) -> Vec<String> {
        let _ = (args, view);
        Vec::new()
    }
}

/// The checkpoint of a converging action: its last step, and what it waits for.
#[derive(Serialize, Deserialize)]
struct Progress<S> {
    step: Option<S>,
    waiting: Option<String>,
}

impl<C: Converge> Action for C {
    const PLANS: bool = true;

    async fn run(&self, args: &Self::Args, invocation: &mut Invocation) -> Result<Self::Output, ActionError> {
        let progress = invocation.last_checkpoint()?;
        let Progress { mut step, mut waiting } = progress.unwrap_or(Progress {
            step: None,
            waiting: None,
        });
        loop {
            invocation.proceed()?;
            let view = self.observe(args, step.as_ref()).await?;
            match Self::decide(args, &view, step.as_ref())? {
                Next::Done(output) => return Ok(output),
                Next::Wait(reason) => {
                    if waiting.as_ref() != Some(&reason) {
                        waiting = Some(reason);
                        invocation
                            .checkpoint(&Progress {
                                step: step.as_ref(),
                                waiting: waiting.clone(),
                            })
                            .await?;
                    }
                    invocation.pause(Self::POLL).await?;
                }
                Next::Do { now, then: _ } => {
                    // Also a step that equals the last one is made durable anew: nothing is applied whose record could
                    // be of an earlier attempt.
                    waiting = None;
                    invocation
                        .checkpoint(&Progress {
                            step: Some(&now),
                            waiting: None,
                        })
                        .await?;
                    let applied = self.apply(args, &now, invocation).await;
                    step = Some(now);
                    applied?;
                }
            }
        }
    }

    async fn plan(&self, args: &Self::Args) -> Result<Plan, ActionError> {
        let view = match self.observe(args, None).await {
            Ok(view) => view,
            Err(error) => return refused(error, Vec::new()),
        };
        let unchecked = Self::unchecked(args, &view);
        let steps = match Self::decide(args, &view, None) {
            Ok(Next::Done(_)) => {
                return Ok(Plan {
                    done: true,
                    steps: Vec::new(),
                    refused: None,
                    unchecked: Vec::new(),
                });
            }
            Ok(Next::Wait(reason)) => {
                vec![PlannedStep {
                    summary: format!("wait: {reason}"),
                    data: serde_json::Value::Null,
                }]
            }
            Ok(Next::Do { now, then }) => std::iter::once(now).chain(then).map(planned).collect(),
            Err(error) => return refused(error, unchecked),
        };
        Ok(Plan {
            done: false,
            steps,
            refused: None,
            unchecked,
        })
    }
}

fn planned<S: Serialize + Display>(step: S) -> PlannedStep {
    PlannedStep {
        summary: step.to_string(),
        data: serde_json::to_value(&step).unwrap_or_default(),
    }
}

fn refused(error: ActionError, unchecked: Vec<String>) -> Result<Plan, ActionError> {
    let refusal: ErrorRecord = match error {
        ActionError::Retry(fault) => fault.record(true),
        ActionError::Final(fault) => fault.record(false),
        ActionError::Interrupted | ActionError::NoPlan => return Err(error),
    };
    Ok(Plan {
        done: false,
        steps: Vec::new(),
        refused: Some(refusal),
        unchecked,
    })
}

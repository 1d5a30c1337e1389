//! Saying what an action would do.
//!
//! The vendor's code runs on the runtime of observations, in a task of its own with a deadline: whatever it does, an
//! HTTP worker only ever waits. A plan holds one of few places until its task has ended, so that a store that hangs
//! holds a few tasks, however often it is asked.

use std::time::Duration;

use serde_json::value::RawValue;
use tracing::Instrument;

use super::problem::{Code, Problem};
use super::schedule::{bad_arguments, unknown_kind};
use super::service::Service;
use crate::action::{ActionError, Plan};

/// How long a plan may take. It is a few readings of the store; a client of the API waits as long for any answer.
const DEADLINE: Duration = Duration::from_secs(30);

impl Service {
    /// What an action of this kind would do now. Changes nothing.
    pub(super) async fn plan(&self, kind: &str, args: Option<Box<RawValue>>) -> Result<Plan, Problem> {
        let catalogue = self.catalogue();
        let entry = catalogue
            .get(kind)
            .ok_or_else(|| unknown_kind(Code::NoSuchKind, kind, catalogue))?;
        entry.check(args.as_deref()).map_err(bad_arguments)?;
        if !entry.plans {
            return Err(no_plan());
        }
        let place = self.planning.clone().try_acquire_owned();
        let place = place.map_err(|_| Problem::new(Code::Busy, "other plans are being made: try again shortly"))?;
        let plan = entry.plan(args);
        let planning = async move {
            let _place = place;
            plan.await
        };
        let mut task = self.runtime().spawn(planning.in_current_span());
        match tokio::time::timeout(DEADLINE, &mut task).await {
            Ok(Ok(Ok(plan))) => Ok(plan),
            Ok(Ok(Err(error))) => refused(error),
            Ok(Err(fault)) => Err(Problem::internal(fault)),
            Err(_) => {
                task.abort();
                Err(Problem::new(
                    Code::PlanTimeout,
                    format!("there was no plan within {} s", DEADLINE.as_secs()),
                ))
            }
        }
    }
}

/// An action that cannot even read what it plans on would fail in the same way.
fn refused(error: ActionError) -> Result<Plan, Problem> {
    let refusal = match error {
        ActionError::Retry(fault) => fault.record(true),
        ActionError::Final(fault) => fault.record(false),
        ActionError::NoPlan => return Err(no_plan()),
        ActionError::Interrupted => return Err(Problem::new(Code::Busy, "the agent stops")),
    };
    Ok(Plan {
        done: false,
        steps: Vec::new(),
        refused: Some(refusal),
        unchecked: Vec::new(),
    })
}

fn no_plan() -> Problem {
    Problem::new(Code::NoPlan, "actions of this kind cannot tell what they would do")
}

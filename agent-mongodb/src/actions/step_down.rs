//! `mongodb.com/primary.step-down`: the primary hands over to a secondary, on purpose.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use agent_sdk::action::{ActionError, Converge, Invocation, Kind, Next};
use mongodb::bson::doc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcome::unanswered;
use super::reach;
use crate::ask::SetStatus;
use crate::ask::set::{GRACE, millis};
use crate::client::{Fault, Link};
use crate::code::Code;
use crate::sight::Sight;
use agent_sdk::action::Fault as ActionFault;

/// Has the primary hand over.
pub struct StepDown(Arc<Sight>);

/// How.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDownArgs {
    /// For how many seconds it is not elected again, 1 to 86,400; 60 by default. More than `catch_up_s`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 86_400))]
    pub stay_s: Option<u32>,
    /// For how many seconds it waits for a secondary to catch up, 0 to 120; 10 by default, and never longer than the action
    /// may still run. It takes no writes meanwhile, also where the action is cancelled.
    #[serde(default)]
    #[schemars(range(max = 120))]
    pub catch_up_s: Option<u32>,
    /// Whether it steps down also where no secondary has caught up by then. Writes that none has are lost when another one
    /// is elected before they are copied.
    #[serde(default)]
    pub force: bool,
}

/// Who is the primary now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SteppedDown {
    /// Name of the set.
    pub cluster_id: String,
    /// Name of the primary.
    pub primary: String,
    /// Whether there was anything to change.
    pub changed: bool,
}

/// What was read.
#[derive(Debug)]
pub struct View {
    /// The set, as the member beside the agent sees it.
    status: SetStatus,
    /// Name of that member.
    me: Option<String>,
    /// Whether it takes writes.
    is_primary: bool,
    /// Name of the primary that it knows.
    primary: Option<String>,
}

/// The one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// In which term it was the primary. In a later one it was elected again: it has stepped down once.
    pub term: Option<i64>,
    /// Its name.
    pub host: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "have {} step down as the primary", self.host)
    }
}

/// How a primary hands over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manner {
    stay_s: u32,
    catch_up_s: u32,
    force: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            stay_s: 60,
            catch_up_s: 10,
            force: false,
        }
    }
}

impl Manner {
    /// The same, waiting for no longer than this: writes do not have to wait for an action that has ended.
    fn within(self, left: Duration) -> Self {
        let left = u32::try_from(left.as_secs()).unwrap_or(u32::MAX);
        Self {
            catch_up_s: self.catch_up_s.min(left),
            ..self
        }
    }
}

impl StepDownArgs {
    fn manner(&self) -> Result<Manner, ActionError> {
        let usual = Manner::default();
        let manner = Manner {
            stay_s: self.stay_s.unwrap_or(usual.stay_s),
            catch_up_s: self.catch_up_s.unwrap_or(usual.catch_up_s),
            force: self.force,
        };
        if manner.stay_s <= manner.catch_up_s {
            let message = format!(
                "stay_s ({}) has to be more than catch_up_s ({}): the first counts from the same moment",
                manner.stay_s, manner.catch_up_s
            );
            return Err(ActionError::last("invalid_times", message));
        }
        Ok(manner)
    }
}

/// Has a primary hand over.
pub(super) async fn hand_over(link: &Link, manner: &Manner, within: Duration) -> Result<(), ActionError> {
    let Manner {
        stay_s,
        catch_up_s,
        force,
    } = manner;
    let within = within + Duration::from_secs(u64::from(*catch_up_s));
    let command = doc! {
        "replSetStepDown": i64::from(*stay_s),
        "secondaryCatchUpPeriodSecs": i64::from(*catch_up_s),
        "force": force,
        "maxTimeMS": millis(within),
    };
    match link.ask_within(command, within + GRACE).await {
        Ok(_) => Ok(()),
        Err(fault) => of_step_down(&fault),
    }
}

fn of_step_down(fault: &Fault) -> Result<(), ActionError> {
    if fault.is_undecided() {
        return Err(ActionError::Retry(ActionFault::undecided(fault.to_string())));
    }
    match fault.code() {
        // It is none any more, or not yet: what it is is read a moment later.
        Some(code) if code.is_not_primary() => Err(ActionError::retry("not_now", fault.to_string())),
        // Each try keeps writes waiting: whether to try again is the operator's to say.
        Some(Code::EXCEEDED_TIME_LIMIT | Code::MAX_TIME_MS_EXPIRED) => Err(ActionError::last(
            "no_successor",
            format!("no secondary that could take over has caught up in time: {fault}"),
        )),
        _ => Err(unanswered(fault)),
    }
}

impl StepDown {
    pub(crate) const fn new(sight: Arc<Sight>) -> Self {
        Self(sight)
    }
}

impl Kind for StepDown {
    const KIND: &'static str = "mongodb.com/primary.step-down";
    const SUMMARY: &'static str =
        "Has this node, where it is the primary, hand over to a secondary that has caught up: a failover on purpose.";
    const DEADLINE: Duration = Duration::from_secs(300);
    type Args = StepDownArgs;
    type Output = SteppedDown;
}

impl Converge for StepDown {
    type View = View;
    type Step = Step;

    async fn observe(&self, args: &StepDownArgs, _: Option<&Step>) -> Result<View, ActionError> {
        args.manner()?;
        let facts = self.0.look_anew().await;
        let member = reach::member(&facts)?;
        match &facts.set {
            Some(Ok(status)) => Ok(View {
                status: status.clone(),
                me: member.me.clone(),
                is_primary: member.is_primary,
                primary: member.primary.clone(),
            }),
            Some(Err(fault)) => Err(unanswered(fault)),
            None => Err(ActionError::retry(
                "unreachable",
                "the member was not asked for its state",
            )),
        }
    }

    fn decide(args: &StepDownArgs, view: &View, last: Option<&Step>) -> Result<Next<Step, SteppedDown>, ActionError> {
        args.manner()?;
        let status = &view.status;
        let term = status.term;
        let done = |primary: &str| {
            Ok(Next::Done(SteppedDown {
                cluster_id: status.set.clone(),
                primary: primary.to_owned(),
                changed: last.is_some(),
            }))
        };
        match (&view.primary, &view.me) {
            // Elected, and not taking writes yet: it could not step down.
            (_, Some(me)) if view.is_primary => match last {
                // It has handed over, and was elected again since.
                Some(step) if step.term < term => done(me),
                _ => Ok(Next::Do {
                    now: Step { term, host: me.clone() },
                    then: Vec::new(),
                }),
            },
            (Some(primary), me) if Some(primary) != me.as_ref() => done(primary),
            _ => Ok(Next::Wait("another member is elected".to_owned())),
        }
    }

    async fn apply(&self, args: &StepDownArgs, _: &Step, invocation: &Invocation) -> Result<(), ActionError> {
        let link = self.0.primary(&self.0.server().address);
        let manner = args.manner()?.within(invocation.remaining());
        hand_over(&link, &manner, self.0.server().timeouts.change()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::majority::tests::set;

    fn view(primary: Option<usize>, term: i64) -> View {
        let states = match primary {
            Some(0) => [1, 2, 2],
            Some(1) => [2, 1, 2],
            _ => [2, 2, 2],
        };
        let (_, mut status) = set(&states);
        status.term = Some(term);
        View {
            status,
            me: Some("h0:1".to_owned()),
            is_primary: primary == Some(0),
            primary: primary.map(|at| format!("h{at}:1")),
        }
    }

    fn decide(view: &View, last: Option<&Step>) -> Next<Step, SteppedDown> {
        StepDown::decide(&StepDownArgs::default(), view, last).unwrap()
    }

    fn step() -> Step {
        Step {
            term: Some(3),
            host: "h0:1".to_owned(),
        }
    }

    #[test]
    fn the_primary_steps_down_once() {
        let first = decide(&view(Some(0), 3), None);
        assert_eq!(
            first,
            Next::Do {
                now: step(),
                then: Vec::new()
            }
        );
        // Not yet done, also after a crash.
        assert_eq!(decide(&view(Some(0), 3), Some(&step())), first);
        assert!(matches!(decide(&view(None, 3), Some(&step())), Next::Wait(_)));
        let Next::Done(done) = decide(&view(Some(1), 4), Some(&step())) else {
            panic!("another one is the primary")
        };
        assert!(done.changed && done.primary == "h1:1");
        // Elected again in the meantime: it is not made to step down a second time.
        assert!(matches!(decide(&view(Some(0), 5), Some(&step())), Next::Done(_)));
    }

    #[test]
    fn a_secondary_has_nothing_to_hand_over() {
        assert!(matches!(
            decide(&view(Some(1), 3), None),
            Next::Done(SteppedDown { changed: false, .. })
        ));
    }

    #[test]
    fn it_stays_down_for_longer_than_it_waits() {
        let args = StepDownArgs {
            stay_s: Some(10),
            ..StepDownArgs::default()
        };
        assert!(
            StepDown::decide(&args, &view(Some(0), 3), None)
                .unwrap_err()
                .to_string()
                .contains("stay_s")
        );
    }

    #[test]
    fn writes_wait_no_longer_than_the_action_may_run() {
        let most = Manner {
            stay_s: 200,
            catch_up_s: 120,
            force: false,
        };
        assert!(Duration::from_secs(120) < StepDown::DEADLINE);
        assert_eq!(most.clone().within(Duration::from_secs(5)).catch_up_s, 5);
        assert_eq!(most.clone().within(StepDown::DEADLINE), most);
    }

    #[test]
    fn nobody_to_take_over_is_told() {
        let answered = |code| Fault::Answered {
            code: Code(code),
            message: "No electable secondaries caught up".to_owned(),
        };
        assert!(
            matches!(of_step_down(&answered(262)), Err(ActionError::Final(fault)) if fault.code() == "no_successor")
        );
        assert!(matches!(of_step_down(&answered(10_107)), Err(ActionError::Retry(fault)) if fault.code() == "not_now"));
        assert!(matches!(of_step_down(&answered(13)), Err(ActionError::Final(_))));
    }
}

//! The lawful steps of a record, in one place: live writes and recovery go through [`next`].

use super::Unlawful;
use crate::spec::State;

/// What happens to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// It runs for the first time.
    Start,
    /// Something is recorded of a running action: a checkpoint, a request to cancel, a failed or a new attempt.
    Progress,
    /// It ends as it should.
    Finish,
    /// It ends otherwise.
    Fail,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 4] = [Self::Start, Self::Progress, Self::Finish, Self::Fail];
}

/// The state after a step, or that the step is not lawful.
pub const fn next(from: State, step: Step) -> Result<State, Unlawful> {
    match (from, step) {
        (State::New, Step::Start) | (State::Running, Step::Progress) => Ok(State::Running),
        (State::Running, Step::Finish) => Ok(State::Done),
        (State::New | State::Running, Step::Fail) => Ok(State::Failed),
        (State::New, Step::Progress | Step::Finish)
        | (State::Running, Step::Start)
        | (State::Done | State::Failed, Step::Start | Step::Progress | Step::Finish | Step::Fail) => {
            Err(Unlawful { from, step })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_a_final_state() {
        for from in State::ALL.into_iter().filter(|state| state.is_final()) {
            for step in Step::ALL {
                assert_eq!(next(from, step), Err(Unlawful { from, step }));
            }
        }
    }
}

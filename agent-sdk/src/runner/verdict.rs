//! What follows an attempt: a pure function of how it ended and why it was asked to.

use std::time::Duration;

use super::attempt::AttemptEnd;
use crate::action::{ActionError, Interrupt};
use crate::ledger::Ending;
use crate::spec::{ErrorRecord, Record};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What follows.
pub(super) enum Verdict {
    /// The action has ended.
    End(Ending),
    /// Another attempt, after this pause.
    Again { error: ErrorRecord, pause: Duration },
    /// The agent stops; the action goes on when it starts again.
    Park,
}

/// Judges an attempt. `spent` is the running time of all attempts so far.
pub(super) fn judge(end: AttemptEnd, interrupt: Option<Interrupt>, record: &Record, spent: Duration) -> Verdict {
    let failed = |error| Verdict::End(Ending::Failed(error));
    let error = match end {
        // What a handler finished counts, whatever it was asked for meanwhile.
        AttemptEnd::Returned(Ok(output)) => return Verdict::End(Ending::Done(output)),
        AttemptEnd::Returned(Err(ActionError::Final(fault))) => return failed(fault.record(false)),
        AttemptEnd::Panicked(message) => return failed(panicked(&message)),
        AttemptEnd::Returned(Err(ActionError::Retry(fault))) => Some(fault.record(true)),
        AttemptEnd::Returned(Err(ActionError::NoPlan | ActionError::Interrupted)) | AttemptEnd::Dropped => None,
    };
    match (interrupt, error) {
        (Some(Interrupt::Cancelled), error) => failed(ErrorRecord::cancelled(error.as_ref().or(record.error.as_ref()))),
        (Some(Interrupt::Deadline), error) => failed(ErrorRecord::out_of_time(record, error.as_ref())),
        (None | Some(Interrupt::Stopping), Some(error)) => {
            let pause = pause(record.attempt);
            if spent + pause < deadline(record) {
                Verdict::Again { error, pause }
            } else {
                failed(ErrorRecord::out_of_time(record, Some(&error)))
            }
        }
        (Some(Interrupt::Stopping), None) => Verdict::Park,
        (None, None) => failed(unasked()),
    }
}

/// Running time that the action has.
pub(super) fn deadline(record: &Record) -> Duration {
    Duration::from_secs(record.deadline_s.into())
}

/// Pauses grow from a quarter of a second, doubled with each attempt.
fn pause(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    (Duration::from_millis(250) * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

fn panicked(message: &str) -> ErrorRecord {
    ErrorRecord {
        code: "panicked".to_owned(),
        message: format!("the action's code panicked: {message}"),
        retryable: false,
    }
}

fn unasked() -> ErrorRecord {
    ErrorRecord {
        code: "interrupted".to_owned(),
        message: "the action ended as interrupted, though nobody had asked it to".to_owned(),
        retryable: true,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::action::Fault;
    use crate::spec::{KindName, Requester, State, Timestamp};

    fn record() -> Record {
        let now = Timestamp::now();
        Record {
            id: uuid::Uuid::nil(),
            kind: KindName::parse("example.org/act").unwrap(),
            args: None,
            headers: BTreeMap::new(),
            requester: Requester::default(),
            preconditions: None,
            deadline_s: 60,
            trace: None,
            created_ts: now,
            scheduled_ts: now,
            started_ts: Some(now),
            finished_ts: None,
            state: State::Running,
            state_payload: None,
            output: None,
            error: None,
            attempt: 1,
            cancel_requested: false,
            version: 2,
        }
    }

    fn code(fault: Fault, interrupt: Interrupt) -> Option<String> {
        let end = AttemptEnd::Returned(Err(ActionError::Retry(fault)));
        match judge(end, Some(interrupt), &record(), Duration::from_secs(60)) {
            Verdict::End(Ending::Failed(error)) => Some(error.code),
            _ => None,
        }
    }

    #[test]
    fn what_was_sent_and_not_answered_is_told_whatever_ended_the_attempt() {
        for interrupt in [Interrupt::Cancelled, Interrupt::Deadline, Interrupt::Stopping] {
            assert_eq!(
                code(Fault::undecided("sent"), interrupt).as_deref(),
                Some("undecided"),
                "{interrupt:?}"
            );
        }
        assert_eq!(
            code(Fault::new("busy", "later"), Interrupt::Cancelled).as_deref(),
            Some("cancelled")
        );
    }

    #[test]
    fn pauses_grow_to_a_limit() {
        assert_eq!(pause(1), Duration::from_millis(250));
        assert_eq!(pause(2), Duration::from_millis(500));
        assert_eq!(pause(4), Duration::from_secs(2));
        assert_eq!(pause(8), LONGEST_PAUSE);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}

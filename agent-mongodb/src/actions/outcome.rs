//! What the answer to a change, or to a question before it, calls for.

use agent_sdk::action::{ActionError, Fault as ActionFault};

use crate::client::Fault;
use crate::code::Code;

/// A question that an action depends on has no answer.
pub(super) fn unanswered(fault: &Fault) -> ActionError {
    let text = fault.to_string();
    match fault {
        // These can be mended while the action waits: the password is read again.
        Fault::NotLetIn { .. } | Fault::NoCredentials(_) | Fault::Tls { .. } => ActionError::retry("not_let_in", text),
        Fault::Answered { code, .. } => match *code {
            Code::AUTHENTICATION_FAILED | Code::USER_NOT_FOUND => ActionError::retry("not_let_in", text),
            Code::UNAUTHORIZED => ActionError::last("not_allowed", text),
            code if code.is_not_primary() => ActionError::retry("no_primary", text),
            _ => ActionError::retry("unreachable", text),
        },
        Fault::Garbage { .. } | Fault::Unfit { .. } => ActionError::last("not_a_mongod", text),
        Fault::Unreachable { .. } | Fault::Silent { .. } | Fault::Cut { .. } => ActionError::retry("unreachable", text),
    }
}

/// A change of the configuration was answered with an error, or not at all. What is already as it should be is found by the
/// next reading.
pub(super) fn of_change(fault: &Fault) -> Result<(), ActionError> {
    if fault.is_undecided() {
        return Err(ActionError::Retry(ActionFault::undecided(fault.to_string())));
    }
    let Fault::Answered { code, message } = fault else {
        return Err(unanswered(fault));
    };
    let text = fault.to_string();
    Err(match *code {
        // Installed, and not spread in time; or not installed. The next reading tells.
        Code::MAX_TIME_MS_EXPIRED => return Ok(()),
        Code::NEW_CONFIGURATION_INCOMPATIBLE => incompatible(message, text),
        Code::INVALID_REPLICA_SET_CONFIG | Code::NODE_NOT_ELECTABLE => ActionError::last("refused", text),
        // Too few answer for the change to be taken.
        Code::NODE_NOT_FOUND => ActionError::retry("no_majority", text),
        Code::CONFIGURATION_IN_PROGRESS | Code::CONFIGURATION_NOT_COMMITTED => ActionError::retry("not_now", text),
        code if code.is_shutdown() => ActionError::retry("no_primary", text),
        _ => unanswered(fault),
    })
}

/// The server has one code for much that a new configuration may not be, and tells it apart in words.
fn incompatible(message: &str, text: String) -> ActionError {
    let says = |part: &str| message.contains(part);
    if says("implicit default write concern") {
        let cure = "with this member writes would no longer be acknowledged by a majority by default; say what they are to \
                    be, on the primary, as with db.adminCommand({setDefaultRWConcern: 1, defaultWriteConcern: {w: 1}})";
        ActionError::last("default_write_concern", format!("{cure}: {text}"))
    } else if says("did not match") {
        ActionError::last("other_set", text)
    } else if says("must be greater than") || says("Found two member") {
        // Somebody else has changed it since it was read.
        ActionError::retry("not_now", text)
    } else {
        ActionError::last("refused", text)
    }
}

/// Whether a configuration is committed is what every change waits for.
pub(super) const UNCOMMITTED: &str = "a majority has the set's configuration";

#[cfg(test)]
mod tests {
    use super::*;
    use agent_sdk::action::ActionError::{Final, Retry};

    fn answered(code: i32, message: &str) -> Fault {
        Fault::Answered {
            code: Code(code),
            message: message.to_owned(),
        }
    }

    fn outcome(code: i32, message: &str) -> String {
        match of_change(&answered(code, message)) {
            Ok(()) => "read again".to_owned(),
            Err(Retry(fault)) => format!("retry {}", fault.code()),
            Err(Final(fault)) => format!("final {}", fault.code()),
            Err(other) => other.to_string(),
        }
    }

    #[test]
    fn each_code_calls_for_its_own() {
        for (code, expected) in [
            (11, "retry not_let_in"),
            (13, "final not_allowed"),
            (18, "retry not_let_in"),
            (50, "read again"),
            (74, "retry no_majority"),
            (91, "retry no_primary"),
            (93, "final refused"),
            (104, "final refused"),
            (109, "retry not_now"),
            (189, "retry no_primary"),
            (308, "retry not_now"),
            (10_107, "retry no_primary"),
            (11_600, "retry no_primary"),
            (11_602, "retry no_primary"),
            (8_000, "retry unreachable"),
        ] {
            assert_eq!(outcome(code, "as the server says"), expected, "{code}");
        }
    }

    #[test]
    fn what_103_means_is_in_its_words() {
        for (message, expected) in [
            (
                "Reconfig attempted to install a config that would change the implicit default write concern. Use",
                "final default_write_concern",
            ),
            (
                "Our set name did not match that of the request target",
                "final other_set",
            ),
            ("version and term must be greater than old", "retry not_now"),
            ("Found two member configurations with same host field", "retry not_now"),
            (
                "Non force replica set reconfig can only add or remove at most 1 voting member.",
                "final refused",
            ),
        ] {
            assert_eq!(outcome(103, message), expected, "{message}");
        }
    }

    #[test]
    fn what_was_not_answered_is_undecided() {
        let cut = Fault::Cut {
            address: "h:1".to_owned(),
            reason: "reset".to_owned(),
        };
        let Err(Retry(fault)) = of_change(&cut) else {
            panic!("it may have been done")
        };
        assert_eq!(fault.code(), "undecided");
        assert!(matches!(unanswered(&cut), Retry(_)));
    }
}

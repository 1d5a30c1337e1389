//! What was found, without what nobody is to read.
//!
//! Agents repeat what they are sent, in whatever they say; so it is all that they may have had a part in that is gone
//! through, once it is put together. The words of the checks are masked with it: whose words a text is cannot be seen any more.

use super::SuiteError;
use crate::client::Credentials;
use crate::verdict::{Finding, Outcome};

/// Without what an agent has repeated of the secrets that it was sent.
pub(super) fn masked(outcome: Outcome, secrets: &Credentials) -> Outcome {
    let finding = |finding: Finding| {
        let Finding {
            agent,
            expected,
            got,
            curl,
        } = finding;
        Finding {
            agent,
            expected: secrets.masked(&expected),
            got: secrets.masked(&got),
            curl: curl.iter().map(|line| secrets.masked(line)).collect(),
        }
    };
    match outcome {
        Outcome::Held { seen } => Outcome::Held { seen },
        Outcome::Idle { reason } => Outcome::Idle {
            reason: secrets.masked(&reason),
        },
        Outcome::Broken { findings } => Outcome::Broken {
            findings: findings.into_iter().map(finding).collect(),
        },
        Outcome::NotAsked { reason } => Outcome::NotAsked {
            reason: secrets.masked(&reason),
        },
        Outcome::NotRun { reason } => Outcome::NotRun {
            reason: secrets.masked(&reason),
        },
    }
}

/// The same of why there is nothing to report.
pub(super) fn masked_error(error: SuiteError, secrets: &Credentials) -> SuiteError {
    match error {
        SuiteError::Unreachable { agent, reason } => SuiteError::Unreachable {
            agent,
            reason: secrets.masked(&reason),
        },
        other @ (SuiteError::NoDialect { .. }
        | SuiteError::Twice { .. }
        | SuiteError::NoAgent
        | SuiteError::PresentNode { .. }) => other,
    }
}

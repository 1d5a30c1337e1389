//! Logs on standard error, for people or for programs.

use std::str::FromStr;

use thiserror::Error;
use tracing_subscriber::filter::Targets;

/// What is logged: a level, or levels by module.
#[derive(Debug, Clone)]
pub struct LogFilter(pub(super) Targets);

/// A text that is no filter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("it must be a level (error, warn, info, debug, trace, off), or levels by module such as info,agent_sdk=debug")]
pub struct LogFilterError;

impl FromStr for LogFilter {
    type Err = LogFilterError;

    fn from_str(text: &str) -> Result<Self, LogFilterError> {
        // `Targets` takes a lone word that is no level for the name of a module, all of which it would then log.
        let level = |word: &str| {
            ["error", "warn", "info", "debug", "trace", "off"]
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known))
        };
        let lawful = |part: &str| match part.split_once('=') {
            None => level(part),
            Some((target, word)) => !target.is_empty() && level(word),
        };
        if !text.split(',').map(str::trim).all(lawful) {
            return Err(LogFilterError);
        }
        let text: String = text.split(',').map(str::trim).collect::<Vec<_>>().join(",");
        text.parse().map(Self).map_err(|_| LogFilterError)
    }
}

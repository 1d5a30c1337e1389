//! What is logged, as an operator writes it down.

use std::str::FromStr;

use thiserror::Error;
use tracing_subscriber::filter::Targets;

/// What is logged: a level, or levels by module.
#[derive(Debug, Clone)]
pub struct LogFilter(pub(crate) Targets);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_levels_or_levels_by_module() {
        for right in ["info", "DEBUG", "off", "info,agent_sdk=debug", " warn , a::b=trace "] {
            assert!(right.parse::<LogFilter>().is_ok(), "{right}");
        }
        for wrong in ["", "loud", "info,", "a=loud", "=info", "info,agent_sdk"] {
            assert!(wrong.parse::<LogFilter>().is_err(), "{wrong}");
        }
    }
}

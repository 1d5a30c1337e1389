//! Times as people write them: `500ms`, `30s`, `2m`, `1h30m`.

use std::time::Duration;

use thiserror::Error;

/// Longest time that is taken, in seconds: a week.
const LONGEST: u64 = 7 * 24 * 3600;

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{fault}; right are times like 500ms, 30s, 2m or 1h30m")]
pub(super) struct DurationError {
    fault: String,
}

/// Reads a time; zero is one.
pub(super) fn parse(text: &str) -> Result<Duration, DurationError> {
    let fault = |fault: &str| DurationError {
        fault: fault.to_owned(),
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, after) = after.split_at(letters);
        let number: u32 = number
            .parse()
            .map_err(|_| fault("a whole number has to stand before each unit"))?;
        let one = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" | "min" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            "" => return Err(fault("its unit is missing")),
            _ => return Err(fault(&format!("{unit:?} is no unit"))),
        };
        total = one
            .checked_mul(number)
            .and_then(|part| total.checked_add(part))
            .filter(|total| total.as_secs() <= LONGEST)
            .ok_or_else(|| fault("it is longer than a week"))?;
        rest = after;
    }
    if text.is_empty() {
        return Err(fault("it is empty"));
    }
    Ok(total)
}

/// The same; zero is none.
pub(super) fn parse_some(text: &str) -> Result<Duration, DurationError> {
    match parse(text)? {
        Duration::ZERO => Err(DurationError {
            fault: "it has to be longer than nothing".to_owned(),
        }),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_faults_named() {
        for (text, milliseconds) in [
            ("0", 0),
            ("0s", 0),
            ("500ms", 500),
            ("30s", 30_000),
            ("2m", 120_000),
            ("2min", 120_000),
            ("1h30m", 5_400_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for (text, fault) in [
            ("", "empty"),
            ("30", "missing"),
            ("s", "whole number"),
            ("1.5s", "missing"),
            ("-1s", "whole number"),
            ("1 s", "missing"),
            ("5parsecs", "no unit"),
            ("99999h", "a week"),
            ("99999999999999s", "whole number"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(fault) && error.contains("1h30m"), "{text}: {error}");
        }
        assert!(parse_some("0s").is_err());
    }
}

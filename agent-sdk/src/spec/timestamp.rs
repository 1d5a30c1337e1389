//! A point in time as agents write it: RFC 3339 in UTC with nine digits after the second and a `Z`.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A point in time in UTC. It is information for people: no decision of the agent is made on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(DateTime<Utc>);

/// Why a text is no time that an agent takes.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TimestampError {
    /// Not RFC 3339.
    #[error("{0:?} is no RFC 3339 time, such as 2024-05-01T10:20:30.123456789Z")]
    Malformed(String),
    /// Another offset than UTC's.
    #[error("{0:?} is not in UTC: end it with Z")]
    NotUtc(String),
}

impl Timestamp {
    /// What the machine's clock says now.
    #[allow(clippy::disallowed_methods, reason = "the one place where the clock is read")]
    pub fn now() -> Self {
        let now = Utc::now();
        #[cfg(test)]
        let now = now + stepped::offset();
        Self(now)
    }

    /// The beginning of Unix time: stands for a time that cannot be read.
    pub(crate) fn unreadable() -> Self {
        Self(DateTime::UNIX_EPOCH)
    }

    /// Reads a time.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| TimestampError::Malformed(text.to_owned()))?;
        if time.offset().local_minus_utc() == 0 {
            Ok(Self(time.with_timezone(&Utc)))
        } else {
            Err(TimestampError::NotUtc(text.to_owned()))
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Nanos, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A wall clock that tests can step, as an operator or a time server does.
#[cfg(test)]
pub(crate) mod stepped {
    use std::sync::atomic::{AtomicI64, Ordering};

    static SECONDS: AtomicI64 = AtomicI64::new(0);

    pub(super) fn offset() -> chrono::Duration {
        chrono::Duration::seconds(SECONDS.load(Ordering::SeqCst))
    }

    /// Steps the clock of the whole process by this much.
    pub(crate) fn by(seconds: i64) {
        SECONDS.fetch_add(seconds, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_digits_and_a_z_whatever_came() {
        let shown = |text| Timestamp::parse(text).map(|time| time.to_string());
        assert_eq!(
            shown("2024-05-01T10:20:30Z").as_deref(),
            Ok("2024-05-01T10:20:30.000000000Z")
        );
        assert_eq!(
            shown("2024-05-01T10:20:30.5+00:00").as_deref(),
            Ok("2024-05-01T10:20:30.500000000Z")
        );
        assert_eq!(
            shown("2024-05-01T10:20:30+02:00"),
            Err(TimestampError::NotUtc("2024-05-01T10:20:30+02:00".to_owned()))
        );
        assert!(matches!(shown("yesterday"), Err(TimestampError::Malformed(_))));
    }
}

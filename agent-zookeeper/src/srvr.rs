//! The answer to the word `srvr`, the only one that every server answers by default.

use agent_sdk::spec::StoreVersion;
use thiserror::Error;

/// What a server calls itself. It says `follower` of itself also outside the ensemble, so this is no membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It leads.
    Leader,
    /// It follows, as a member or not.
    Follower,
    /// It follows without a vote.
    Observer,
    /// It runs without quorum code.
    Standalone,
    /// It is cut off from a quorum and serves what it has.
    ReadOnly,
}

/// What a serving server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srvr {
    /// What it calls itself.
    pub mode: Mode,
    /// The last transaction it has applied.
    pub zxid: i64,
    /// Version of its program.
    pub version: Option<StoreVersion>,
    /// Open connections.
    pub connections: Option<i64>,
    /// Requests that wait for an answer.
    pub outstanding: Option<i64>,
    /// Nodes of its tree.
    pub nodes: Option<i64>,
}

/// Why an answer is none to `srvr`.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SrvrError {
    /// A line is missing.
    #[error("its answer to srvr has no line {0:?}")]
    Missing(&'static str),
    /// A line has another value than any server gives.
    #[error("its answer to srvr has the line {0:?} with a value that cannot be read")]
    Unreadable(&'static str),
}

impl Mode {
    /// As the server says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Observer => "observer",
            Self::Standalone => "standalone",
            Self::ReadOnly => "read-only",
        }
    }
}

impl Srvr {
    /// Reads an answer.
    pub fn parse(answer: &str) -> Result<Self, SrvrError> {
        let field = |name: &str| {
            answer
                .lines()
                .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
                .map(str::trim)
        };
        let mode = match field("Mode").ok_or(SrvrError::Missing("Mode"))? {
            "leader" => Mode::Leader,
            "follower" => Mode::Follower,
            "observer" => Mode::Observer,
            "standalone" => Mode::Standalone,
            "read-only" => Mode::ReadOnly,
            _ => return Err(SrvrError::Unreadable("Mode")),
        };
        let zxid = field("Zxid")
            .ok_or(SrvrError::Missing("Zxid"))?
            .strip_prefix("0x")
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .ok_or(SrvrError::Unreadable("Zxid"))?;
        let number = |name| field(name).and_then(|text| text.parse().ok());
        Ok(Self {
            mode,
            zxid: zxid.cast_signed(),
            version: field("Zookeeper version").and_then(version),
            connections: number("Connections"),
            outstanding: number("Outstanding"),
            nodes: number("Node count"),
        })
    }
}

/// `3.9.5-REVISION, built on DATE`.
fn version(words: &str) -> Option<StoreVersion> {
    let name = words.split([',', ' ']).next().unwrap_or_default();
    let (number, revision) = match name.rsplit_once('-') {
        Some((number, revision)) if is_revision(revision) => (number, Some(revision)),
        _ => (name, None),
    };
    let version = StoreVersion::parse(number)?.with_extra(words);
    Some(match revision {
        Some(revision) => version.with_checkout(revision),
        None => version,
    })
}

fn is_revision(text: &str) -> bool {
    text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEADER: &str = "Zookeeper version: 3.9.5-7cfe6e0b7ad16ba1bf0fd4a4b8b6a0d0b5b6d5a0, built on 2025-09-04 10:00 UTC\n\
        Latency min/avg/max: 0/0.5/3\nReceived: 7\nSent: 6\nConnections: 2\nOutstanding: 0\nZxid: 0x10000000a\n\
        Mode: leader\nNode count: 6\nProposal sizes last/min/max: 32/32/94\n";

    #[test]
    fn an_answer_is_read() {
        let srvr = Srvr::parse(LEADER).unwrap();
        assert_eq!((srvr.mode, srvr.zxid), (Mode::Leader, 0x1_0000_000a));
        assert_eq!(
            (srvr.connections, srvr.outstanding, srvr.nodes),
            (Some(2), Some(0), Some(6))
        );
        let version = srvr.version.unwrap();
        assert_eq!(version.number.to_string(), "3.9.5");
        assert_eq!(
            version.checkout.as_deref(),
            Some("7cfe6e0b7ad16ba1bf0fd4a4b8b6a0d0b5b6d5a0")
        );
        assert!(version.extra.unwrap().ends_with("UTC"));
    }

    #[test]
    fn every_mode_is_known_by_its_own_name() {
        for mode in [
            Mode::Leader,
            Mode::Follower,
            Mode::Observer,
            Mode::Standalone,
            Mode::ReadOnly,
        ] {
            let answer = format!("Zxid: 0x0\nMode: {}\n", mode.name());
            assert_eq!(Srvr::parse(&answer).unwrap().mode, mode);
        }
    }

    #[test]
    fn a_zxid_beyond_the_sign_is_kept_bit_by_bit() {
        assert_eq!(Srvr::parse("Zxid: 0xffffffffffffffff\nMode: leader").unwrap().zxid, -1);
    }

    #[test]
    fn garbage_is_refused() {
        assert_eq!(Srvr::parse(""), Err(SrvrError::Missing("Mode")));
        assert_eq!(Srvr::parse("Mode: king"), Err(SrvrError::Unreadable("Mode")));
        assert_eq!(Srvr::parse("Mode: leader"), Err(SrvrError::Missing("Zxid")));
        assert_eq!(
            Srvr::parse("Mode: leader\nZxid: 12"),
            Err(SrvrError::Unreadable("Zxid"))
        );
        assert_eq!(
            Srvr::parse("Mode: leader\nZxid: 0x1ffffffffffffffff"),
            Err(SrvrError::Unreadable("Zxid"))
        );
        assert!(Srvr::parse("HTTP/1.1 400 Bad Request\r\n\r\n").is_err());
    }

    #[test]
    fn a_version_without_a_revision_is_one() {
        let version = |words: &str| Srvr::parse(&format!("Zookeeper version: {words}\nZxid: 0x1\nMode: leader"));
        assert_eq!(version("3.8.6").unwrap().version.unwrap().number.to_string(), "3.8.6");
        let snapshot = version("3.10.0-SNAPSHOT-abcdef1234, built").unwrap().version.unwrap();
        assert_eq!(snapshot.number.to_string(), "3.10.0-SNAPSHOT");
        assert_eq!(version("unknown").unwrap().version, None);
    }
}

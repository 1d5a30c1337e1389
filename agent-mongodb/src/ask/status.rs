//! `replSetGetStatus`: the set as one member sees it.

use mongodb::bson::{Document, Timestamp, doc};
use tokio::time::Instant;

use crate::client::{Fault, Link, Read};

/// The set, as the member that was asked sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SetStatus {
    /// Name of the set.
    pub set: String,
    /// The state of who was asked.
    pub state: MemberState,
    /// The term of the last election that it knows.
    pub term: Option<i64>,
    /// How many votes count. Fewer than the configuration says while a new voter is held back.
    pub voting: Option<i64>,
    /// How far who was asked has come.
    pub applied: Option<Timestamp>,
    /// When what it has come to was written on the primary, in milliseconds since 1970.
    pub applied_ms: Option<i64>,
    /// How far the initial copy has come, where one is under way.
    pub copying: Option<Copying>,
    /// All members, who was asked among them.
    pub members: Vec<Seen>,
}

/// A member, as another one sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// Its name.
    pub host: String,
    /// Whether it answers heartbeats. One that is frozen does, for some ten seconds more.
    pub is_up: bool,
    /// What it said it was.
    pub state: MemberState,
    /// How far it has come, as last heard.
    pub applied: Option<Timestamp>,
    /// When that was written, in milliseconds since 1970. Releases before 6.0 do not tell.
    pub applied_ms: Option<i64>,
    /// When it was elected.
    pub elected: Option<Timestamp>,
    /// Whether it is who was asked.
    pub is_self: bool,
    /// Whom it copies from.
    pub source: Option<String>,
    /// What was wrong with the last heartbeat.
    pub complaint: Option<String>,
    /// Whether it did not accept the others' key: it has another, or runs without access control.
    pub is_keyless: bool,
}

/// How far an initial copy has come, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copying {
    /// Copied.
    pub copied: i64,
    /// Of how many.
    pub all: i64,
}

/// The states of a member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MemberState {
    /// Reads its configuration.
    #[default]
    Startup,
    /// Takes writes.
    Primary,
    /// Follows.
    Secondary,
    /// Is not fit to be read: behind too far, or in maintenance.
    Recovering,
    /// Makes its first copy.
    InitialSync,
    /// Nothing is known of it.
    Unknown,
    /// Votes, and holds no data.
    Arbiter,
    /// Does not answer.
    Down,
    /// Takes back writes that the others never had.
    Rollback,
    /// Was removed.
    Removed,
    /// One that this agent does not know.
    Other(i64),
}

impl MemberState {
    /// By its number.
    pub const fn of(number: i64) -> Self {
        match number {
            0 => Self::Startup,
            1 => Self::Primary,
            2 => Self::Secondary,
            3 => Self::Recovering,
            5 => Self::InitialSync,
            6 => Self::Unknown,
            7 => Self::Arbiter,
            8 => Self::Down,
            9 => Self::Rollback,
            10 => Self::Removed,
            other => Self::Other(other),
        }
    }

    /// As `MongoDB` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Startup => "STARTUP",
            Self::Primary => "PRIMARY",
            Self::Secondary => "SECONDARY",
            Self::Recovering => "RECOVERING",
            Self::InitialSync => "STARTUP2",
            Self::Unknown => "UNKNOWN",
            Self::Arbiter => "ARBITER",
            Self::Down => "DOWN",
            Self::Rollback => "ROLLBACK",
            Self::Removed => "REMOVED",
            Self::Other(_) => "a state that the agent does not know",
        }
    }

    /// Whether this is what a member comes to be: it leads, follows, or is an arbiter.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Primary | Self::Secondary | Self::Arbiter)
    }

    /// Whether it takes part in a majority: it is there, and can vote.
    pub const fn takes_part(self) -> bool {
        !matches!(self, Self::Unknown | Self::Down | Self::Removed | Self::Other(_))
    }
}

const COMMAND: &str = "replSetGetStatus";

/// A point that is none: a member that has copied nothing yet.
fn come(ts: Timestamp) -> Option<Timestamp> {
    (ts.time > 0).then_some(ts)
}

impl SetStatus {
    /// What an answer means.
    pub fn of(answer: &Document) -> Result<Self, Fault> {
        let unfit = |missing| Fault::Unfit {
            command: COMMAND,
            missing,
        };
        let members: Vec<_> = answer.parts("members").map(Seen::of).collect();
        let own = members.iter().find(|member| member.is_self);
        let optimes = answer.part("optimes");
        let applied = optimes
            .and_then(|optimes| optimes.part("appliedOpTime"))
            .and_then(|time| time.point("ts"))
            .and_then(come)
            .or_else(|| own.and_then(|own| own.applied));
        Ok(Self {
            set: answer.text("set").ok_or_else(|| unfit("set"))?.to_owned(),
            state: MemberState::of(answer.whole("myState").ok_or_else(|| unfit("myState"))?),
            term: answer.whole("term"),
            voting: answer.whole("votingMembersCount"),
            applied,
            applied_ms: optimes.and_then(|optimes| optimes.time_ms("lastAppliedWallTime")),
            copying: answer.part("initialSyncStatus").and_then(Copying::of),
            members,
        })
    }

    /// What one that is in no set knows of the set that it was in.
    pub fn nothing(set: &str) -> Self {
        Self {
            set: set.to_owned(),
            state: MemberState::Removed,
            term: None,
            voting: None,
            applied: None,
            applied_ms: None,
            copying: None,
            members: Vec::new(),
        }
    }

    /// This member, by its name.
    pub fn member(&self, host: &str) -> Option<&Seen> {
        self.members.iter().find(|member| member.host == host)
    }

    /// Who was asked.
    pub fn own(&self) -> Option<&Seen> {
        self.members.iter().find(|member| member.is_self)
    }

    /// The primary, as far as who was asked knows: one that has been superseded and does not know yet may be among the
    /// members as well, so the one that was elected last.
    pub fn primary(&self) -> Option<&Seen> {
        let primaries = self
            .members
            .iter()
            .filter(|member| member.state == MemberState::Primary && (member.is_up || member.is_self));
        primaries.max_by_key(|member| member.elected.map(|at| (at.time, at.increment)))
    }
}

impl Seen {
    /// Whether it has come to what it is to be.
    pub const fn is_settled(&self) -> bool {
        self.state.is_settled()
    }

    fn of(answer: &Document) -> Self {
        let full = |name| answer.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            host: answer.text("name").unwrap_or_default().to_owned(),
            is_up: answer.truth("health").unwrap_or_default(),
            state: MemberState::of(answer.whole("state").unwrap_or(6)),
            applied: answer.part("optime").and_then(|time| time.point("ts")).and_then(come),
            applied_ms: answer.time_ms("lastAppliedWallTime"),
            elected: answer.point("electionTime"),
            is_self: answer.truth("self").unwrap_or_default(),
            source: full("syncSourceHost"),
            complaint: full("lastHeartbeatMessage"),
            is_keyless: answer.truth("authenticated") == Some(false),
        }
    }
}

impl Copying {
    fn of(answer: &Document) -> Option<Self> {
        Some(Self {
            copied: answer.whole("approxTotalBytesCopied")?,
            all: answer.whole("approxTotalDataSize")?,
        })
    }
}

/// Asks. `within_ms`: for the server.
pub async fn ask(link: &Link, within_ms: i64) -> Result<SetStatus, Fault> {
    SetStatus::of(&link.ask_again(command(within_ms)).await?)
}

/// Asks, and waits until then.
pub async fn ask_by(link: &Link, within_ms: i64, end: Instant) -> Result<SetStatus, Fault> {
    SetStatus::of(&link.ask_again_by(command(within_ms), end).await?)
}

fn command(within_ms: i64) -> Document {
    doc! { COMMAND: 1, "initialSync": 1, "maxTimeMS": within_ms }
}

#[cfg(test)]
mod tests;

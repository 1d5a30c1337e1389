//! `replSetGetConfig` and `replSetReconfig`: who is in the set, and as what.
//!
//! A configuration is kept as the server gave it. What the agent does not know of in it (fields of other releases, of the
//! operator's) is in the next one as it was.

use std::collections::BTreeMap;
use std::time::Duration;

use agent_sdk::config::Address;
use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use crate::client::{Fault, Link, Read};

/// The configuration of a set.
#[derive(Debug, Clone, PartialEq)]
pub struct SetConfig {
    document: Document,
    /// Counts the changes. A forced one jumps by tens of thousands.
    pub version: i64,
    /// The election in whose term it was made; none where it was forced.
    pub term: Option<i64>,
    /// Name of the set.
    pub set: String,
    /// The members.
    pub members: Vec<Member>,
}

/// Which configuration something was decided on. Two primaries that do not know of each other can make two of the same
/// version, and not of the same term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Its version.
    pub version: i64,
    /// Its term.
    pub term: Option<i64>,
}

/// A member, as configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Its number.
    pub id: i64,
    /// Its name: where the others find it.
    pub host: String,
    /// What it is to the set.
    pub role: Part,
}

/// What a member is to the set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// 1 where it votes, 0 where not.
    pub votes: i64,
    /// The higher, the sooner it is elected; at 0 never.
    pub priority: f64,
    /// Whether clients do not see it.
    pub hidden: bool,
    /// Whether it votes and holds no data.
    pub arbiter: bool,
    /// By how many seconds it stays behind on purpose.
    pub delay_s: i64,
    /// What the operator says of it, for write concerns and reads.
    pub tags: BTreeMap<String, String>,
}

impl Default for Part {
    /// As a member is where nothing is said.
    fn default() -> Self {
        Self {
            votes: 1,
            priority: 1.0,
            hidden: false,
            arbiter: false,
            delay_s: 0,
            tags: BTreeMap::new(),
        }
    }
}

/// How the delay is called: before 5.0, and since. What counts is not the release but the features that the set may use
/// (`featureCompatibilityVersion`), so a configuration goes on with the name that it has.
const DELAYS: [&str; 2] = ["slaveDelay", "secondaryDelaySecs"];

/// The form of the protocol as of which a new set has the newer name: 5.0.
const NEW_DELAY: i64 = 13;

/// The name of the delay in a new set on a server that talks this form of the protocol.
pub const fn delay_name(wire_version: i64) -> &'static str {
    DELAYS[(wire_version >= NEW_DELAY) as usize]
}

impl Part {
    fn of(answer: &Document) -> Self {
        let tags = answer.part("tags").into_iter().flatten();
        let text = |(name, value): (&String, &Bson)| Some((name.clone(), value.as_str()?.to_owned()));
        Self {
            votes: answer.whole("votes").unwrap_or(1),
            priority: answer.number("priority").unwrap_or(1.0),
            hidden: answer.truth("hidden").unwrap_or_default(),
            arbiter: answer.truth("arbiterOnly").unwrap_or_default(),
            delay_s: DELAYS.iter().find_map(|name| answer.whole(name)).unwrap_or_default(),
            tags: tags.filter_map(text).collect(),
        }
    }

    /// Whether it votes.
    pub const fn is_voter(&self) -> bool {
        self.votes > 0
    }

    /// As a part of a configuration, in which the delay is called so.
    fn write(&self, member: &mut Document, delay: &str) {
        let tags = self.tags.iter();
        let tags: Document = tags
            .map(|(name, tag)| (name.clone(), Bson::from(tag.as_str())))
            .collect();
        member.insert("votes", self.votes);
        member.insert("priority", self.priority);
        member.insert("hidden", self.hidden);
        if self.delay_s != 0 || member.contains_key(delay) {
            member.insert(delay, self.delay_s);
        }
        member.insert("tags", tags);
        if self.arbiter {
            member.insert("arbiterOnly", true);
        }
    }
}

impl Member {
    fn of(answer: &Document) -> Option<Self> {
        Some(Self {
            id: answer.whole("_id")?,
            host: answer.text("host")?.to_owned(),
            role: Part::of(answer),
        })
    }

    /// As a part of a configuration, in which the delay is called so.
    pub fn document(&self, delay: &str) -> Document {
        let mut member = doc! { "_id": self.id, "host": &self.host };
        self.role.write(&mut member, delay);
        member
    }
}

/// How many members of a set may vote.
const MOST_VOTERS: usize = 7;

const COMMAND: &str = "replSetGetConfig";

impl SetConfig {
    /// What a configuration means.
    pub fn of(document: Document) -> Result<Self, Fault> {
        let unfit = |missing| Fault::Unfit {
            command: COMMAND,
            missing,
        };
        let members: Option<Vec<_>> = document.parts("members").map(Member::of).collect();
        Ok(Self {
            version: document.whole("version").ok_or_else(|| unfit("version"))?,
            term: document.whole("term"),
            set: document.text("_id").ok_or_else(|| unfit("_id"))?.to_owned(),
            members: members.ok_or_else(|| unfit("members with _id and host"))?,
            document,
        })
    }

    /// Which one it is.
    pub const fn basis(&self) -> Basis {
        Basis {
            version: self.version,
            term: self.term,
        }
    }

    /// Whether the member of this number has this name.
    pub fn has(&self, id: i64, host: &str) -> bool {
        let is = |member: &Member| member.id == id && same_host(&member.host, host);
        self.members.iter().any(is)
    }

    /// A member, by its name.
    pub fn member(&self, host: &str) -> Option<&Member> {
        self.members.iter().find(|member| same_host(&member.host, host))
    }

    /// A number that no member has.
    pub fn next_id(&self) -> i64 {
        self.members
            .iter()
            .map(|member| member.id)
            .max()
            .map_or(0, |id| id.saturating_add(1))
    }

    /// Whether one more may vote.
    pub fn has_vote_left(&self) -> bool {
        self.voters() < MOST_VOTERS
    }

    /// How many vote, as far as the configuration says.
    pub fn voters(&self) -> usize {
        self.members.iter().filter(|member| member.role.is_voter()).count()
    }

    /// The configuration after this one, with another member.
    #[must_use]
    pub fn with(&self, member: &Member) -> Document {
        let document = member.document(self.delay_name());
        self.next(|members| members.push(Bson::from(document)))
    }

    /// The configuration after this one, without a member.
    #[must_use]
    pub fn without(&self, id: i64) -> Document {
        self.next(|members| members.retain(|member| !is(member, id)))
    }

    /// The configuration after this one, with a member in another part.
    #[must_use]
    pub fn changed(&self, id: i64, part: &Part) -> Document {
        self.next(|members| {
            for member in members.iter_mut().filter(|member| is(member, id)) {
                if let Bson::Document(member) = member {
                    part.write(member, self.delay_name());
                }
            }
        })
    }

    /// How the delay is called in it: every member has it there.
    fn delay_name(&self) -> &'static str {
        let has = |name: &&str| self.document.parts("members").any(|member| member.contains_key(*name));
        DELAYS.into_iter().find(has).unwrap_or(DELAYS[1])
    }

    fn next(&self, change: impl FnOnce(&mut Vec<Bson>)) -> Document {
        let mut next = self.document.clone();
        next.insert("version", self.version.saturating_add(1));
        let mut members = next.get_array("members").cloned().unwrap_or_default();
        change(&mut members);
        next.insert("members", members);
        next
    }
}

fn is(member: &Bson, id: i64) -> bool {
    member
        .as_document()
        .is_some_and(|member| member.whole("_id") == Some(id))
}

/// Whether two names are one: hosts have no case, and the same address may be written in several ways.
pub fn same_host(one: &str, other: &str) -> bool {
    match (one.parse::<Address>(), other.parse::<Address>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// A configuration, and whether a majority has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Current {
    /// The configuration.
    pub config: SetConfig,
    /// Whether a majority has it; none where only the primary could tell.
    pub committed: Option<bool>,
}

/// Asks any member.
pub async fn ask(link: &Link, within: Duration) -> Result<SetConfig, Fault> {
    let command = doc! { COMMAND: 1, "maxTimeMS": millis(within) };
    read(&link.ask_again(command).await?)
}

/// Asks the primary, which knows whether a majority has it.
pub async fn ask_primary(link: &Link, within: Duration) -> Result<Current, Fault> {
    let command = doc! { COMMAND: 1, "commitmentStatus": true, "maxTimeMS": millis(within) };
    let answer = link.ask_again(command).await?;
    Ok(Current {
        config: read(&answer)?,
        committed: answer.truth("commitmentStatus"),
    })
}

fn read(answer: &Document) -> Result<SetConfig, Fault> {
    let config = answer.part("config").cloned();
    SetConfig::of(config.ok_or(Fault::Unfit {
        command: COMMAND,
        missing: "config",
    })?)
}

/// Replaces the configuration. `forced`: also where there is no majority, by what is asked for alone.
///
/// **Errors**: 50 where it is installed and was not spread in time.
pub async fn replace(link: &Link, config: Document, forced: bool, within: Duration) -> Result<(), Fault> {
    let command = doc! { "replSetReconfig": config, "force": forced, "maxTimeMS": millis(within) };
    // The server ends it first, and says how.
    link.ask_within(command, within + GRACE).await.map(drop)
}

/// What the answer of a server that ends a command by itself may take.
pub(crate) const GRACE: Duration = Duration::from_secs(2);

/// For `maxTimeMS`.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis())
        .unwrap_or(i64::MAX)
        .clamp(1, i64::from(i32::MAX))
}

#[cfg(test)]
mod tests;

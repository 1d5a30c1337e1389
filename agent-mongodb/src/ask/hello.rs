//! `hello`: what kind of process it is. It needs no user, and every kind answers it.

use mongodb::bson::{Document, doc};
use tokio::time::Instant;

use crate::client::{Fault, Link, Read};

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// What it is.
    pub kind: Kind,
    /// Which process: another one after every start.
    pub process: Option<String>,
    /// The newest form of the protocol that it talks: 9 is 4.4, 13 is 5.0, 17 is 6.0.
    pub wire_version: i64,
}

/// What kind of process answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A member of a set.
    Member(Member),
    /// Started for a set, and in none: never initialised, or removed. The two look the same.
    Outside,
    /// Started without a set.
    Standalone,
    /// A router of a sharded cluster.
    Router,
}

/// A member, as it sees itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Name of the set.
    pub set: String,
    /// Its own name in the set.
    pub me: Option<String>,
    /// Name of the primary that it knows.
    pub primary: Option<String>,
    /// Whether it takes writes.
    pub is_primary: bool,
    /// Names of the members that it knows: those with data and visible, passive ones, arbiters.
    pub members: Vec<String>,
}

impl Hello {
    /// What an answer means.
    pub fn of(answer: &Document) -> Self {
        let kind = if answer.text("msg") == Some("isdbgrid") {
            Kind::Router
        } else if let Some(set) = answer.text("setName") {
            let lists = ["hosts", "passives", "arbiters"];
            Kind::Member(Member {
                set: set.to_owned(),
                me: answer.text("me").map(str::to_owned),
                primary: answer.text("primary").map(str::to_owned),
                is_primary: answer.truth("isWritablePrimary").unwrap_or_default(),
                members: lists
                    .iter()
                    .flat_map(|list| answer.texts(list))
                    .map(str::to_owned)
                    .collect(),
            })
        } else if answer.truth("isreplicaset").unwrap_or_default() {
            Kind::Outside
        } else {
            // It calls itself a writable primary as well.
            Kind::Standalone
        };
        let process = answer
            .part("topologyVersion")
            .and_then(|version| version.get_object_id("processId").ok());
        Self {
            kind,
            process: process.map(mongodb::bson::oid::ObjectId::to_hex),
            wire_version: answer.whole("maxWireVersion").unwrap_or_default(),
        }
    }

    /// The member, where it is one.
    pub const fn member(&self) -> Option<&Member> {
        match &self.kind {
            Kind::Member(member) => Some(member),
            Kind::Outside | Kind::Standalone | Kind::Router => None,
        }
    }
}

/// Asks.
pub async fn ask(link: &Link) -> Result<Hello, Fault> {
    let answer = link.ask_again(doc! { "hello": 1 }).await?;
    Ok(Hello::of(&answer))
}

/// Asks, and waits until then.
pub async fn ask_by(link: &Link, end: Instant) -> Result<Hello, Fault> {
    let answer = link.ask_again_by(doc! { "hello": 1 }, end).await?;
    Ok(Hello::of(&answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standalone_is_no_primary() {
        let hello = Hello::of(&doc! { "isWritablePrimary": true, "maxWireVersion": 17 });
        assert_eq!((hello.kind, hello.wire_version), (Kind::Standalone, 17));
    }

    #[test]
    fn one_in_no_set_is_outside() {
        let hello = Hello::of(&doc! { "isWritablePrimary": false, "secondary": false, "isreplicaset": true });
        assert_eq!(hello.kind, Kind::Outside);
    }

    #[test]
    fn a_router_is_known_by_its_message() {
        assert_eq!(
            Hello::of(&doc! { "isWritablePrimary": true, "msg": "isdbgrid" }).kind,
            Kind::Router
        );
    }

    #[test]
    fn a_member_knows_the_others_of_every_kind() {
        let hello = Hello::of(&doc! {
            "isWritablePrimary": false, "secondary": true, "setName": "rs0", "me": "h:1", "primary": "h:2",
            "hosts": ["h:1", "h:2"], "passives": ["h:3"], "arbiters": ["h:4"],
        });
        let member = hello.member().unwrap();
        assert_eq!(member.members, ["h:1", "h:2", "h:3", "h:4"]);
        assert_eq!(
            (member.me.as_deref(), member.primary.as_deref()),
            (Some("h:1"), Some("h:2"))
        );
        assert!(!member.is_primary);
    }
}

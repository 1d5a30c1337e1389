//! The set that nodes form: how it begins, who leads it, how it grows.

use std::time::{Duration, Instant};

use ::mongodb::bson::{Bson, Document, doc};

use super::client::SELECTION;
use super::command::number;
use super::{Cluster, Error, Node, security};
use crate::poll;

/// The server's number for a user that is there already.
const USER_EXISTS: i32 = 51_003;

/// Answers to a reconfiguration that another one, or an election, has come before.
const AGAIN: [i32; 4] = [103, 109, 308, 10_107];

impl Cluster {
    /// Makes one set of the nodes that are neither outside nor alone, with the first of them as primary; waits until each is
    /// primary or secondary. A secured set gets its root user.
    ///
    /// # Errors
    /// What the first node answers; [`Error::NotSeen`] and [`Error::NotReady`] when the time is over.
    pub fn initiate(&self, within: Duration) -> Result<(), Error> {
        let end = Instant::now() + within;
        let left = || end.saturating_duration_since(Instant::now());
        let members: Vec<&Node> = self.nodes().iter().filter(|node| node.seat.member).collect();
        let first = *members.first().ok_or(Error::NoMember)?;
        let entries = members.iter().map(|node| {
            let id = i64::from(node.number()) - 1;
            doc! { "_id": id, "host": node.member_address() }
        });
        let config = doc! { "_id": self.set_name(), "members": entries.collect::<Vec<_>>() };
        first.command("admin", doc! { "replSetInitiate": config })?;
        step_up(first, left())?;
        members.iter().try_for_each(|node| node.wait_member(left()))?;
        if self.is_secured() {
            self.create_root()?;
        }
        Ok(())
    }

    /// Makes the root user of a secured cluster, if it is not there: for a set that somebody else has initiated.
    ///
    /// # Errors
    /// Without a primary; what the primary answers.
    pub fn create_root(&self) -> Result<(), Error> {
        let command = doc! {
            "createUser": self.root_user(),
            "pwd": self.root_password(),
            "roles": ["root"],
            "writeConcern": { "w": "majority" },
        };
        match self.primary(SELECTION)?.command("admin", command) {
            Err(error) if error.code() == Some(USER_EXISTS) => Ok(()),
            other => other.map(drop),
        }
    }

    /// The running node that calls itself primary of a set, as soon as there is one.
    ///
    /// A primary that was cut off from the others, or was just resumed, may still call itself so for ten seconds.
    ///
    /// # Errors
    /// [`Error::NotSeen`] when the time is over.
    pub fn primary(&self, within: Duration) -> Result<&Node, Error> {
        let look = |left: Duration| {
            let once = left.clamp(poll::PAUSE, SELECTION);
            let mut awake = self.nodes().iter().filter(|node| node.seat.process.is_awake());
            Ok::<_, Error>(awake.find(|node| node.hello(once).is_ok_and(|hello| leads(&hello))))
        };
        poll::until(within, look)?.ok_or_else(|| Error::NotSeen {
            what: "primary".to_owned(),
            within,
            last: "no running node calls itself so".to_owned(),
        })
    }

    /// Adds a node to the set, and waits until it is a secondary.
    ///
    /// # Errors
    /// What the primary answers; [`Error::NotSeen`] and [`Error::NotReady`] when the time is over.
    pub fn add(&self, node: &Node, within: Duration) -> Result<(), Error> {
        let end = Instant::now() + within;
        let left = || end.saturating_duration_since(Instant::now());
        let mut last = String::new();
        let add = |_| {
            let primary = self.primary(left())?;
            let config = match primary.config() {
                Ok(config) => with(config, node.member_address()),
                Err(error) => return Err(error),
            };
            let Some(config) = config else { return Ok(Some(())) };
            match primary.command("admin", doc! { "replSetReconfig": config, "maxTimeMS": 10_000 }) {
                Ok(_) => Ok(Some(())),
                Err(error) if error.code().is_some_and(|code| AGAIN.contains(&code)) => {
                    last = error.to_string();
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        };
        poll::until(within, add)?.ok_or_else(|| Error::NotSeen {
            what: format!("set with {}", node.name()),
            within,
            last,
        })?;
        node.wait_member(left())
    }

    /// Who may do everything at a secured cluster.
    pub fn root_user(&self) -> &'static str {
        security::ROOT
    }

    /// Its password.
    pub fn root_password(&self) -> &'static str {
        security::PASSWORD
    }
}

/// Does not wait for the first election, which comes ten seconds after the beginning.
fn step_up(first: &Node, within: Duration) -> Result<(), Error> {
    let mut last = String::new();
    let leads = |left: Duration| {
        if first.hello(left.min(SELECTION)).is_ok_and(|hello| leads(&hello)) {
            return Ok::<_, Error>(Some(()));
        }
        // Refused until a majority has heard of the set.
        if let Err(error) = first.command("admin", doc! { "replSetStepUp": 1 }) {
            last = error.to_string();
        }
        Ok(None)
    };
    poll::until(within, leads)?.ok_or_else(|| Error::NotSeen {
        what: format!("election of {}", first.name()),
        within,
        last,
    })
}

/// A server alone says that it can be written to as well, and has no set.
fn leads(hello: &Document) -> bool {
    hello.get_bool("isWritablePrimary").unwrap_or(false) && hello.contains_key("setName")
}

/// The next configuration, with one member more; `None` when it is there already.
fn with(mut config: Document, host: String) -> Option<Document> {
    let version = config.get("version").and_then(number)?;
    let members = config.get_array_mut("members").ok()?;
    let entries = || members.iter().filter_map(Bson::as_document);
    if entries().any(|member| member.get_str("host").is_ok_and(|known| known == host)) {
        return None;
    }
    let last = entries().filter_map(|member| member.get("_id").and_then(number)).max();
    let id = last.map_or(0, |last| last + 1);
    members.push(doc! { "_id": id, "host": host }.into());
    config.insert("version", version + 1);
    Some(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_added_once_behind_the_last() {
        let config = doc! { "version": 3, "members": [{ "_id": 0, "host": "a" }, { "_id": 4.0, "host": "b" }] };
        assert_eq!(with(config.clone(), "a".to_owned()), None);
        let next = with(config, "c".to_owned()).unwrap();
        assert_eq!(next.get_i64("version").unwrap(), 4);
        let added = doc! { "_id": 5_i64, "host": "c" };
        assert_eq!(next.get_array("members").unwrap().last(), Some(&added.into()));
    }

    #[test]
    fn a_server_alone_leads_nobody() {
        assert!(!leads(&doc! { "isWritablePrimary": true }));
        assert!(!leads(&doc! { "isWritablePrimary": false, "setName": "rs0" }));
        assert!(leads(&doc! { "isWritablePrimary": true, "setName": "rs0" }));
    }
}

//! A member of an ensemble: its server line, `server.2=host:2888:3888:participant;client-host:2181`.
//!
//! The whole line is what a server is named by to others: its id, its election port and its client port cannot be
//! derived from anything shorter. Two lines are equal when they mean the same entry.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use agent_sdk::config::{Address, AddressError};

/// What a member is to votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It votes.
    Participant,
    /// It follows and does not vote.
    Observer,
}

/// Where the other servers reach one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// Host and the port where a leader waits for its followers.
    pub quorum: Address,
    /// The port of elections, on the same host.
    pub election: u16,
}

/// One server line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Member {
    /// Id of the server, as in its `myid`.
    pub id: u64,
    /// Where the other servers reach it: one, or several networks, in the addresses' order.
    pub peers: Vec<Peer>,
    /// What it is to votes.
    pub role: Role,
    /// Where clients reach it. Missing, a server can boot with the line and cannot be joined by it.
    pub client: Option<Address>,
}

/// Why a text is no server line.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{line:?} is no server line (server.ID=HOST:PORT:PORT:ROLE;HOST:PORT): {reason}")]
pub struct MemberError {
    line: String,
    reason: String,
}

/// What a client part without a host means, in the server's own form.
const ANY: &str = "0.0.0.0";

impl Member {
    /// Where a client on another host finds it: a wildcard is replaced by the host where its peers find it.
    pub fn client_address(&self) -> Option<Address> {
        let client = self.client.as_ref()?;
        let host = match (client.is_wildcard(), self.peers.first()) {
            (true, Some(peer)) => peer.quorum.host(),
            _ => client.host(),
        };
        Some(Address::new(host, client.port()))
    }

    /// Whether both lines mean the same server at the same addresses, whatever its role.
    pub fn is_same_place(&self, other: &Self) -> bool {
        let Self {
            id,
            peers,
            role: _,
            client,
        } = self;
        *id == other.id && *peers == other.peers && *client == other.client
    }

    /// Whether they share an address of the peers', whatever their ids.
    pub fn shares_peer_with(&self, other: &Self) -> bool {
        self.peers.iter().any(|peer| other.peers.contains(peer))
    }
}

impl FromStr for Member {
    type Err = MemberError;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        read(line.trim()).map_err(|reason| MemberError {
            line: line.chars().take(200).collect(),
            reason,
        })
    }
}

fn read(line: &str) -> Result<Member, String> {
    let (key, value) = line.split_once('=').ok_or("there is no =")?;
    let id = key
        .trim()
        .strip_prefix("server.")
        .ok_or("it does not begin with server.")?;
    let id = id.parse().map_err(|_| "the id is no number".to_owned())?;
    let (servers, client) = match value.split_once(';') {
        Some((servers, client)) => (servers, Some(client.trim())),
        None => (value, None),
    };
    let (mut peers, mut role) = (Vec::new(), None);
    for server in servers.split('|') {
        let (peer, named) = read_peer(server.trim())?;
        peers.push(peer);
        if named.is_some() && role.is_some() && named != role {
            return Err("it has two roles".to_owned());
        }
        role = role.or(named);
    }
    peers.sort();
    let client = match client {
        None | Some("") => None,
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(
            format!("{ANY}:{port}")
                .parse()
                .map_err(|error: AddressError| error.to_string())?,
        ),
        Some(address) => Some(address.parse().map_err(|error: AddressError| error.to_string())?),
    };
    Ok(Member {
        id,
        peers,
        role: role.unwrap_or(Role::Participant),
        client,
    })
}

/// `host:quorum:election[:role]`, the host in brackets when it is an IPv6 address.
fn read_peer(text: &str) -> Result<(Peer, Option<Role>), String> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(text) => text.split_once("]:").ok_or("a bracket is not closed")?,
        None => text.split_once(':').ok_or("a server has host:port:port")?,
    };
    if host.is_empty() {
        return Err("a host is missing".to_owned());
    }
    let port = |text: &str| match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("{:?} is no port", text.chars().take(40).collect::<String>())),
    };
    let parts: Vec<&str> = rest.split(':').collect();
    let (quorum, election, role) = match parts[..] {
        [quorum, election] => (quorum, election, None),
        [quorum, election, role] => (quorum, election, Some(role)),
        _ => return Err("a server has host:port:port, and a role or none".to_owned()),
    };
    let role = match role.map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("participant") => Some(Role::Participant),
        Some("observer") => Some(Role::Observer),
        Some(_) => return Err("a role is participant or observer".to_owned()),
    };
    let quorum = Address::new(host, port(quorum)?);
    let election = port(election)?;
    Ok((Peer { quorum, election }, role))
}

impl TryFrom<String> for Member {
    type Error = MemberError;

    fn try_from(line: String) -> Result<Self, Self::Error> {
        line.parse()
    }
}

impl From<Member> for String {
    fn from(member: Member) -> Self {
        member.to_string()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Participant => "participant",
            Self::Observer => "observer",
        })
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server.{}=", self.id)?;
        for (index, Peer { quorum, election }) in self.peers.iter().enumerate() {
            let bar = if index == 0 { "" } else { "|" };
            write!(f, "{bar}{quorum}:{election}:{}", self.role)?;
        }
        match &self.client {
            Some(client) => write!(f, ";{client}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(line: &str) -> Member {
        line.parse().unwrap()
    }

    #[test]
    fn lines_are_equal_when_they_mean_the_same() {
        let full = member("server.2=Host:2888:3888:participant;0.0.0.0:2181");
        for same in [
            "server.2=host:2888:3888;2181",
            " server.2 = host:2888:3888:PARTICIPANT;2181 ",
            "server.2=host:2888:3888:participant;0.0.0.0:2181",
        ] {
            assert_eq!(member(same), full, "{same}");
        }
        assert_eq!(full.to_string(), "server.2=host:2888:3888:participant;0.0.0.0:2181");
        assert_eq!(member(&full.to_string()), full);
        let literal = member("server.1=[::1]:2888:3888;[::]:2181");
        assert_eq!(
            literal,
            member("server.1=[0:0:0:0:0:0:0:1]:2888:3888;[0:0:0:0:0:0:0:0]:2181")
        );
        let observer = member("server.2=host:2888:3888:observer;2181");
        assert!(observer != full && observer.is_same_place(&full));
    }

    #[test]
    fn a_client_finds_it_also_behind_a_wildcard() {
        let client = |line| member(line).client_address().map(|address| address.to_string());
        assert_eq!(client("server.1=h:1:2;2181").as_deref(), Some("h:2181"));
        assert_eq!(client("server.1=h:1:2;c:2181").as_deref(), Some("c:2181"));
        assert_eq!(client("server.1=[::1]:1:2;[::]:2181").as_deref(), Some("[::1]:2181"));
        assert_eq!(client("server.1=h:1:2"), None);
    }

    #[test]
    fn several_networks_are_one_member() {
        let one = member("server.1=a:1:2|b:1:2:observer;3");
        assert_eq!((one.peers.len(), one.role), (2, Role::Observer));
        assert_eq!(one, member("server.1=b:1:2:observer|a:1:2:observer;3"));
        assert_eq!(member(&one.to_string()), one);
        assert!(one.shares_peer_with(&member("server.9=b:1:2;4")));
    }

    #[test]
    fn what_is_no_server_line_is_refused() {
        for line in [
            "",
            "1",
            "zk-2",
            "server.2",
            "server.=h:1:2",
            "server.x=h:1:2",
            "server.-1=h:1:2",
            "server.1=h:1",
            "server.1=:1:2",
            "server.1=h:1:2:leader",
            "server.1=h:0:2",
            "server.1=h:1:70000",
            "server.1=[::1:1:2",
            "server.1=h:1:2;c:x",
            "server.1=a:1:2:observer|b:1:2:participant",
            "server.1=h:1:2:observer:3",
        ] {
            assert!(line.parse::<Member>().is_err(), "{line:?}");
        }
        let long = "x".repeat(10_000).parse::<Member>().unwrap_err().to_string();
        assert!(long.len() < 400, "a message does not repeat what anybody sends");
    }
}

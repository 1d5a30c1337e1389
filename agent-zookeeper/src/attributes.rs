//! Attributes that only the running server knows, under `zookeeper.apache.org/`.
//!
//! What every server tells is always there while it serves. The counters of a leader need the word `mntr` or the
//! `AdminServer`, which most servers do not allow: where they cannot be had they are left out.

use agent_sdk::spec::Attributes;
use serde_json::{Map, Value};

use crate::admin;
use crate::config::Server;
use crate::node::Facts;
use crate::srvr::Mode;
use crate::words;

/// Counters that a leader has, by the name without `zk_`.
const LEADER: [&str; 6] = [
    "learners",
    "synced_followers",
    "synced_non_voting_followers",
    "synced_observers",
    "pending_syncs",
    "quorum_size",
];

/// The attributes of a server that serves.
pub(crate) async fn store(server: &Server, facts: &Facts) -> Attributes {
    let Ok(srvr) = &facts.answer else {
        return Attributes::new();
    };
    let mut attributes = Attributes::new().with(name("mode"), srvr.mode.name());
    let numbers = [
        ("connections", srvr.connections),
        ("outstanding_requests", srvr.outstanding),
        ("znodes", srvr.nodes),
    ];
    for (key, value) in numbers {
        if let Some(value) = value {
            attributes.insert(name(key), value);
        }
    }
    if let Some(ensemble) = facts.ensemble() {
        attributes.insert(name("config_version"), ensemble.version().to_string());
        attributes.insert(name("participants"), ensemble.participants());
        attributes.insert(name("observers"), ensemble.observers());
    }
    if let Some(entry) = facts.entry() {
        attributes.insert(name("role"), entry.role.to_string());
    }
    if srvr.mode == Mode::Leader {
        for (key, value) in leader(server).await {
            attributes.insert(name(key), value);
        }
    }
    attributes
}

fn name(key: &str) -> String {
    format!("zookeeper.apache.org/{key}")
}

async fn leader(server: &Server) -> Vec<(&'static str, i64)> {
    match words::ask(&server.address, "mntr", server.timeouts.answer() / 2).await {
        Ok(answer) => return from_mntr(&answer),
        Err(error) => tracing::debug!(%error, "the leader's counters cannot be had by mntr"),
    }
    let Some(address) = &server.admin_server else {
        return Vec::new();
    };
    match admin::ask(address, "monitor", server.timeouts.answer() / 2).await {
        Ok(counters) => from_monitor(&counters),
        Err(error) => {
            tracing::warn!(%address, error, "the AdminServer cannot be asked: its attributes are left out");
            Vec::new()
        }
    }
}

/// Lines of a name, white space and a value.
fn from_mntr(answer: &str) -> Vec<(&'static str, i64)> {
    let value = |key: &str| {
        answer.lines().find_map(|line| {
            let rest = line.strip_prefix("zk_")?.strip_prefix(key)?;
            rest.strip_prefix(['\t', ' '])?.trim().parse::<f64>().ok()
        })
    };
    // Whole numbers, though some are written with a point.
    #[allow(clippy::cast_possible_truncation, reason = "counts of servers")]
    let whole = |key: &'static str| {
        value(key)
            .filter(|value| value.abs() < 1e9)
            .map(|value| (key, value as i64))
    };
    LEADER.into_iter().filter_map(whole).collect()
}

fn from_monitor(counters: &Map<String, Value>) -> Vec<(&'static str, i64)> {
    LEADER
        .into_iter()
        .filter_map(|key| Some((key, counters.get(key)?.as_i64()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_leaders_counters_are_read_from_either() {
        let mntr =
            "zk_version\t3.9.5\nzk_synced_followers\t2\nzk_learners\t3.0\nzk_pending_syncs\t0\nzk_quorum_size\tnan\n";
        let expected = [("learners", 3), ("synced_followers", 2), ("pending_syncs", 0)];
        assert_eq!(from_mntr(mntr), expected);
        let answer = json!({"learners": 3, "synced_followers": 2, "pending_syncs": 0, "error": null});
        assert_eq!(from_monitor(answer.as_object().unwrap()), expected);
    }

    #[test]
    fn what_cannot_be_read_is_no_counter() {
        assert_eq!(from_mntr("garbage\nzk_learners\n"), []);
    }
}

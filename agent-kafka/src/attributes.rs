//! Attributes that only the running process knows, under `kafka.apache.org/`. What the agent may not see, or the process
//! does not tell, is left out.

use agent_sdk::spec::Attributes;

use crate::ask::placement::{Part, Placement};
use crate::ask::{Directory, Quorum};
use crate::client::versions::{Feature, KRAFT_VERSION, METADATA_VERSION};
use crate::node::Facts;

/// The attributes of a process that answers. `placement`: where partitions are, where it is a broker that tells.
pub(crate) fn store(facts: &Facts, placement: Option<&Placement>) -> Attributes {
    let mut attributes = Attributes::new();
    if facts.versions().is_none() {
        return attributes;
    }
    let roles = [(facts.is_broker(), "broker"), (facts.is_controller(), "controller")];
    let roles: Vec<_> = roles.iter().filter(|(is, _)| *is).map(|(_, role)| *role).collect();
    attributes.insert(name("roles"), roles.join(","));
    if let Ok(quorum) = &facts.quorum {
        of_quorum(&mut attributes, facts, quorum);
    }
    of_features(&mut attributes, facts);
    if let Some(broker) = facts.live_broker() {
        of_broker(&mut attributes, facts, placement);
        of_directories(&mut attributes, broker.directories.as_deref().unwrap_or_default());
    }
    attributes
}

fn name(key: &str) -> String {
    format!("kafka.apache.org/{key}")
}

fn of_quorum(attributes: &mut Attributes, facts: &Facts, quorum: &Quorum) {
    attributes.insert(name("controller_epoch"), quorum.epoch);
    attributes.insert(name("quorum_leader"), quorum.leader);
    attributes.insert(name("quorum_voters"), quorum.voters.len());
    attributes.insert(name("quorum_observers"), quorum.observers.len());
    if facts.is_controller()
        && let Some(vote) = facts.vote()
    {
        attributes.insert(name("quorum_role"), vote.name());
    }
}

fn of_features(attributes: &mut Attributes, facts: &Facts) {
    let Some(versions) = facts.versions() else { return };
    if let Some(level) = versions.metadata_version() {
        attributes.insert(name("metadata_version_supported"), level);
    }
    let finalized = |feature: &str| {
        versions
            .feature(feature)
            .and_then(|feature: &Feature| feature.finalized)
    };
    if let Some(level) = finalized(METADATA_VERSION) {
        attributes.insert(name("metadata_version"), level);
    }
    attributes.insert(
        name("dynamic_voters"),
        finalized(KRAFT_VERSION).is_some_and(|level| level > 0),
    );
}

fn of_broker(attributes: &mut Attributes, facts: &Facts, placement: Option<&Placement>) {
    let (Some(broker), Some(id)) = (facts.live_broker(), facts.id()) else {
        return;
    };
    let member = broker.cluster.member(id);
    attributes.insert(name("fenced"), member.is_none_or(|member| member.fenced));
    if let Some(rack) = member.and_then(|member| member.rack.clone()) {
        attributes.insert(name("rack"), rack.as_str());
        attributes.insert("replicante.io/zone", rack);
    }
    let Some(placement) = placement else { return };
    let (mut held, mut led, mut under_replicated, mut leaderless, mut offline) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    for partition in placement.of(id) {
        let part = partition.part_of(id);
        held += 1;
        led += u64::from(part == Part::Leader);
        under_replicated += u64::from(part == Part::Leader && partition.missing() > 0);
        leaderless += u64::from(partition.leader().is_none());
        offline += u64::from(part == Part::Offline);
    }
    for (key, count) in [
        ("partitions", held),
        ("partitions_led", led),
        ("partitions_under_replicated", under_replicated),
        ("partitions_without_leader", leaderless),
        ("replicas_offline", offline),
    ] {
        attributes.insert(name(key), count);
    }
}

/// Numbered as `log.dirs` is not told in its order: by their paths.
fn of_directories(attributes: &mut Attributes, directories: &[Directory]) {
    if directories.is_empty() {
        return;
    }
    let failed = directories.iter().filter(|directory| directory.failed).count();
    attributes.insert(name("log_directories"), directories.len());
    attributes.insert(name("log_directories_failed"), failed);
    let mut sorted: Vec<_> = directories.iter().collect();
    sorted.sort_by(|one, other| one.path.cmp(&other.path));
    for (number, directory) in sorted.into_iter().enumerate() {
        let key = |what: &str| name(&format!("log_directory.{number}.{what}"));
        attributes.insert(key("path"), directory.path.as_str());
        attributes.insert(key("failed"), directory.failed);
        for (what, bytes) in [
            ("total_bytes", directory.total_bytes),
            ("usable_bytes", directory.usable_bytes),
        ] {
            if let Some(bytes) = bytes {
                attributes.insert(key(what), bytes);
            }
        }
    }
}

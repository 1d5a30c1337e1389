//! What operators look at, as attributes of the node. Each for itself: what the agent may not know is left out.

use agent_sdk::spec::Attributes;
use serde_json::Value;

use crate::ask::SetStatus;
use crate::ask::server::{self, Figures};
use crate::ask::set::{self, Member, millis};
use crate::client::Fault;
use crate::node::Facts;
use crate::sight::Sight;

/// The attributes of the running process.
pub(crate) async fn store(sight: &Sight, facts: &Facts) -> Attributes {
    let mut all = Attributes::new();
    let Ok(hello) = &facts.hello else { return all };
    let within = sight.server().timeouts.answer();
    let (link, within_ms) = (sight.known(), millis(within));
    if let Some(set) = facts.status_of_set() {
        of_set(&mut all, set);
    }
    if let Some(member) = hello.member() {
        all.insert(name("set"), member.set.as_str());
        known(&mut all, "primary", member.primary.clone());
        if let Some(config) = told("the set's configuration", set::ask(link, within).await)
            && let Some(own) = member.me.as_deref().and_then(|me| config.member(me))
        {
            of_member(&mut all, own);
            all.insert(name("config-version"), config.version);
        }
    }
    if let Some(figures) = told("serverStatus", server::figures(link, within_ms).await) {
        of_figures(&mut all, figures);
    }
    if let Some(version) = told(
        "the compatibility version",
        server::compatibility(link, within_ms).await,
    ) {
        known(&mut all, "feature-compatibility-version", version);
    }
    all
}

fn name(name: &str) -> String {
    format!("mongodb.com/{name}")
}

fn known(all: &mut Attributes, attribute: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        all.insert(name(attribute), value);
    }
}

/// What was told; what was not is left out, and the log says why.
fn told<T>(what: &str, answer: Result<T, Fault>) -> Option<T> {
    answer
        .inspect_err(|error| tracing::debug!(%error, "attributes are left out: {what} was not told"))
        .ok()
}

fn of_set(all: &mut Attributes, set: &SetStatus) {
    all.insert(name("member-state"), set.state.name());
    known(all, "term", set.term);
    known(all, "voting-members", set.voting);
    known(all, "sync-source", set.own().and_then(|own| own.source.clone()));
}

fn of_member(all: &mut Attributes, own: &Member) {
    all.insert(name("member-id"), own.id);
    all.insert(name("priority"), own.role.priority);
    all.insert(name("votes"), own.role.votes);
    all.insert(name("hidden"), own.role.hidden);
    all.insert(name("delay-seconds"), own.role.delay_s);
}

fn of_figures(all: &mut Attributes, figures: Figures) {
    known(all, "storage-engine", figures.storage_engine);
    known(all, "connections", figures.connections);
    known(all, "connections-available", figures.connections_left);
    known(all, "cache-bytes", figures.cache_used);
    known(all, "cache-bytes-max", figures.cache_size);
    known(all, "oplog-window-seconds", figures.oplog_window_s);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::set::Part;

    #[test]
    fn every_attribute_has_the_scope_of_the_store() {
        let mut all = Attributes::new();
        of_member(
            &mut all,
            &Member {
                id: 3,
                host: "h:1".to_owned(),
                role: Part::default(),
            },
        );
        of_figures(
            &mut all,
            Figures {
                connections: Some(7),
                ..Figures::default()
            },
        );
        let names: Vec<_> = all.iter().map(|(name, _)| name).collect();
        let expected = [
            "connections",
            "delay-seconds",
            "hidden",
            "member-id",
            "priority",
            "votes",
        ];
        assert_eq!(names, expected.map(name));
        assert_eq!(all.retain_lawful(), []);
    }
}

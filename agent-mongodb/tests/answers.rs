//! Whatever a server answers, reading it ends, and what is read can be shown and changed.

#![allow(clippy::unwrap_used, reason = "all of this is tests")]

use agent_mongodb::ask::set::{Member, Part, SetConfig};
use agent_mongodb::ask::{Hello, SetStatus, build, server};
use agent_mongodb::node::Facts;
use agent_mongodb::shards;
use mongodb::bson::{Bson, DateTime, Document, Timestamp};
use proptest::prelude::*;

/// Names that the agent reads, and one that it does not.
const NAMES: &[&str] = &[
    "_id",
    "appliedOpTime",
    "approxTotalBytesCopied",
    "approxTotalDataSize",
    "arbiterOnly",
    "arbiters",
    "authenticated",
    "available",
    "cache",
    "bytes currently in the cache",
    "maximum bytes configured",
    "connections",
    "current",
    "earliestOptime",
    "electionTime",
    "gitVersion",
    "health",
    "hidden",
    "host",
    "hosts",
    "initialSyncStatus",
    "isWritablePrimary",
    "isreplicaset",
    "lastAppliedWallTime",
    "lastHeartbeatMessage",
    "latestOptime",
    "maxWireVersion",
    "me",
    "members",
    "msg",
    "myState",
    "name",
    "oplog",
    "optime",
    "optimes",
    "passives",
    "primary",
    "priority",
    "secondaryDelaySecs",
    "self",
    "set",
    "setName",
    "slaveDelay",
    "state",
    "storageEngine",
    "syncSourceHost",
    "tags",
    "term",
    "topologyVersion",
    "ts",
    "unread",
    "version",
    "votes",
    "votingMembersCount",
    "wiredTiger",
];

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(NAMES).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Bson> {
    let time =
        (any::<u32>(), any::<u32>()).prop_map(|(time, increment)| Bson::Timestamp(Timestamp { time, increment }));
    let leaf = prop_oneof![
        any::<i32>().prop_map(Bson::Int32),
        any::<i64>().prop_map(Bson::Int64),
        any::<f64>().prop_map(Bson::Double),
        any::<bool>().prop_map(Bson::Boolean),
        "(rs0|h:1|isdbgrid|6\\.0\\.5|\\PC{0,8})".prop_map(Bson::String),
        any::<i64>().prop_map(|ms| Bson::DateTime(DateTime::from_millis(ms))),
        time,
        (0..12).prop_map(Bson::Int32),
        Just(Bson::Null),
    ];
    leaf.prop_recursive(4, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Bson::Array),
            prop::collection::vec((name(), inner), 0..8)
                .prop_map(|fields| Bson::Document(fields.into_iter().collect())),
        ]
    })
}

/// An answer with the fields without which it is none.
fn answer() -> impl Strategy<Value = Document> {
    prop::collection::vec((name(), value()), 0..12).prop_map(|fields| {
        let mut answer: Document = fields.into_iter().collect();
        for (name, usual) in [
            ("set", Bson::from("rs0")),
            ("setName", Bson::from("rs0")),
            ("myState", Bson::Int32(2)),
            ("version", Bson::Int64(i64::MAX)),
            ("_id", Bson::from("rs0")),
        ] {
            answer.entry(name.to_owned()).or_insert(usual);
        }
        answer
    })
}

proptest! {
    #[test]
    fn no_answer_is_too_strange(first in answer(), second in answer()) {
        build::version(&first);
        server::Figures::of(&first);
        let facts = Facts {
            hello: Ok(Hello::of(&first)),
            set: Some(SetStatus::of(&second)),
            replica_set: "rs0".to_owned(),
            joining: false,
            restarted: false,
        };
        facts.status(None);
        facts.summary();
        let told = shards::of(&facts);
        let lags = told.iter().flatten().filter_map(|shard| shard.lag.as_ref());
        prop_assert!(lags.into_iter().all(|lag| lag.value >= 0));
        if let Ok(config) = SetConfig::of(second) {
            let member = Member { id: config.next_id(), host: "h:9".to_owned(), role: Part::default() };
            // What it becomes is a configuration again.
            for next in [config.with(&member), config.without(0), config.changed(0, &Part::default())] {
                prop_assert!(SetConfig::of(next).is_ok());
            }
        }
    }
}

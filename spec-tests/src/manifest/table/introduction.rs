//! The introduction, and what is said of all attributes.

use super::{checked, informs, partly};
use crate::manifest::Entry;

const INTRODUCTION: &str = "Introduction";
const ALL: &str = "Attributes";

/// The checks that see each attribute which is not marked as optional.
const TOLD: &[&str] = &[
    "store.cluster_id",
    "node.id",
    "node.agent_version",
    "node.store_version",
    "shards.list",
    "node.status",
    "shard.id",
    "shard.state",
    "node.attributes",
    "store.attributes",
];

pub(super) const ENTRIES: &[Entry] = &[
    informs(INTRODUCTION, "c834b953afb7b176", "warns that the document is young"),
    informs(
        INTRODUCTION,
        "3cbb24e9265b46dc",
        "the document may still change, also in ways that break agents",
    ),
    informs(
        INTRODUCTION,
        "a4b1fcd4d30f0ec8",
        "says what is called a data store: whatever does as the document asks",
    ),
    informs(INTRODUCTION, "0b74dcac92fb4dd4", "leads in what the document is for"),
    informs(
        INTRODUCTION,
        "155e23b5244d9034",
        "purpose: to know which software fits the model, and in what way",
    ),
    informs(
        INTRODUCTION,
        "58b745749ed3c8fc",
        "purpose: to show how an agent beside a store makes it fit",
    ),
    informs(
        INTRODUCTION,
        "942b3496547474d2",
        "purpose: to say what can be learned of a store",
    ),
    informs(
        INTRODUCTION,
        "124ed974396d04a1",
        "purpose: to say what can be done to a store, and by what way",
    ),
    informs(
        INTRODUCTION,
        "b31e4b77d9ded057",
        "purpose: to have something that more can be built on",
    ),
    partly(
        ALL,
        "b1eaecea4d97f4e6",
        "a store lets its attributes be seen, and seeing them changes nothing",
        TOLD,
        "that looking changes nothing can be seen only inside the store",
    ),
    informs(
        ALL,
        "4003243da4d6eea4",
        "an attribute may stay as it was made, or may change",
    ),
    partly(
        ALL,
        "1e13d45e8fc70331",
        "attributes cost little to look up, and need nobody but the node itself",
        &["info.prompt"],
        "whom an agent connects to is not seen by its client",
    ),
    checked(
        ALL,
        "03dab6f3f586adb4",
        "only an attribute that is marked as optional may be missing",
        TOLD,
    ),
    partly(
        ALL,
        "6a8440f3eae3454f",
        "an optional attribute that would cost much is to be left out",
        &["info.prompt"],
        "what an attribute costs the store is not seen by a client, but for the time that an answer takes",
    ),
];

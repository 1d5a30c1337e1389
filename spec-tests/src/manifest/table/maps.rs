//! The two maps of attributes.

use super::{checked, informs, partly};
use crate::manifest::Entry;

const NODE_ATTRIBUTES_MAPS: &str = "Attributes › Node Attributes Maps";

pub(super) const ENTRIES: &[Entry] = &[
    checked(
        NODE_ATTRIBUTES_MAPS,
        "8a6694d4c3af5d35",
        "there are maps of further attributes",
        &["node.attributes", "store.attributes"],
    ),
    partly(
        NODE_ATTRIBUTES_MAPS,
        "28182190c3a8ae9d",
        "two maps are told: of what only a running store knows, and of what is known without it",
        &["node.attributes", "store.attributes"],
        "that the second is told without the store is seen only while the store is down, and the suite stops none",
    ),
    informs(
        NODE_ATTRIBUTES_MAPS,
        "430a4d646de293cc",
        "an agent may tell whatever it likes under names of its own",
    ),
    informs(
        NODE_ATTRIBUTES_MAPS,
        "e29d002677212810",
        "says what the control plane can do with such attributes",
    ),
    checked(
        NODE_ATTRIBUTES_MAPS,
        "139b51f1b0c81d6f",
        "an attribute's value is of one of a few types",
        &["attributes.values"],
    ),
    checked(
        NODE_ATTRIBUTES_MAPS,
        "31058086b35a14d9",
        "a value may be text",
        &["attributes.values"],
    ),
    checked(
        NODE_ATTRIBUTES_MAPS,
        "b0640f0fc46040e7",
        "a value may be a number",
        &["attributes.values"],
    ),
    checked(
        NODE_ATTRIBUTES_MAPS,
        "da38d8ab45ab1f6f",
        "a value may be true or false",
        &["attributes.values"],
    ),
    checked(
        NODE_ATTRIBUTES_MAPS,
        "c4b8ab7a94880d5d",
        "a value may be null",
        &["attributes.values"],
    ),
    checked(
        NODE_ATTRIBUTES_MAPS,
        "b05b36a4f1f08093",
        "an attribute's name should have a scope, so that two agents never mean different things by one",
        &["attributes.scope"],
    ),
    checked(
        NODE_ATTRIBUTES_MAPS,
        "a5218ade6c79a7a1",
        "names in the scope of the specification's own project are that project's to give",
        &["attributes.reserved"],
    ),
    informs(NODE_ATTRIBUTES_MAPS, "e68ee04dff59551b", "leads in examples of names"),
    informs(
        NODE_ATTRIBUTES_MAPS,
        "1b8ace2ecb3469d3",
        "example of a name: what fails together with the node",
    ),
    informs(
        NODE_ATTRIBUTES_MAPS,
        "3556944e6f78b9f4",
        "example of a name: a part of one store that is switched on",
    ),
];

//! The attributes of a shard: its id, its replication state, its commit offset, its lag.

use super::{TRUTH, WRITES, checked, informs, not_checked, partly};
use crate::manifest::Entry;

const SHARD_ID: &str = "Attributes › Shard ID";
const SHARD_REPLICATION_STATE: &str = "Attributes › Shard replication state";
const SHARD_COMMIT_OFFSET: &str = "Attributes › Shard commit offset";
const SHARD_REPLICATION_LAG: &str = "Attributes › Shard replication lag";

pub(super) const ENTRIES: &[Entry] = &[
    checked(
        SHARD_ID,
        "afec20b64b3e10e5",
        "there is an id of each shard",
        &["shard.id"],
    ),
    partly(
        SHARD_ID,
        "a918d46e88d750c3",
        "each shard on a node has an id that no other shard of the cluster has",
        &["shard.id", "cluster.shard_ids"],
        "whether two nodes give one id to two different shards, only the store knows",
    ),
    checked(
        SHARD_ID,
        "36ab12b7fc81a770",
        "a shard goes by one id on whatever node it is",
        &["cluster.shard_ids"],
    ),
    checked(
        SHARD_REPLICATION_STATE,
        "aaf4f72f27b45100",
        "there is a replication state of each shard",
        &["shard.state"],
    ),
    checked(
        SHARD_REPLICATION_STATE,
        "397c4c5deccf5bcc",
        "each shard on a node has a replication state for itself",
        &["shard.state"],
    ),
    checked(
        SHARD_REPLICATION_STATE,
        "670e4cb0b90e2089",
        "a shard's replication state is one of four",
        &["shard.state"],
    ),
    partly(
        SHARD_REPLICATION_STATE,
        "0e796b2474299864",
        "a primary takes the changes of its shard and hands them on",
        &["shard.state", "cluster.primary", "shard.lag.primary"],
        TRUTH,
    ),
    partly(
        SHARD_REPLICATION_STATE,
        "e84ae9845e5bbab1",
        "a secondary has what the primary has, and follows it",
        &["shard.state", "cluster.shard_ids"],
        TRUTH,
    ),
    partly(
        SHARD_REPLICATION_STATE,
        "33aedfea89cebf2e",
        "a recovering copy is being brought up to date by another node",
        &["shard.state", "cluster.shard_ids"],
        TRUTH,
    ),
    partly(
        SHARD_REPLICATION_STATE,
        "3651deb513bbbfc3",
        "any further copy, or one that ought to be there, is told as other",
        &["shard.state"],
        TRUTH,
    ),
    checked(
        SHARD_COMMIT_OFFSET,
        "b4dbfb2dbce3a17d",
        "there may be a commit offset of each shard",
        &["shard.offset"],
    ),
    not_checked(
        SHARD_COMMIT_OFFSET,
        "c57247083c3141f2",
        "a shard's mark moves with each change that is applied",
        WRITES,
    ),
    not_checked(
        SHARD_COMMIT_OFFSET,
        "b7e173292dbf2463",
        "the mark stands for what was written last and will stay",
        WRITES,
    ),
    checked(
        SHARD_COMMIT_OFFSET,
        "18b5b7088183d97f",
        "a commit offset is a whole number with a sign, which only grows",
        &["shard.offset", "shard.offset.forward"],
    ),
    partly(
        SHARD_COMMIT_OFFSET,
        "e3b31e678a6ee556",
        "a commit offset goes back only where a write was lost",
        &["shard.offset.forward"],
        "whether a write was lost, only the store knows; where the node was not healthy, or came to be something else to the \
         shard, the check does not look",
    ),
    informs(
        SHARD_COMMIT_OFFSET,
        "3f75cccb23ccb2f3",
        "a way to lose a write: it was taken back, having reached too few nodes",
    ),
    informs(
        SHARD_COMMIT_OFFSET,
        "d551934263ae8bc2",
        "a way to lose a write: the data was set back to what it was before",
    ),
    informs(
        SHARD_COMMIT_OFFSET,
        "3d65bb11110016c9",
        "says what a lost write is: one that a client was told had succeeded",
    ),
    informs(
        SHARD_COMMIT_OFFSET,
        "2411d854d71190f4",
        "says what is no lost write: what was undone before a client was told of success",
    ),
    informs(SHARD_COMMIT_OFFSET, "d3b93d0c3b323297", "leads in examples of offsets"),
    informs(
        SHARD_COMMIT_OFFSET,
        "d608df3913a17981",
        "example of an offset: when it was written",
    ),
    informs(
        SHARD_COMMIT_OFFSET,
        "f35bbef3f5bf77bc",
        "example of an offset: a count of versions",
    ),
    checked(
        SHARD_COMMIT_OFFSET,
        "bea93c4b7aaed1d4",
        "who tells a commit offset should tell its unit too",
        &["shard.offset.unit", "wire.shards"],
    ),
    checked(
        SHARD_COMMIT_OFFSET,
        "6b7eb2723155761a",
        "the unit of a shard's commit offset stays what it is",
        &["shard.offset.unit.steady", "cluster.offset_units"],
    ),
    informs(
        SHARD_COMMIT_OFFSET,
        "eea2fb48190511fd",
        "a commit offset may be left out",
    ),
    checked(
        SHARD_REPLICATION_LAG,
        "f05ffb42bfc9c722",
        "there may be a replication lag of each shard",
        &["shard.lag"],
    ),
    not_checked(
        SHARD_REPLICATION_LAG,
        "e5a5b327fc46e53b",
        "a copy should tell how far it is behind, where that costs little and asks no other node",
        "where a lag is missing, a client cannot see whether it would have cost much, or asked another node",
    ),
    partly(
        SHARD_REPLICATION_LAG,
        "751678bf00c11202",
        "a lag is a whole number of 64 bits with a sign: how far a copy is behind its primary",
        &["shard.lag"],
        TRUTH,
    ),
    informs(SHARD_REPLICATION_LAG, "392d2bd28a8149b6", "leads in examples of lags"),
    informs(
        SHARD_REPLICATION_LAG,
        "f324cb54109917f8",
        "example of a lag: how much older a copy's last change is",
    ),
    informs(
        SHARD_REPLICATION_LAG,
        "c71e8c4a640ab209",
        "example of a lag: how many changes a copy has still to make",
    ),
    checked(
        SHARD_REPLICATION_LAG,
        "896ca3cde8020fa3",
        "who tells a lag tells its unit too",
        &["shard.lag.unit"],
    ),
    informs(SHARD_REPLICATION_LAG, "392d2bd28a8149b6", "leads in examples of units"),
    informs(SHARD_REPLICATION_LAG, "381a8e9699052f3a", "example of a unit: time"),
    informs(
        SHARD_REPLICATION_LAG,
        "920ad2c1f1db64f1",
        "example of a unit: a count of changes",
    ),
    informs(
        SHARD_REPLICATION_LAG,
        "eea2fb48190511fd",
        "a replication lag may be left out",
    ),
];

//! The specification's sentences, in its order, a file for each of its parts.
//!
//! The sentences themselves are not here: an entry knows its sentence by the digest, and says in words of ours what it
//! means. Where a sentence was changed, `spec-tests coverage` names both it and the entry that has lost its sentence; the
//! changed one has to be read, and judged anew, before it gets an entry.

mod actions;
mod behaviours;
mod introduction;
mod maps;
mod nodes;
mod records;
mod shards;

use super::{Entry, Hold};

/// Every part.
pub(super) const PARTS: [&[Entry]; 7] = [
    introduction::ENTRIES,
    nodes::ENTRIES,
    shards::ENTRIES,
    records::ENTRIES,
    maps::ENTRIES,
    behaviours::ENTRIES,
    actions::ENTRIES,
];

const STORE: &str =
    "it binds the data store, and shows only where one is written to, stopped or cut off: the suite does none of that";
const CHANGES: &str = "seeing it takes a change of the cluster, and the suite makes none";
const WRITES: &str = "seeing it takes a write to the data store, and the suite speaks with agents alone";
const TRUTH: &str = "whether it is so, only the store knows: the suite speaks with agents alone";
const KINDS: &str = "the dialect unstable tells of no action that it was not asked for";
const NEED: &str =
    "an agent is believed in what it says of its store's needs, and the dialect unstable has no place to say it";

const fn checked(
    place: &'static str,
    digest: &'static str,
    meaning: &'static str,
    checks: &'static [&'static str],
) -> Entry {
    entry(place, digest, meaning, Hold::Checked(checks))
}

const fn partly(
    place: &'static str,
    digest: &'static str,
    meaning: &'static str,
    checks: &'static [&'static str],
    rest: &'static str,
) -> Entry {
    entry(place, digest, meaning, Hold::Partly(checks, rest))
}

const fn not_checked(place: &'static str, digest: &'static str, meaning: &'static str, reason: &'static str) -> Entry {
    entry(place, digest, meaning, Hold::NotChecked(reason))
}

const fn informs(place: &'static str, digest: &'static str, meaning: &'static str) -> Entry {
    entry(place, digest, meaning, Hold::Informs)
}

const fn entry(place: &'static str, digest: &'static str, meaning: &'static str, hold: Hold) -> Entry {
    Entry {
        place,
        digest,
        meaning,
        hold,
    }
}

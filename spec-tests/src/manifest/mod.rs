//! The specification's sentences, each with the checks that hold it, or the reason why none can.
//!
//! Guarantees: an entry for every sentence of the page that the table was written from, and none besides; [`compare`] says
//! whether another copy of the page has the same, and whether every check of severity MUST or SHOULD stands in an entry.
//! The page's text is not carried: a sentence is known by a digest, which tells that it changed, and not how.
//!
//! A sentence that binds and that a check could see, though none does yet, has a reason that begins with "no check yet".
//!
//! An entry belongs to a place and a digest together: the same words under another heading may ask for something else.

mod compare;
mod coverage;
mod page;
mod sentences;
mod table;
mod words;

use std::collections::BTreeMap;

pub use compare::{Comparison, compare, compare_with, digest};
pub use coverage::coverage;
pub use page::page;
pub use sentences::{BEFORE_HEADINGS, Sentence, sentences};

/// A sentence of the specification, as the suite knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands: the nearest heading and, in a table, the first cell of its row.
    pub place: &'static str,
    /// What it is known by: see [`digest`].
    pub digest: &'static str,
    /// What it means, in our words.
    pub meaning: &'static str,
    /// What the suite does about it.
    pub hold: Hold,
}

/// What the suite does about a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// It binds, and these checks see whether it is kept.
    Checked(&'static [&'static str]),
    /// It binds; these checks see a part of it, and the reason says what they do not see, and why.
    Partly(&'static [&'static str], &'static str),
    /// It binds, and for this reason no check sees whether it is kept.
    NotChecked(&'static str),
    /// It binds nobody: a definition, an example, a permission, an introduction.
    Informs,
}

impl Hold {
    /// The checks; none where there is none.
    pub const fn checks(&self) -> &'static [&'static str] {
        match self {
            Self::Checked(checks) | Self::Partly(checks, _) => checks,
            Self::NotChecked(_) | Self::Informs => &[],
        }
    }

    /// Why it is not checked, or not all of it.
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Partly(_, reason) | Self::NotChecked(reason) => Some(reason),
            Self::Checked(_) | Self::Informs => None,
        }
    }
}

/// How many sentences there are of each sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub sentences: usize,
    /// Those that checks see, in whole or in part.
    pub checked: usize,
    /// Those of them that checks see only in part.
    pub partly: usize,
    /// Those that bind and that no check sees.
    pub not_checked: usize,
    /// Those that bind nobody.
    pub informing: usize,
    /// Why something is not checked, or not all of it, and how often that is so.
    pub reasons: BTreeMap<&'static str, usize>,
}

/// Every entry, in the order of the specification.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    table::PARTS.into_iter().flatten()
}

/// Where in the specification the rule of a check stands: the rows of tables first, then whole chapters.
pub fn places_of(check: &str) -> Vec<&'static str> {
    let mut places = Vec::new();
    for entry in entries().filter(|entry| entry.hold.checks().contains(&check)) {
        if !places.contains(&entry.place) {
            places.push(entry.place);
        }
    }
    places.sort_by_key(|place| !place.contains(" › "));
    places
}

/// How many sentences there are of each sort.
pub fn counts() -> Counts {
    let mut counts = Counts {
        sentences: 0,
        checked: 0,
        partly: 0,
        not_checked: 0,
        informing: 0,
        reasons: BTreeMap::new(),
    };
    for entry in entries() {
        counts.sentences += 1;
        match entry.hold {
            Hold::Checked(_) => counts.checked += 1,
            Hold::Partly(..) => {
                counts.checked += 1;
                counts.partly += 1;
            }
            Hold::NotChecked(_) => counts.not_checked += 1,
            Hold::Informs => counts.informing += 1,
        }
        if let Some(reason) = entry.hold.reason() {
            *counts.reasons.entry(reason).or_default() += 1;
        }
    }
    counts
}

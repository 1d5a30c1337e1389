//! The manifest against a copy of the specification, both ways.

use sha2::{Digest, Sha256};

use super::{Entry, Sentence, entries, sentences};
use crate::check;
use crate::verdict::Severity;

/// What the manifest and a copy of the specification do not have in common, and where the manifest and the checks do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Sentences without an entry.
    pub unmapped: Vec<Sentence>,
    /// Entries without a sentence.
    pub orphans: Vec<Entry>,
    /// Checks that an entry names and that there are none of.
    pub unknown_checks: Vec<&'static str>,
    /// Checks of severity MUST or SHOULD that no entry names.
    pub checks_without_entry: Vec<&'static str>,
    /// How many sentences the copy has.
    pub sentences: usize,
}

impl Comparison {
    /// Whether every sentence has its entry, every entry its sentence, and every rule its place.
    pub fn is_whole(&self) -> bool {
        let Self {
            unmapped,
            orphans,
            unknown_checks,
            checks_without_entry,
            sentences: _,
        } = self;
        unmapped.is_empty() && orphans.is_empty() && unknown_checks.is_empty() && checks_without_entry.is_empty()
    }
}

/// What a sentence is known by: the first 16 hexadecimal digits of the SHA-256 of its normalised text.
pub fn digest(text: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(text).into();
    let first = hash
        .into_iter()
        .take(8)
        .fold(0_u64, |first, byte| first << 8 | u64::from(byte));
    format!("{first:016x}")
}

/// Compares the suite's own manifest with this copy of the specification.
pub fn compare(specification: &str) -> Comparison {
    compare_with(entries(), specification)
}

/// Compares a manifest with a copy of what it was written from.
///
/// A sentence that stands twice in one place takes two entries.
pub fn compare_with<'a>(manifest: impl IntoIterator<Item = &'a Entry>, specification: &str) -> Comparison {
    let mut orphans: Vec<Entry> = manifest.into_iter().copied().collect();
    let named: Vec<&'static str> = orphans.iter().flat_map(|entry| entry.hold.checks()).copied().collect();
    let found = sentences(specification);
    let mut comparison = Comparison {
        sentences: found.len(),
        ..Comparison::default()
    };
    for sentence in found {
        let digest = digest(&sentence.text);
        let entry = orphans
            .iter()
            .position(|entry| entry.digest == digest && entry.place == sentence.place);
        match entry {
            Some(entry) => drop(orphans.remove(entry)),
            None => comparison.unmapped.push(sentence),
        }
    }
    comparison.orphans = orphans;
    for id in &named {
        if check::find(id).is_none() && !comparison.unknown_checks.contains(id) {
            comparison.unknown_checks.push(id);
        }
    }
    comparison.checks_without_entry = check::all()
        .filter(|check| check.severity != Severity::Wire && !named.contains(&check.id))
        .map(|check| check.id)
        .collect();
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Hold;

    const PAGE: &str = "# Lamps\n\nA lamp MUST shine. Is *dry*.\n\n\
        | Part | Rule |\n|---|---|\n| Oil | Is clean. Is cheap. |\n\nIs it over?\n";

    /// The entries that the page's own author would write.
    fn manifest() -> Vec<Entry> {
        let entry = |sentence: Sentence| Entry {
            digest: digest(&sentence.text).leak(),
            place: sentence.place.leak(),
            meaning: "",
            hold: Hold::Informs,
        };
        sentences(PAGE).into_iter().map(entry).collect()
    }

    /// Which sentences have no entry, and which entries no sentence.
    fn differ(page: &str) -> (Vec<String>, Vec<String>) {
        let comparison = compare_with(&manifest(), page);
        let unmapped = comparison.unmapped.into_iter().map(|sentence| sentence.text);
        let orphans = comparison.orphans.iter().map(|entry| entry.digest.to_owned());
        (unmapped.collect(), orphans.collect())
    }

    #[test]
    fn what_one_has_and_the_other_has_not_is_named() {
        assert_eq!(differ(PAGE), (vec![], vec![]));

        let removed = PAGE.replace("Is *dry*.", "");
        assert_eq!(differ(&removed), (vec![], vec![digest("Is dry")]));

        let new = PAGE.replace("Is it over?", "Is it over? It MUST be.");
        assert_eq!(differ(&new), (vec!["It MUST be".to_owned()], vec![]));

        let changed = PAGE.replace("lamp MUST", "lamp SHOULD");
        let expected = (
            vec!["A lamp SHOULD shine".to_owned()],
            vec![digest("A lamp MUST shine")],
        );
        assert_eq!(differ(&changed), expected);
    }

    #[test]
    fn the_same_words_elsewhere_and_again_are_other_sentences() {
        let (unmapped, orphans) = differ(&PAGE.replace("| Oil ", "| Gas "));
        assert_eq!(unmapped, ["Gas", "Is clean", "Is cheap"]);
        assert_eq!(orphans.len(), 3);

        let twice = PAGE.replace("Is *dry*.", "Is *dry*.\nIs dry.");
        assert_eq!(differ(&twice), (vec!["Is dry".to_owned()], vec![]));
    }

    #[test]
    fn checks_without_entries_and_entries_without_checks_are_named() {
        let entry = |hold| Entry {
            place: "Lamps",
            digest: "0",
            meaning: "",
            hold,
        };
        let manifest = [
            entry(Hold::Checked(&["node.id", "no.such"])),
            entry(Hold::Partly(&["info.prompt", "no.such"], "dark")),
        ];
        let comparison = compare_with(&manifest, "");
        assert_eq!(comparison.unknown_checks, ["no.such"]);
        assert!(!comparison.is_whole());
        let without = &comparison.checks_without_entry;
        assert!(without.contains(&"node.status") && !without.contains(&"node.id") && !without.contains(&"info.prompt"));
        assert!(!without.contains(&"wire.node"), "a dialect's own rules need no place");
    }

    #[test]
    fn a_digest_is_the_begin_of_a_sha_256() {
        assert_eq!(digest("abc"), "ba7816bf8f01cfea");
    }
}

//! The comparison, told to people: `spec-tests coverage --specification FILE`.

use std::fmt::Write;

use super::{Comparison, Counts, compare, counts, digest};

/// The most words of a sentence that are shown: enough to find it in one's own copy.
const EXCERPT: usize = 8;

/// Compares the suite's manifest with a copy of the specification. What is to be said of it, and whether the two have each
/// other's sentences, all of them.
pub fn coverage(specification: &str) -> (String, bool) {
    let comparison = compare(specification);
    (told(&comparison, &counts()), comparison.is_whole())
}

fn told(comparison: &Comparison, counts: &Counts) -> String {
    let Comparison {
        unmapped,
        orphans,
        unknown_checks,
        checks_without_entry,
        sentences,
    } = comparison;
    let mut text = String::new();
    part(
        &mut text,
        "Sentences without an entry",
        unmapped.iter().map(|sentence| {
            format!(
                "{}: {} [{}]",
                sentence.place,
                excerpt(&sentence.text),
                digest(&sentence.text)
            )
        }),
    );
    part(
        &mut text,
        "Entries without a sentence",
        orphans
            .iter()
            .map(|entry| format!("{}: {} [{}]", entry.place, entry.meaning, entry.digest)),
    );
    part(
        &mut text,
        "Checks that entries name and that there are none of",
        unknown_checks.iter().map(ToString::to_string),
    );
    part(
        &mut text,
        "Checks of severity MUST or SHOULD that no entry names",
        checks_without_entry.iter().map(ToString::to_string),
    );
    let Counts {
        sentences: entries,
        checked,
        partly,
        not_checked,
        informing,
        reasons,
    } = counts;
    let _ = writeln!(
        text,
        "{sentences} sentences, {entries} entries: {checked} checked ({partly} of them in part), {not_checked} not checked, \
         {informing} bind nobody"
    );
    for (reason, times) in reasons {
        let _ = writeln!(text, "  {times:>3} × {reason}");
    }
    let faults = unmapped.len() + orphans.len() + unknown_checks.len() + checks_without_entry.len();
    let _ = match faults {
        0 => writeln!(text, "The manifest has every sentence, and no other."),
        faults => writeln!(text, "Faults: {faults}."),
    };
    text
}

fn part(text: &mut String, title: &str, lines: impl ExactSizeIterator<Item = String>) {
    if lines.len() == 0 {
        return;
    }
    let _ = writeln!(text, "{title} ({}):", lines.len());
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
    text.push('\n');
}

/// The first words of a sentence.
fn excerpt(sentence: &str) -> String {
    let words: Vec<&str> = sentence.split(' ').collect();
    match words.get(..EXCERPT).filter(|_| words.len() > EXCERPT) {
        Some(first) => format!("{} …", first.join(" ")),
        None => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short() {
        assert_eq!(
            excerpt("one two three four five six seven eight"),
            "one two three four five six seven eight"
        );
        assert_eq!(excerpt("1 2 3 4 5 6 7 8 9"), "1 2 3 4 5 6 7 8 …");
    }

    #[test]
    fn nothing_of_the_specification_at_all_is_not_whole() {
        let (text, whole) = coverage("");
        assert!(!whole);
        assert!(text.contains("Entries without a sentence"), "{text}");
        assert!(text.contains("0 sentences"), "{text}");
    }
}

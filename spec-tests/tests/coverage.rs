//! The manifest holds the specification, and the document holds the manifest.

use std::collections::BTreeSet;
use std::path::Path;

use spec_tests::check;
use spec_tests::manifest::{
    BEFORE_HEADINGS, Entry, Hold, compare, compare_with, counts, coverage, digest, entries, page, places_of, sentences,
};
use spec_tests::verdict::Severity;

/// Set to write the document instead of comparing it.
const UPDATE: &str = "UPDATE_DOCS";

/// A page that has a bit of everything.
const PAGE: &str = r#"---
title: Not a sentence. Nor this.
---
<!-- Nor
  this. -->
{{% notice class="warning" %}}
**Watch out**

Lamps are *new*. They may
change, e.g. in colour.
{{% /notice %}}

## Lamps and [bulbs](http://example.org)

A lamp MUST:

* Shine.
  SHOULD shine `*.always`.
* ...
1. Burn (oil, gas, ...) well
What is said here:
goes on.

{{% wrapper %}}
<table>
<thead><tr><th>Part</th><th>Rule</th></tr></thead>
<tr>
<td>Wick<small><pre>example.org/wick</pre></small></td>
<td>

Is <b>short</b>: less than `<td>`.
Is *dry*.

</td>
</tr>
<tr><td></td><td>Stands alone.</td></tr>
</table>
{{% /wrapper %}}

| Part | Rule |
|------|:----:|
| Oil  | Is clean. Is cheap |

Is it over?

[bulbs]: http://example.org/
"#;

fn told(markdown: &str) -> Vec<(String, String)> {
    let sentences = sentences(markdown).into_iter();
    sentences.map(|sentence| (sentence.place, sentence.text)).collect()
}

/// The specification, where it is at hand.
fn specification() -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec/agent-attributes-and-behaviours.md");
    let text = std::fs::read_to_string(&file).ok();
    if text.is_none() {
        eprintln!("not compared: {} is not there", file.display());
    }
    text
}

#[test]
fn a_page_is_its_sentences_each_at_its_place() {
    let lamps = "Lamps and bulbs";
    let expected = [
        (BEFORE_HEADINGS, "Watch out"),
        (BEFORE_HEADINGS, "Lamps are new"),
        (BEFORE_HEADINGS, "They may change, e.g. in colour"),
        (lamps, "A lamp MUST"),
        (lamps, "Shine"),
        (lamps, "SHOULD shine *.always"),
        (lamps, "Burn (oil, gas, ...) well What is said here"),
        (lamps, "goes on"),
        ("Lamps and bulbs › Wick", "Wick"),
        ("Lamps and bulbs › Wick", "example.org/wick"),
        ("Lamps and bulbs › Wick", "Is short: less than <td>"),
        ("Lamps and bulbs › Wick", "Is dry"),
        (lamps, "Stands alone"),
        ("Lamps and bulbs › Oil", "Oil"),
        ("Lamps and bulbs › Oil", "Is clean"),
        ("Lamps and bulbs › Oil", "Is cheap"),
        (lamps, "Is it over"),
    ];
    let expected = expected.map(|(place, text)| (place.to_owned(), text.to_owned()));
    assert_eq!(told(PAGE), expected);
}

#[test]
fn how_a_page_is_set_does_not_matter() {
    let set = "# A\r\n\r\nOne *two*\r\nthree.  \r\nFour `five`.\r\n";
    assert_eq!(told(set), told("# A\n\nOne two three. Four\n__five__!"));
    assert_ne!(told(set), told("# A\n\nOne two three. four five."), "case does");
}

#[test]
fn what_is_not_closed_is_not_lost() {
    let texts = |markdown| told(markdown).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    assert_eq!(texts("---\nOpen front"), ["Open front"]);
    assert_eq!(
        texts("<!-- a comment\n\nIt MUST stay."),
        ["<!-- a comment", "It MUST stay"]
    );
    assert_eq!(texts("{{% wide\n\nIt MUST stay."), ["{{% wide", "It MUST stay"]);
    assert_eq!(texts("```\nIt MUST stay.\n```"), ["It MUST stay"]);
    assert_eq!(texts("> It MUST\n> stay."), ["It MUST stay"]);
    assert_eq!(texts("1 < 2 and <3>"), ["1 < 2 and <3>"]);
    assert_eq!(
        texts("<table><tr><th>A head\n\nIt MUST stay."),
        ["A head", "It MUST stay"]
    );
}

#[test]
fn every_check_that_an_entry_names_exists_and_every_demand_has_an_entry() {
    let named: BTreeSet<_> = entries().flat_map(|entry| entry.hold.checks()).copied().collect();
    let unknown: Vec<_> = named.iter().filter(|id| check::find(id).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let demands = check::all().filter(|check| check.severity != Severity::Wire);
    let homeless = demands.map(|check| check.id).filter(|id| places_of(id).is_empty());
    assert_eq!(homeless.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn entries_are_well_made() {
    for entry in entries() {
        let Entry {
            place,
            digest,
            meaning,
            hold,
        } = entry;
        assert!(!place.is_empty() && !meaning.is_empty(), "{entry:?}");
        let hex = |char: char| char.is_ascii_digit() || ('a'..='f').contains(&char);
        assert!(digest.len() == 16 && digest.chars().all(hex), "{entry:?}");
        assert!(hold.reason().is_none_or(|reason| reason.len() > 20), "{entry:?}");
        let checks: BTreeSet<_> = hold.checks().iter().collect();
        assert_eq!(checks.len(), hold.checks().len(), "each check once: {entry:?}");
        let holds = matches!(hold, Hold::Checked(_) | Hold::Partly(..));
        assert_eq!(holds, !checks.is_empty(), "{entry:?}");
    }
    let counts = counts();
    let sorts = counts.checked + counts.not_checked + counts.informing;
    assert_eq!(counts.sentences, sorts);
    assert_eq!(
        counts.reasons.values().sum::<usize>(),
        counts.partly + counts.not_checked
    );
}

#[test]
fn a_place_is_told_once_and_rows_come_first() {
    assert_eq!(places_of("node.id"), ["Attributes › Node ID", "Attributes"]);
    assert!(places_of("no.such").is_empty());
}

#[test]
fn the_manifest_has_the_specification_and_nothing_else() {
    let Some(text) = specification() else { return };
    let (said, whole) = coverage(&text);
    assert!(whole, "{said}");
    assert_eq!(compare(&text).sentences, counts().sentences);

    let (said, whole) = coverage(&format!("{text}\n\nLamps MUST shine, and this goes on and on."));
    assert!(!whole);
    assert!(
        said.contains("Actions: Lamps MUST shine, and this goes on and …"),
        "{said}"
    );

    // Each sentence in its turn is missed where its entry is missing.
    for missing in 0..counts().sentences {
        let others = entries().enumerate().filter(|(number, _)| *number != missing);
        let comparison = compare_with(others.map(|(_, entry)| entry), &text);
        assert_eq!(
            (comparison.unmapped.len(), comparison.orphans.len()),
            (1, 0),
            "{missing}"
        );
    }
}

#[test]
fn a_sentence_that_demands_is_never_said_to_bind_nobody() {
    let Some(text) = specification() else { return };
    let demanding = |text: &str| {
        let words = [
            "MUST",
            "SHOULD",
            "must",
            "should",
            "reserved",
            "expected",
            "expectation",
        ];
        text.contains("is required") || text.split(' ').any(|word| words.contains(&word))
    };
    for sentence in sentences(&text).iter().filter(|sentence| demanding(&sentence.text)) {
        let digest = digest(&sentence.text);
        let entry = entries().find(|entry| entry.place == sentence.place && entry.digest == digest);
        let binds = entry.is_some_and(|entry| entry.hold != Hold::Informs);
        assert!(binds, "{}: {}", sentence.place, sentence.text);
    }
}

#[test]
fn the_words_are_ours() {
    const RUN: usize = 6;
    let Some(text) = specification() else { return };
    let words = |text: &str| {
        let lower = text.to_lowercase();
        let words = lower.split(|char: char| !char.is_alphanumeric());
        let words = words.filter(|word| !word.is_empty()).map(str::to_owned);
        words.collect::<Vec<_>>()
    };
    let theirs: Vec<_> = sentences(&text).iter().map(|sentence| words(&sentence.text)).collect();
    let theirs: BTreeSet<_> = theirs.iter().flat_map(|words| words.windows(RUN)).collect();
    for entry in entries() {
        let ours = words(entry.meaning);
        let copied = ours.windows(RUN).find(|run| theirs.contains(run));
        assert!(copied.is_none(), "{}: {copied:?}", entry.meaning);
    }
}

#[test]
fn the_document_says_what_the_code_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/spec-checks.md");
    let expected = page();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&file, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "docs/spec-checks.md is not what the code says; {UPDATE}=1 writes it"
    );
}

//! The tutorial shows the toy agent as it is: each block is an excerpt of the file, and the blocks are all of it.
//!
//! The file is cut into sections by lines such as `// [node]`; what is before the first one is `top`. A block says by
//! the comment above it which section it continues.

#![allow(clippy::panic, reason = "a test: a panic is its verdict")]

use std::collections::BTreeMap;

const FILE: &str = include_str!("../examples/toy-agent/main.rs");
const TUTORIAL: &str = include_str!("../../docs/tutorial.md");

/// The file's lines by section, blank ones left out: a block may begin and end where it likes.
fn sections() -> BTreeMap<&'static str, Vec<&'static str>> {
    let (mut sections, mut name) = (BTreeMap::<_, Vec<_>>::new(), "top");
    for line in FILE.lines().filter(|line| !line.trim().is_empty()) {
        match line.strip_prefix("// [").and_then(|rest| rest.strip_suffix(']')) {
            Some(next) => name = next,
            None => sections.entry(name).or_default().push(line),
        }
    }
    sections
}

/// The tutorial's lines of code by the section that they are said to be of.
fn blocks() -> BTreeMap<&'static str, Vec<&'static str>> {
    let (mut blocks, mut name, mut inside) = (BTreeMap::<_, Vec<_>>::new(), None, false);
    for line in TUTORIAL.lines() {
        let marker = line
            .strip_prefix("<!-- main.rs: ")
            .and_then(|rest| rest.strip_suffix(" -->"));
        match (line, name) {
            // A block that does not say what it is an excerpt of is one of no section.
            ("```rust", _) => (name, inside) = (name.or(Some("?")), true),
            ("```", _) => (name, inside) = (None, false),
            (_, Some(name)) if inside && !line.trim().is_empty() => blocks.entry(name).or_default().push(line),
            _ => name = name.or(marker),
        }
    }
    blocks
}

#[test]
fn every_block_is_in_the_file_and_the_whole_file_is_in_the_blocks() {
    let (sections, blocks) = (sections(), blocks());
    for (name, lines) in &sections {
        let shown = blocks.get(name).map(|lines| lines.join("\n"));
        assert_eq!(
            shown.as_ref(),
            Some(&lines.join("\n")),
            "the section [{name}] of main.rs"
        );
    }
    assert_eq!(blocks.keys().collect::<Vec<_>>(), sections.keys().collect::<Vec<_>>());
}

#[test]
fn the_agent_part_has_at_most_a_hundred_lines() {
    assert!(FILE.lines().count() <= 100, "{} lines", FILE.lines().count());
}

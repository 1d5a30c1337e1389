//! The suite as a library, and the page that shows it.

use std::fs;
use std::path::Path;

use spec_tests::report::Baseline;
use spec_tests::suite::SuiteError;
use spec_tests::verdict::Report;

use crate::agent::Agent;
use crate::program::program;

fn start_your_agent() -> String {
    Agent::right().url
}

// What stands between the marks is in the page, word by word.
// begin
use spec_tests::{Settings, Suite};

#[tokio::test]
async fn my_agent_keeps_the_specification() {
    let address = start_your_agent().parse().unwrap();
    let suite = Suite::new(vec![address], Settings::default());
    let report = suite.run(|_| {}, std::future::pending()).await.unwrap();
    report.assert_conformant();
}
// end

#[tokio::test]
#[should_panic(expected = "broken  v1  node.status")]
async fn what_is_not_right_is_told() {
    let agent = Agent::but("info/node", crate::agent::node("WELL"));
    let suite = Suite::new(vec![agent.url.parse().unwrap()], Settings::default());
    let report = suite.run(|_| {}, std::future::pending()).await.unwrap();
    report.assert_conformant();
}

/// The report on an agent whose status is none; its PUT is answered as its GET.
async fn of_a_broken_one() -> Report {
    let agent = Agent::but("info/node", crate::agent::node("WELL"));
    let suite = Suite::new(vec![agent.url.parse().unwrap()], Settings::default());
    suite.run(|_| {}, std::future::pending()).await.unwrap()
}

fn accepting(checks: &[&str]) -> Baseline {
    let entry = |check: &&str| format!(r#"{{"check": "{check}", "reason": "known", "expires": "9999-12-31"}}"#);
    let entries: Vec<_> = checks.iter().map(entry).collect();
    Baseline::parse(&format!(r#"{{"accepted": [{}]}}"#, entries.join(","))).unwrap()
}

#[tokio::test]
async fn what_is_accepted_passes() {
    let baseline = accepting(&["node.status", "wire.wrong_method"]);
    of_a_broken_one().await.assert_accepted(&baseline);
}

#[tokio::test]
#[should_panic(expected = "broken  v1  wire.wrong_method")]
async fn what_is_not_accepted_does_not() {
    of_a_broken_one().await.assert_accepted(&accepting(&["node.status"]));
}

#[tokio::test]
async fn an_agent_is_named_once() {
    let agents = vec!["http://h:80".parse().unwrap(), "http://h".parse().unwrap()];
    let found = Suite::new(agents, Settings::default())
        .run(|_| {}, std::future::pending())
        .await;
    assert!(matches!(found, Err(SuiteError::Twice { .. })));
}

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/spec-tests.md")).unwrap()
}

#[test]
fn the_page_shows_what_is_tried_here() {
    let snippet = include_str!("library.rs").split("// begin\n").nth(1).unwrap();
    let snippet = snippet.split("// end\n").next().unwrap();
    assert!(page().contains(snippet), "{snippet}");
}

#[test]
fn the_page_names_the_options_that_there_are() {
    let page = page();
    let help = program(&["run", "--help"]).out + &program(&["coverage", "--help"]).out;
    let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
    let options = |text: &str| -> Vec<String> {
        let starts = text.match_indices("--").map(|(at, _)| &text[at..]);
        let words = starts.map(|rest| rest.split(|c| !is_part(c)).next().unwrap().to_owned());
        words
            .filter(|word| word.len() > 3 && !word.starts_with("---"))
            .collect()
    };
    let (known, shown) = (options(&help), options(&page));
    // Words of other programs' command lines.
    let foreign = ["--release"];
    for option in shown.iter().filter(|option| !foreign.contains(&option.as_str())) {
        assert!(known.contains(option), "{option} is no option");
    }
    for option in known.iter().filter(|option| *option != "--help") {
        assert!(shown.contains(option), "{option} is not in the page");
    }
}

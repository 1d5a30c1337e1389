//! For people, in a browser: one page that needs nothing but itself.
//!
//! All is there without its script, which only hides what is filtered out. The template escapes every text; beneath that the
//! page's own policy lets no script and no style run but the two that it came with, known by their digests, and nothing be
//! fetched at all.

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::tally::{self, Standing, tally};
use crate::dialect::Dialect;
use crate::verdict::{Accepted, BaselineFault, Conclusion, Finding, Judged, Level, Outcome, Report, Severity};

const STYLE: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/report.js");

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    policy: String,
    style: &'static str,
    script: &'static str,
    report: &'a Report,
    overall: Overall,
    took: String,
    verdicts: Vec<VerdictRow>,
    faults: &'a [BaselineFault],
    choices: Vec<Choice>,
    checks: Vec<Card<'a>>,
}

/// What the page says first.
struct Overall {
    key: &'static str,
    words: &'static str,
}

struct VerdictRow {
    dialect: &'static str,
    level: &'static str,
    key: &'static str,
    words: &'static str,
    tally: String,
}

/// One filter, with what it chooses from.
struct Choice {
    name: &'static str,
    options: Vec<(&'static str, &'static str)>,
}

struct Card<'a> {
    standing: Standing,
    judged: &'a Judged,
    findings: &'a [Finding],
    reason: Option<&'a str>,
    seen: Option<usize>,
    accepted: Option<&'a Accepted>,
}

impl<'a> From<&'a Judged> for Card<'a> {
    fn from(judged: &'a Judged) -> Self {
        let (findings, reason, seen) = match &judged.outcome {
            Outcome::Broken { findings } => (findings.as_slice(), None, None),
            Outcome::NotRun { reason } | Outcome::NotAsked { reason } | Outcome::Idle { reason } => {
                (&[] as &[Finding], Some(reason.as_str()), None)
            }
            Outcome::Held { seen } => (&[] as &[Finding], None, Some(*seen)),
        };
        Self {
            standing: Standing::of(judged),
            judged,
            findings,
            reason,
            seen,
            accepted: judged.accepted.as_ref(),
        }
    }
}

/// The report as a page.
///
/// **Errors**: none that is known of; it is written to memory.
pub fn html(report: &Report) -> Result<String, askama::Error> {
    let mut checks: Vec<Card<'_>> = report.checks.iter().map(Card::from).collect();
    // What matters most comes first, and the order of the checks is kept within.
    checks.sort_by_key(|card| card.standing);
    let verdicts = report.verdicts.iter().map(|verdict| VerdictRow {
        dialect: verdict.dialect.name(),
        level: verdict.level.name(),
        key: key(verdict.conclusion),
        words: verdict.conclusion.words(),
        tally: tally(verdict),
    });
    let page = Page {
        policy: policy(),
        style: STYLE,
        script: SCRIPT,
        report,
        overall: overall(report),
        took: tally::seconds(report.took_ms),
        verdicts: verdicts.collect(),
        faults: &report.baseline_faults,
        choices: choices(&checks),
        checks,
    };
    page.render()
}

const fn key(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Conformant => "good",
        Conclusion::Partial => "doubt",
        Conclusion::NotConformant => "bad",
    }
}

/// The worst of the verdicts; a run that was cut short is never better than partial. What makes the run fail besides is said
/// where the verdicts would not say it.
fn overall(report: &Report) -> Overall {
    let bad = |words| Overall { key: "bad", words };
    if report.unreachable.is_some() {
        return bad("unreachable");
    }
    if !report.differences.is_empty() {
        return bad("not the same each time");
    }
    let worst = report.verdicts.iter().map(|verdict| verdict.conclusion).max();
    let conclusion = match (worst, &report.cut_short) {
        (None, _) => {
            return Overall {
                key: "doubt",
                words: "nothing ran",
            };
        }
        (Some(Conclusion::Conformant), Some(_)) => Conclusion::Partial,
        (Some(worst), _) => worst,
    };
    if conclusion != Conclusion::NotConformant && !report.baseline_faults.is_empty() {
        return bad("baseline not as things are");
    }
    Overall {
        key: key(conclusion),
        words: conclusion.words(),
    }
}

/// The filters, of what is there alone.
fn choices(checks: &[Card<'_>]) -> Vec<Choice> {
    let is_there = |test: &dyn Fn(&Card<'_>) -> bool| checks.iter().any(test);
    let outcomes = Standing::ALL
        .into_iter()
        .filter(|standing| is_there(&|card| card.standing == *standing));
    let severities = [Severity::Must, Severity::Should, Severity::Wire]
        .into_iter()
        .filter(|severity| is_there(&|card| card.judged.severity == *severity));
    let levels = Level::ALL
        .into_iter()
        .filter(|level| is_there(&|card| card.judged.level == *level));
    let dialects = Dialect::ALL
        .into_iter()
        .filter(|dialect| is_there(&|card| card.judged.dialect == *dialect));
    vec![
        Choice {
            name: "outcome",
            options: outcomes.map(|standing| (standing.key(), standing.words())).collect(),
        },
        Choice {
            name: "severity",
            options: severities.map(|severity| (severity.name(), severity.name())).collect(),
        },
        Choice {
            name: "level",
            options: levels.map(|level| (level.name(), level.name())).collect(),
        },
        Choice {
            name: "dialect",
            options: dialects.map(|dialect| (dialect.name(), dialect.name())).collect(),
        },
    ]
}

fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::report::visible::is_unseen;

    #[test]
    fn all_that_was_found_is_on_the_page() {
        let page = html(&sample::every()).unwrap();
        for told in [
            "not conformant",
            "<b>unstable</b> was not looked at",
            "is answered with 404",
            "held, then broken",
            "2 held; broken: 1 MUST; 1 accepted; 1 not run (1 MUST); 1 not asked for",
            "node.agent_version",
            "mended in 2.1",
            "one of the seven",
            "GET /api/v1/info/store has no good answer",
            "it takes more than one agent",
            "no shard is on the node",
            "Ctrl-C",
            "it is not needed: the check holds",
        ] {
            assert!(page.contains(told), "{told}: {page}");
        }
        assert!(!page.contains("<article hidden"), "all is seen without the script");
    }

    #[test]
    fn the_page_needs_nothing_but_itself() {
        let page = html(&sample::every()).unwrap();
        for fetches in ["src=", "<link", "@import", "url(", "fetch(", "style=\"", "onclick"] {
            assert!(!page.contains(fetches), "{fetches}");
        }
        let script = page
            .split_once("<script>")
            .unwrap()
            .1
            .split_once("</script>")
            .unwrap()
            .0;
        assert!(
            page.contains(&STANDARD.encode(Sha256::digest(script))),
            "the policy knows the script"
        );
        let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert!(
            page.contains(&STANDARD.encode(Sha256::digest(style))),
            "the policy knows the style"
        );
    }

    #[test]
    fn whatever_an_agent_says_it_stays_text() {
        let page = html(&sample::hostile()).unwrap();
        assert_eq!(page.matches("<script").count(), 1, "its own");
        assert!(!page.contains("alert('x')"), "quotes are escaped, in attributes too");
        assert!(!page.contains(|c| c != '\n' && is_unseen(c)));
    }

    #[test]
    fn a_run_that_was_cut_short_is_not_called_conformant() {
        let held = sample::judged("node.id", Severity::Must, Outcome::Held { seen: 1 });
        let mut report = sample::report(vec![held]);
        assert_eq!(overall(&report).words, "conformant");
        report.cut_short = Some("Ctrl-C".to_owned());
        assert_eq!(overall(&report).words, "partial");
        report.baseline_faults = sample::every().baseline_faults;
        assert_eq!(overall(&report).words, "baseline not as things are");
        report.differences = sample::every().differences;
        assert_eq!(overall(&report).words, "not the same each time");
        report.differences.clear();
        report.verdicts.clear();
        assert_eq!(overall(&report).words, "nothing ran");
        let page = html(&sample::unreachable()).unwrap();
        assert!(
            page.contains("<title>unreachable") && page.contains("no connection"),
            "{page}"
        );
    }
}

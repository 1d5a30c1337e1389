//! For people, on a terminal or in a log.
//!
//! What matters most stands last, where a terminal shows it: what was not asked for, what could not be seen, what is
//! accepted, what is broken, and the verdicts.

use super::layout::{Lines, Paint};
use super::tally::{self, Standing, tally};
use crate::verdict::{Accepted, Conclusion, Finding, Judged, Outcome, Report, Severity, Unseen, Verdict};

/// Columns of a label within a finding.
const LABEL: usize = 15;

/// The report as text of at most 100 columns, lines of curl aside; `colour` where a terminal shows it.
pub fn text(report: &Report, colour: bool) -> String {
    let mut lines = Lines::new(colour);
    opening(&mut lines, report);
    not_looked_at(&mut lines, report);
    unseen(&mut lines, report, Standing::NotAsked, Paint::Faint);
    unseen(&mut lines, report, Standing::NotRun, Paint::Doubt);
    for judged in in_standing(report, Standing::Accepted) {
        broken(&mut lines, judged, "accepted", Paint::Doubt);
    }
    for judged in in_standing(report, Standing::Broken) {
        broken(&mut lines, judged, "broken", Paint::Bad);
    }
    closing(&mut lines, report);
    lines.finish()
}

fn in_standing(report: &Report, standing: Standing) -> impl Iterator<Item = &Judged> {
    let stands = move |judged: &&Judged| Standing::of(judged) == standing;
    report.checks.iter().filter(stands)
}

fn opening(lines: &mut Lines, report: &Report) {
    let mut label = "agents";
    for agent in &report.agents {
        lines.labelled(0, label, 8, agent);
        label = "";
    }
    let took = tally::seconds(report.took_ms);
    let run = format!("{}, took {took}, spec-tests {}", report.began, report.suite);
    lines.labelled(0, "run", 8, &run);
}

/// Dialects that were not looked at.
fn not_looked_at(lines: &mut Lines, report: &Report) {
    for Unseen {
        dialect,
        agents,
        reason,
    } in &report.unseen
    {
        lines.gap();
        let head = lines.paint(Paint::Faint, "not looked at");
        lines.line(&format!("{head}  {dialect}"));
        lines.labelled(4, "because", LABEL, reason);
        lines.labelled(4, "agents", LABEL, &agents.join(" "));
    }
}

/// Checks that were not seen, by dialect and reason: one reason often holds many back.
fn unseen(lines: &mut Lines, report: &Report, standing: Standing, paint: Paint) {
    let mut groups: Vec<(String, &str, Vec<String>)> = Vec::new();
    for judged in in_standing(report, standing) {
        let (Outcome::NotRun { reason } | Outcome::NotAsked { reason }) = &judged.outcome else {
            continue;
        };
        let dialect = judged.dialect.to_string();
        let id = match judged.severity {
            Severity::Must => format!("{} (MUST)", judged.id),
            Severity::Should | Severity::Wire => judged.id.to_owned(),
        };
        match groups.iter_mut().find(|group| group.0 == dialect && group.1 == reason) {
            Some(group) => group.2.push(id),
            None => groups.push((dialect, reason, vec![id])),
        }
    }
    for (dialect, reason, ids) in groups {
        lines.gap();
        let head = lines.paint(paint, standing.words());
        let number = match ids.len() {
            1 => "1 check".to_owned(),
            more => format!("{more} checks"),
        };
        lines.line(&format!("{head}  {dialect}  {number}"));
        lines.labelled(4, "because", LABEL, reason);
        lines.labelled(4, "checks", LABEL, &ids.join(", "));
    }
}

fn broken(lines: &mut Lines, judged: &Judged, standing: &str, paint: Paint) {
    let Judged {
        id,
        rule,
        severity,
        level,
        dialect,
        places,
        reference,
        outcome,
        accepted,
    } = judged;
    lines.gap();
    let head = lines.paint(paint, standing);
    let id = lines.paint(Paint::Head, id);
    lines.line(&format!("{head}  {dialect}  {id}  {}, level {level}", severity.name()));
    lines.labelled(4, "rule", LABEL, rule);
    let mut label = "specification";
    for place in places {
        lines.labelled(4, label, LABEL, place);
        label = "";
    }
    lines.labelled(4, "right answer", LABEL, reference);
    if let Some(Accepted { reason, expires }) = accepted {
        lines.labelled(4, "accepted", LABEL, &format!("until {expires}: {reason}"));
    }
    let Outcome::Broken { findings } = outcome else { return };
    for Finding {
        agent,
        expected,
        got,
        curl,
    } in findings
    {
        lines.labelled(4, "agent", LABEL, agent);
        lines.labelled(6, "expected", LABEL - 2, expected);
        lines.labelled(6, "came", LABEL - 2, got);
        let mut label = "see it";
        for line in curl {
            lines.labelled_whole(6, label, LABEL - 2, line);
            label = "";
        }
    }
}

fn closing(lines: &mut Lines, report: &Report) {
    lines.gap();
    for fault in &report.baseline_faults {
        let head = lines.paint(Paint::Bad, "baseline");
        lines.line(&format!("{head}  {}", lines.paint(Paint::Head, &fault.entry)));
        lines.words(4, &fault.fault);
    }
    lines.gap();
    for difference in &report.differences {
        let head = lines.paint(Paint::Bad, "another result");
        lines.beside(&format!("{head}  "), 16, difference);
    }
    lines.gap();
    if let Some(reason) = &report.cut_short {
        let head = lines.paint(Paint::Doubt, "cut short");
        lines.beside(
            &format!("{head}  "),
            11,
            &format!("ended by {reason}; what follows is what was known by then"),
        );
    }
    if let Some(reason) = &report.unreachable {
        let head = lines.paint(Paint::Bad, "unreachable");
        lines.beside(&format!("{head}  "), 13, reason);
    } else if report.verdicts.is_empty() {
        let head = lines.paint(Paint::Doubt, "nothing ran");
        lines.line(&format!("{head}  it was not yet known what the agents speak"));
    }
    for verdict in &report.verdicts {
        let Verdict {
            dialect,
            level,
            conclusion,
            ..
        } = verdict;
        let paint = match conclusion {
            Conclusion::Conformant => Paint::Good,
            Conclusion::Partial => Paint::Doubt,
            Conclusion::NotConformant => Paint::Bad,
        };
        let words = format!("{:<14}", conclusion.words());
        let words = lines.paint(paint, &words);
        let (dialect, level) = (dialect.name(), level.name());
        let first = format!("{dialect:<8}  level {level:<7}  {words}  ");
        // A number stays beside what it counts.
        let tally = tally(verdict).replace(' ', "\u{a0}").replace(";\u{a0}", "; ");
        lines.beside(&first, 41, &tally);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::report::visible::is_unseen;

    #[test]
    fn a_report_reads_like_this() {
        let expected = "\
agents  http://127.0.0.1:8000
run     2026-01-02T03:04:05Z, took 1.2 s, spec-tests 0.0.0

not looked at  unstable
    because        GET /api/unstable/info/node is answered with 404
    agents         http://127.0.0.1:8000

not asked for  v1  1 check
    because        it takes more than one agent: --agent URL --agent URL
    checks         cluster.id (MUST)

not run  v1  1 check
    because        GET /api/v1/info/store has no good answer
    checks         store.cluster_id (MUST)

accepted  v1  node.agent_version  SHOULD, level read
    rule           a rule, in our words
    specification  Agents > Attributes, row `a`
    right answer   docs/wire.md#the-node
    accepted       until 2026-12-31: mended in 2.1
    agent          http://127.0.0.1:8000
      expected     one of the seven
      came         \"WELL\"
      see it       curl -i 'http://127.0.0.1:8000/api/v1/info/node'

broken  v1  node.status  MUST, level read
    rule           a rule, in our words
    specification  Agents > Attributes, row `a`
    right answer   docs/wire.md#the-node
    agent          http://127.0.0.1:8000
      expected     one of the seven
      came         \"WELL\"
      see it       curl -i 'http://127.0.0.1:8000/api/v1/info/node'

baseline  info.prompt of v1
    it is not needed: the check holds

another result  run 2 differs from the first: v1 node.id: held, then broken

cut short  ended by Ctrl-C; what follows is what was known by then
v1        level read     not conformant  2 held; broken: 1 MUST; 1 accepted; 1 not run (1 MUST);
                                         1 not asked for
";
        assert_eq!(text(&sample::every(), false), expected);
    }

    #[test]
    fn a_run_that_came_to_nothing_says_why() {
        let text = text(&sample::unreachable(), false);
        assert!(text.ends_with("\nunreachable  the agent at http://127.0.0.1:8000 cannot be asked: no connection\n"));
        assert!(!text.contains("nothing ran"), "{text}");
    }

    #[test]
    fn colour_is_there_only_where_asked_for() {
        let colour = text(&sample::every(), true);
        assert!(colour.contains("\x1b[31;1mbroken\x1b[0m"), "{colour}");
        let mut plain = colour;
        for code in ["32", "33", "31;1", "1", "2", "0"] {
            plain = plain.replace(&format!("\x1b[{code}m"), "");
        }
        assert_eq!(plain, text(&sample::every(), false));
    }

    #[test]
    fn no_agent_steers_a_terminal() {
        let text = text(&sample::hostile(), false);
        assert!(!text.contains(|c| c != '\n' && is_unseen(c)), "{text:?}");
        let curl = |line: &&str| !line.trim_start().starts_with("see it");
        assert!(
            text.lines().filter(curl).all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }
}

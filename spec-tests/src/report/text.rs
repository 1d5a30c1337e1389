//! For people, on a terminal or in a log.

use std::fmt::Write;

use crate::verdict::{Finding, Judged, Outcome, Report};

/// The report as text; `colour` where a terminal shows it.
pub fn text(report: &Report, colour: bool) -> String {
    let mut text = String::new();
    // A string takes whatever is written to it.
    let _: std::fmt::Result = write(&mut text, report, colour);
    text
}

fn write(text: &mut String, report: &Report, colour: bool) -> std::fmt::Result {
    let paint = |code: &str, words: &str| {
        if colour {
            format!("\x1b[{code}m{words}\x1b[0m")
        } else {
            words.to_owned()
        }
    };
    for judged in &report.checks {
        let Judged {
            id,
            rule,
            severity,
            level: _,
            dialect,
            places,
            reference,
            outcome,
        } = judged;
        match outcome {
            Outcome::Held { .. } | Outcome::Idle { .. } | Outcome::NotAsked { .. } => {}
            Outcome::NotRun { reason } => {
                writeln!(
                    text,
                    "{} {dialect} {id} ({}): {reason}",
                    paint("33", "not run"),
                    severity.name()
                )?;
            }
            Outcome::Broken { findings } => {
                writeln!(
                    text,
                    "{} {dialect} {id} ({}): {rule}",
                    paint("31;1", "broken "),
                    severity.name()
                )?;
                for place in places {
                    writeln!(text, "    specification: {place}")?;
                }
                writeln!(text, "    right answer:  {reference}")?;
                for Finding {
                    agent,
                    expected,
                    got,
                    curl,
                } in findings
                {
                    writeln!(
                        text,
                        "    at {agent}\n      expected: {expected}\n      came:     {got}"
                    )?;
                    for line in curl {
                        writeln!(text, "      see it:   {line}")?;
                    }
                }
            }
        }
    }
    if let Some(reason) = &report.cut_short {
        writeln!(text, "{}: ended by {reason}", paint("33", "cut short"))?;
    }
    for verdict in &report.verdicts {
        writeln!(text, "{verdict}")?;
    }
    Ok(())
}

//! Commands that need no running agent.

use super::args::{Args, ConfigCommand, command};
use super::connect::file;
use super::output::{Console, printable, rows};
use super::program::FindingDocument;
use super::{Exit, Failure, Finding, Outcome, Program};

/// `run`.
pub(super) fn run(program: &dyn Program, args: &Args) -> Result<Exit, Failure> {
    program.run(&file(args, program)?).map(|()| Exit::Done)
}

/// `check`. The exit code is that of what is wrong, or [`Exit::Failed`] when several different things are.
pub(super) fn check(program: &dyn Program, args: &Args, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let findings = program.check(&file(args, program)?);
    if args.json {
        console.document(&findings.iter().map(FindingDocument::from).collect::<Vec<_>>())?;
    } else {
        let mut table = rows(["CHECKED", "IS", "DETAIL"]);
        for Finding {
            subject,
            outcome,
            detail,
        } in &findings
        {
            table.add_row([printable(subject), outcome.name().to_owned(), printable(detail)]);
        }
        console.table(table)?;
    }
    let mut wrong = findings.iter().filter_map(|finding| match finding.outcome {
        Outcome::Bad(exit) => Some(exit),
        Outcome::Ok | Outcome::Warning => None,
    });
    let first = wrong.next().unwrap_or(Exit::Done);
    Ok(if wrong.all(|other| other == first) {
        first
    } else {
        Exit::Failed
    })
}

/// `config example` and `config schema`.
pub(super) fn config(program: &dyn Program, which: &ConfigCommand, console: &mut Console<'_>) -> Result<Exit, Failure> {
    match which {
        ConfigCommand::Example => console.say(&program.example())?,
        ConfigCommand::Schema => console.document(&program.schema())?,
    }
    Ok(Exit::Done)
}

/// `completions`.
pub(super) fn completions(
    program: &dyn Program,
    shell: clap_complete::Shell,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(program), program.name(), &mut script);
    console.say(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

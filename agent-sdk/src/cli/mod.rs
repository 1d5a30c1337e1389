//! The command line that every vendor's agent has.
//!
//! It talks to a running agent over HTTP only: what it can do, any client can. The two commands that *are* the agent, `run`
//! and `check`, are the [`Program`]'s. Answers go to standard output, as tables or, with `--json`, for programs; everything
//! else goes to standard error. The exit code tells the outcome ([`Exit`]).

mod actions;
mod args;
mod connect;
mod exit;
mod local;
mod output;
mod program;
mod schedule;
mod show;
#[cfg(test)]
mod tests;
mod watch;

pub use exit::Exit;
pub use program::{Endpoint, Failure, Finding, Outcome, Program};

use std::ffi::OsString;
use std::io::IsTerminal;

use args::Command;
use output::Console;

/// Runs the command line of this process to its end.
pub fn main(program: &dyn Program) -> std::process::ExitCode {
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colour = out.is_terminal() && !plain;
    let live = err.is_terminal();
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        colour,
        live,
    };
    execute(program, std::env::args_os(), &mut console).into()
}

/// The same with everything given.
fn execute(program: &dyn Program, line: impl IntoIterator<Item = OsString>, console: &mut Console<'_>) -> Exit {
    let parsed = match args::parse(program, line) {
        Ok(parsed) => parsed,
        Err(error) => return console.usage(&error),
    };
    let outcome = match &parsed.command {
        Command::Run => local::run(program, &parsed),
        Command::Check => local::check(program, &parsed, console),
        Command::Config(which) => local::config(program, which, console),
        Command::Completions { shell } => local::completions(program, *shell, console),
        Command::Node => show::node(&parsed, program, console),
        Command::Shards => show::shards(&parsed, program, console),
        Command::Actions(which) => actions::actions(&parsed, which, program, console),
    };
    outcome.unwrap_or_else(|failure| console.failure(&failure))
}

//! The command line: what a person types, and what exit codes mean.
//!
//! Standard output has what was asked for and nothing else; all that is said besides, progress and faults, is on standard
//! error. Nothing is asked of an agent before the whole command line was found to make sense.

mod checks;
mod duration;
mod exit;
mod options;
mod order;
mod outputs;
mod progress;
mod repeat;
mod run;
mod secret;
mod stop;

pub use exit::Exit;

use std::fs;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::{manifest, report};

/// Says whether an agent keeps the specification: any agent, in any language, over HTTP.
#[derive(Debug, Parser)]
#[command(name = "spec-tests", version, max_term_width = 100, after_help = EXITS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Looks at one agent, or at those of a cluster, and says what it found.
    #[command(after_help = EXITS, override_usage = USAGE)]
    Run(Box<options::Run>),
    /// Lists all checks.
    List,
    /// Explains one check.
    Explain {
        /// Its id, as `list` and reports have it.
        id: String,
    },
    /// Compares the suite with a copy of the specification, both ways; exit code 1 where one has what the other has not
    Coverage {
        /// The copy, in Markdown.
        #[arg(long, value_name = "FILE")]
        specification: PathBuf,
    },
    /// Writes the JSON Schema of `--report json=FILE`.
    Schema,
    /// Writes a script that completes this command line in a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

const USAGE: &str = "spec-tests run [OPTIONS] URL
       spec-tests run [OPTIONS] --agent URL --agent URL...";

const EXITS: &str = "Exit codes: 0 conformant; 1 a rule is broken; 2 the command line makes no sense; 3 an agent cannot be asked; \
                     4 a fault in the suite; 5 incomplete, or nothing ran";

/// The whole program.
pub fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    ExitCode::from(guarded(|| dispatch(command)).code())
}

fn dispatch(command: Command) -> Exit {
    match command {
        Command::Run(options) => run::run(*options),
        Command::List => print(&checks::list()),
        Command::Explain { id } => match checks::explain(&id) {
            Ok(text) => print(&text),
            Err(fault) => {
                say(&fault);
                Exit::Usage
            }
        },
        Command::Coverage { specification } => coverage(&specification),
        Command::Schema => match report::schema() {
            Ok(text) => print(&text),
            Err(fault) => {
                say(&fault.to_string());
                Exit::Fault
            }
        },
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "spec-tests", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
    }
}

fn coverage(path: &Path) -> Exit {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(fault) => {
            say(&format!(
                "--specification {}: it cannot be read: {fault}",
                path.display()
            ));
            return Exit::Usage;
        }
    };
    let (told, is_whole) = manifest::coverage(&text);
    match print(&told) {
        Exit::Conformant if !is_whole => Exit::NotConformant,
        exit => exit,
    }
}

/// A panic is the suite's fault and no verdict on an agent, so it does not end as one.
fn guarded(run: impl FnOnce() -> Exit) -> Exit {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        say("a fault in the suite itself, which says nothing of any agent; please report it with what stands above");
        Exit::Fault
    })
}

/// Writes what was asked for to standard output. Who reads only its beginning has what they wanted.
fn print(text: &str) -> Exit {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(fault) if fault.kind() != io::ErrorKind::BrokenPipe => {
            say(&format!("standard output cannot be written: {fault}"));
            Exit::Fault
        }
        _ => Exit::Conformant,
    }
}

/// Says something to who watches.
fn say(words: &str) {
    // Where even this cannot be written, nobody watches.
    drop(writeln!(io::stderr(), "spec-tests: {}", report::visible(words)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_panic_is_the_suites_own_fault() {
        assert_eq!(guarded(|| panic!("a check went wrong")), Exit::Fault);
        assert_eq!(guarded(|| Exit::Incomplete), Exit::Incomplete);
    }
}

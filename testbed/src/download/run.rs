//! Runs a program that fetches something: no terminal, its output read line by line.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use super::Error;
use super::error::failed;

/// Lines of output that an error shows at most.
pub(super) const SHOWN: usize = 12;

/// Runs it to its end. Both outputs come as one: what a launcher itself complains about belongs to the error too.
pub(super) fn run(mut command: Command, mut line: impl FnMut(String)) -> Result<ExitStatus, Error> {
    let program = PathBuf::from(command.get_program());
    let (output, writer) = std::io::pipe().map_err(failed("could not make a pipe for", &program))?;
    let copy = writer
        .try_clone()
        .map_err(failed("could not make a pipe for", &program))?;
    let child = command.stdin(Stdio::null()).stdout(writer).stderr(copy).spawn();
    // It holds our ends of the pipe, which would never come to its end.
    drop(command);
    let mut child = child.map_err(failed("could not run", &program))?;
    BufReader::new(output).lines().map_while(Result::ok).for_each(&mut line);
    child.wait().map_err(failed("could not wait for", &program))
}

/// The end of an output.
pub(super) fn last(lines: &[String]) -> String {
    lines[lines.len().saturating_sub(SHOWN)..].join("\n")
}

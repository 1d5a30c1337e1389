//! `run`: looks, reports, and ends with what follows from it.

use std::time::Instant;

use super::options;
use super::order::Order;
use super::progress::Progress;
use super::repeat::differences;
use super::stop::Stop;
use super::{Exit, say};
use crate::gather;
use crate::suite::{Settings, Suite, SuiteError};
use crate::verdict::{Level, Report};

/// The whole command.
pub(super) fn run(options: options::Run) -> Exit {
    let order = match Order::try_from(options) {
        Ok(order) => order,
        Err(fault) => {
            say(&fault.to_string());
            return Exit::Usage;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => {
            say(&format!("no runtime: {fault}"));
            return Exit::Fault;
        }
    };
    let exit = runtime.block_on(carry_out(order));
    // A resolver that does not come back is not waited for.
    runtime.shutdown_background();
    exit
}

async fn carry_out(order: Order) -> Exit {
    let Order {
        agents,
        settings,
        repeat,
        baseline,
        outputs,
        colour,
        quiet,
    } = order;
    let stop = match Stop::listen() {
        Ok(stop) => stop,
        Err(fault) => {
            say(&format!("signals cannot be listened for: {fault}"));
            return Exit::Fault;
        }
    };
    for line in announced(&settings, agents.len(), repeat) {
        say(&line);
    }
    let suite = Suite::new(agents, settings);
    let mut report = match Box::pin(repeated(&suite, repeat, quiet, &stop)).await {
        Ok(report) => report,
        Err(fault) => {
            say(&fault.to_string());
            return Exit::Usage;
        }
    };
    // Of a run that came to nothing no entry is as things are.
    if let Some(baseline) = baseline.filter(|_| report.unreachable.is_none()) {
        baseline.apply(&mut report);
    }
    let written = outputs.write(&report, colour).err().unwrap_or_default();
    for fault in written.iter().chain(&report.differences).chain(&report.unreachable) {
        say(fault);
    }
    if written.is_empty() {
        Exit::of(&report)
    } else {
        Exit::Fault
    }
}

/// What is said before anything is written: which is never done without.
fn announced(settings: &Settings, agents: usize, repeat: u32) -> Vec<String> {
    let mut lines = Vec::new();
    for level in Level::ALL.into_iter().filter(|level| *level <= settings.level) {
        if let Some(writes) = gather::writes(level) {
            lines.push(format!(
                "level {level} will write, on each agent and in each dialect: {writes}"
            ));
        }
    }
    if let Some(node) = &settings.absent_node {
        lines.push(format!(
            "--cluster-actions will ask each agent, in each dialect, to remove the node {node:?} from its cluster, twice"
        ));
    }
    if settings.crash.is_some() {
        lines.push("--kill-command and --restart-command will be run once for each agent and dialect".to_owned());
    }
    if !lines.is_empty() && agents > 1 {
        lines.push(format!("there are {agents} agents"));
    }
    if !lines.is_empty() && repeat > 1 {
        lines.push(format!("--repeat will do all of it {repeat} times"));
    }
    lines
}

/// The first report, with how later ones differ from it. A run that was cut short is the last one.
///
/// **Errors**: where the order makes no sense of these agents.
async fn repeated(suite: &Suite, times: u32, quiet: bool, stop: &Stop) -> Result<Report, SuiteError> {
    let mut first: Option<Report> = None;
    for time in 1..=times {
        let progress = Progress::new(quiet);
        let told = |what: &str| match times {
            1 => progress.now(what),
            _ => progress.now(&format!("run {time} of {times}: {what}")),
        };
        let began = Instant::now();
        let run = Box::pin(suite.run(told, stop.asked())).await;
        drop(progress);
        let later = match run {
            Ok(report) => report,
            Err(error @ (SuiteError::Unreachable { .. } | SuiteError::NoDialect { .. })) => {
                suite.failed(&error, began.elapsed())
            }
            Err(error @ (SuiteError::Twice { .. } | SuiteError::NoAgent | SuiteError::PresentNode { .. })) => {
                return Err(error);
            }
        };
        let is_last = later.cut_short.is_some() || later.unreachable.is_some();
        match &mut first {
            None => first = Some(later),
            // What the first has found stays found.
            Some(first) if later.cut_short.is_some() => {
                let reason = later.cut_short.unwrap_or_default();
                first.cut_short = Some(format!("{reason}, in run {time} of {times}"));
            }
            Some(first) => {
                let differences = differences(first, &later);
                first.differences.extend(
                    differences
                        .iter()
                        .map(|difference| format!("run {time} differs from the first: {difference}")),
                );
            }
        }
        if is_last {
            break;
        }
    }
    // There is at least one: the command line asks for it.
    first.ok_or(SuiteError::NoAgent)
}

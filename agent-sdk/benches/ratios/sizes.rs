//! P8: what an agent costs that has nothing to do.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::load::{self, Line};
use crate::report::{Figure, Target};
use crate::rounds::median;
use crate::{Plan, progress};

/// How long an agent is left alone before it counts as idle.
const SETTLE: Duration = Duration::from_secs(2);

/// Starts that the first answer is timed over.
const STARTS: usize = 9;

/// The idle agent: its wake-ups, what it holds, what it weighs, how soon it answers.
pub(crate) fn idle(plan: &Plan) -> anyhow::Result<Vec<Figure>> {
    progress("P8: starts");
    let runtime = load::runtime()?;
    let mut first_answers = Vec::new();
    for _ in 0..STARTS {
        let directory = plan.directory()?;
        let begun = Instant::now();
        let agent = plan.agent(directory.path())?;
        runtime.block_on(answered(agent.address))?;
        first_answers.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    progress("P8: an idle agent");
    let directory = plan.directory()?;
    let agent = plan.agent(directory.path())?;
    runtime.block_on(answered(agent.address))?;
    std::thread::sleep(SETTLE);
    let before = wake_ups(agent.process.id())?;
    let begun = Instant::now();
    std::thread::sleep(Duration::from_secs(plan.seconds.max(1)));
    let woken = wake_ups(agent.process.id())?.saturating_sub(before);
    let per_second = u32::try_from(woken).map_or(f64::NAN, f64::from) / begun.elapsed().as_secs_f64();
    let resident = status(agent.process.id(), "VmRSS:")?;
    let binary = fs::metadata(&plan.agent)?.len();
    let mebibytes = |bytes: u64| u32::try_from(bytes >> 10).map_or(f64::NAN, f64::from) / 1024.0;
    Ok(vec![
        Figure::alone("P8", "wake-ups, whole process", per_second, "/s", Target::AtMost(5.0))
            .noting("voluntary context switches of all threads; timers of ours: none"),
        Figure::alone("P8", "resident", mebibytes(resident << 10), "MiB", Target::AtMost(15.0)),
        Figure::alone("P8", "binary", mebibytes(binary), "MiB", Target::AtMost(12.0))
            .noting("the toy store's agent, its command line included"),
        Figure::alone("P8", "first answer", median(first_answers), "ms", Target::AtMost(100.0))
            .noting("from the start of the process, on a state directory that has to be made; median"),
    ])
}

async fn answered(address: SocketAddr) -> anyhow::Result<()> {
    let mut line = Line::open(address).await?;
    line.expect(200, &load::get("/readyz")).await?;
    Ok(())
}

/// How often the threads of a process have given up the processor by themselves, each of which a wake-up follows.
fn wake_ups(process: u32) -> anyhow::Result<u64> {
    let mut all = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        all += number(&status, "voluntary_ctxt_switches:")?;
    }
    Ok(all)
}

/// A number of a process's status.
fn status(process: u32, name: &str) -> anyhow::Result<u64> {
    number(&fs::read_to_string(format!("/proc/{process}/status"))?, name)
}

fn number(status: &str, name: &str) -> anyhow::Result<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name));
    let value = value.with_context(|| format!("no {name} of a process"))?;
    Ok(value.trim().trim_end_matches(" kB").parse()?)
}

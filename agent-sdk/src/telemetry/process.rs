//! What the system knows of this process, read from `/proc` when metrics are asked for.
//!
//! The names are those that Prometheus' own client libraries give them. On a system without `/proc` they are left out.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Ticks per second in `/proc`: 100 on every architecture that is in use.
const TICKS: f64 = 100.0;

/// This process.
#[derive(Debug)]
pub(super) struct Process {
    /// Seconds since 1970. It does not change, so it is read once.
    started: Option<f64>,
}

struct Reading {
    cpu_seconds: f64,
    threads: i64,
    resident_bytes: i64,
    open_fds: i64,
}

impl Process {
    pub(super) fn new() -> Self {
        Self { started: started() }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        if let Some(started) = self.started {
            let gauge = ConstGauge::new(started);
            let help = "When the process started, in seconds since 1970.";
            gauge.encode(encoder.encode_descriptor(
                "process_start_time_seconds",
                help,
                None,
                gauge.metric_type(),
            )?)?;
        }
        let Some(Reading {
            cpu_seconds,
            threads,
            resident_bytes,
            open_fds,
        }) = read()
        else {
            return Ok(());
        };
        let counter = ConstCounter::new(cpu_seconds);
        let help = "Processor time that the process has used.";
        counter.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, counter.metric_type())?)?;
        for (name, help, value) in [
            (
                "process_resident_memory_bytes",
                "Memory of the process that is in RAM.",
                resident_bytes,
            ),
            ("process_open_fds", "Open file descriptors.", open_fds),
            ("process_threads", "Threads.", threads),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// The fields of `/proc/self/stat` behind the program's name, which may hold anything.
fn stat() -> Option<Vec<String>> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

fn read() -> Option<Reading> {
    let stat = stat()?;
    let field = |index: usize| stat.get(index)?.parse::<f64>().ok();
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let of_status = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<i64>().ok()
    };
    Some(Reading {
        cpu_seconds: (field(11)? + field(12)?) / TICKS,
        threads: of_status("Threads:")?,
        resident_bytes: of_status("VmRSS:")? * 1024,
        // The directory that is being read is open as well, and is not counted.
        open_fds: i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count())
            .ok()?
            .saturating_sub(1),
    })
}

fn started() -> Option<f64> {
    let since_boot = stat()?.get(19)?.parse::<f64>().ok()? / TICKS;
    let system = fs::read_to_string("/proc/stat").ok()?;
    let booted = system
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse::<f64>()
        .ok()?;
    Some(booted + since_boot)
}

//! What `run` takes, as it is typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ColorChoice};

use super::duration;
use super::outputs::Wanted;
use crate::dialect::Dialect;
use crate::verdict::Level;

/// All of it. What one option asks of another is seen to by [`super::order`], but for what only `clap` can say; and so are
/// addresses, since `clap` repeats what it does not take, a password included.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Address of the agent, as `http://127.0.0.1:8000`, `https` where it serves that, with a path before `/api` where it has one
    #[arg(value_name = "URL", required_unless_present = "agent", conflicts_with = "agent")]
    pub(super) address: Option<String>,
    /// Address of an agent; given again for each one of a cluster
    #[arg(long, value_name = "URL")]
    pub(super) agent: Vec<String>,
    /// How deep to go: `read` changes nothing, `actions` schedules actions of the kinds test.*, `stress` adds load
    #[arg(long, value_enum, default_value = "read")]
    pub(super) level: Level,
    /// Insists on a dialect, which is looked at whether it is there or not; may be given again
    #[arg(long, value_enum)]
    pub(super) dialect: Vec<Dialect>,
    /// How long to look again and again for what must not change, as 30s
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration::parse)]
    pub(super) observe: Duration,
    /// Runs it N times; verdicts that differ are exit code 4
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) repeat: u32,

    /// The longest that one answer may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration::parse_some, help_heading = BOUNDS)]
    pub(super) timeout: Duration,
    /// The longest that each run may take; what is known by then is reported
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration::parse_some, help_heading = BOUNDS)]
    pub(super) deadline: Duration,

    /// File with the bearer token that goes with each request; given once, or once for each agent in their order. Without it
    /// the variable `SPEC_TESTS_TOKEN` is looked at
    #[arg(long, value_name = "FILE", help_heading = ACCESS)]
    pub(super) token_file: Vec<PathBuf>,
    /// Header that goes with each request, and that lists of processes show; secret ones go into --header-file. May be given again
    #[arg(long, value_name = "NAME: VALUE", help_heading = ACCESS)]
    pub(super) header: Vec<String>,
    /// File with such headers, one a line. May be given again
    #[arg(long, value_name = "FILE", help_heading = ACCESS)]
    pub(super) header_file: Vec<PathBuf>,
    /// PEM file with the certificates of those whom to trust, for addresses that begin with `https`
    #[arg(long, value_name = "FILE", help_heading = ACCESS)]
    pub(super) ca_file: Option<PathBuf>,
    /// PEM file with the certificate that is shown to the agent
    #[arg(long, value_name = "FILE", requires_all = ["client_key", "ca_file"], help_heading = ACCESS)]
    pub(super) client_certificate: Option<PathBuf>,
    /// PEM file with its key
    #[arg(long, value_name = "FILE", requires = "client_certificate", help_heading = ACCESS)]
    pub(super) client_key: Option<PathBuf>,

    /// Kills the agent without a warning; run by `sh -c`, with the agent's address in `SPEC_TESTS_AGENT`
    #[arg(long, value_name = "COMMAND", requires = "restart_command", help_heading = CHANGES)]
    pub(super) kill_command: Option<String>,
    /// Starts the agent again, and ends; run as the other
    #[arg(long, value_name = "COMMAND", requires = "kill_command", help_heading = CHANGES)]
    pub(super) restart_command: Option<String>,
    /// Removes a node that is not there, twice: the only thing that is ever asked of a cluster
    #[arg(long, requires = "absent_node", help_heading = CHANGES)]
    pub(super) cluster_actions: bool,
    /// Which node, in the store's own form
    #[arg(long, value_name = "ID", requires = "cluster_actions", help_heading = CHANGES)]
    pub(super) absent_node: Option<String>,

    /// Writes a report: text, json, junit or html, to a file, or with - to standard output. May be given again
    #[arg(long, value_name = "FORMAT=FILE", help_heading = REPORTS)]
    pub(super) report: Vec<Wanted>,
    /// YAML or JSON file of known failures that are accepted for a time
    #[arg(long, value_name = "FILE", help_heading = REPORTS)]
    pub(super) baseline: Option<PathBuf>,
    /// Whether text is coloured; `auto` is on a terminal, unless `NO_COLOR` is set
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = REPORTS)]
    pub(super) color: ColorChoice,
    /// Says nothing of progress, and no text but that of --report
    #[arg(long, short, help_heading = REPORTS)]
    pub(super) quiet: bool,
}

const BOUNDS: &str = "Bounds";
const ACCESS: &str = "Access";
const CHANGES: &str = "What is done only when asked for";
const REPORTS: &str = "Reports";

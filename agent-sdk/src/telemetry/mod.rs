//! What the agent tells of itself: logs, metrics, traces.

mod install;
mod metrics;
mod process;
#[cfg(test)]
mod tests;
mod text;
mod traces;

pub use install::{Telemetry, TelemetryError, install};
pub use metrics::{Build, LedgerGauges, Metrics, Observation, Outcome};
pub(crate) use traces::{action_span, answered};
pub use traces::{continue_trace, traceparent};

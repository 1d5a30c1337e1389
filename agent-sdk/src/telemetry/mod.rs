//! What the agent tells of itself: logs, metrics, traces.

mod logs;
mod metrics;

pub use logs::{LogFilter, LogFilterError};
pub use metrics::{Metrics, Observation, Outcome};

//! What the agent tells of itself: logs, metrics, traces.

mod metrics;

pub use metrics::{Metrics, Observation, Outcome};

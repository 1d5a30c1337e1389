//! What the agent tells of itself: logs, metrics, traces.

mod logs;
mod metrics;

pub use logs::{LogFilter, LogFilterError};
pub use metrics::{Metrics, Observation, Outcome};

use crate::spec::Record;

/// The span of one action, from its first attempt in this process to its end.
pub(crate) fn action_span(record: &Record) -> tracing::Span {
    tracing::info_span!("action", id = %record.id, kind = %record.kind)
}

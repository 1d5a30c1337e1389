//! One deadline for all that a call does: connecting, logging in, asking and reading.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::error::{Awaiting, Fault};

/// When a call has to be over, on the monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    within: Duration,
}

impl Deadline {
    /// From now on.
    pub fn after(within: Duration) -> Self {
        Self {
            at: Instant::now() + within,
            within,
        }
    }

    /// Waits for this, as part of the call. **Errors**: [`Fault::Silent`].
    pub(super) async fn bound<T>(self, awaiting: Awaiting, future: impl Future<Output = T>) -> Result<T, Fault> {
        let silent = Fault::Silent {
            awaiting,
            within: self.within,
        };
        timeout_at(self.at, future).await.map_err(|_| silent)
    }
}

//! What the clients of one run share: when it is over, and how much of answers it takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use super::Fault;

/// How much of one agent's answers a run takes, in bytes: some hundred times what an agent with ten thousand actions tells.
const MOST: usize = 256 * 1024 * 1024;

/// A run, as its clients see it.
#[derive(Debug, Clone, Default)]
pub struct Run {
    over: Arc<watch::Sender<bool>>,
}

/// How much one agent has told.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken(Arc<AtomicUsize>);

impl Run {
    /// From now on nothing is asked any more: every exchange ends with [`Fault::Over`], those under way included.
    pub fn end(&self) {
        self.over.send_replace(true);
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Returns once it is over.
    pub async fn over(&self) {
        let mut over = self.over.subscribe();
        // The sender is this one: it is there.
        drop(over.wait_for(|over| *over).await);
    }

    /// For so long, or until it is over.
    pub async fn rest(&self, length: Duration) {
        tokio::select! {
            biased;
            () = self.over() => {}
            () = tokio::time::sleep(length) => {}
        }
    }
}

impl Taken {
    /// Counts an answer's bytes.
    pub(super) fn count(&self, bytes: usize) -> Result<(), Fault> {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > MOST {
            return Err(Fault::TooMuch(MOST));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_is_taken_and_no_more() {
        let taken = Taken::default();
        assert_eq!(taken.count(MOST), Ok(()));
        assert_eq!(taken.count(1), Err(Fault::TooMuch(MOST)));
    }

    #[tokio::test]
    async fn nobody_rests_beyond_the_end() {
        let run = Run::default();
        run.end();
        run.rest(Duration::MAX).await;
        assert!(run.is_over());
    }
}

//! Patience with an agent that has no room just now, and with what others have asked of it.
//!
//! An agent that says "later" (429, 503, 507) is asked again, as it says. An action that others are ahead of is waited for
//! while anything moves. Both are bounded, and once waiting was in vain it is short, so that a run ends in time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::DateTime;

use crate::client::{Address, Answer, Client, Exchange, Request};

/// How often a request is made again that was told to come later.
const AGAIN: usize = 4;

/// What is waited where the answer does not say how long.
const SHORT: Duration = Duration::from_millis(300);

/// The longest that is waited for one answer, whatever it says.
const LONG: Duration = Duration::from_secs(5);

/// The longest that one agent is waited for in all, at one level of one dialect, because it says "later".
const MOST: Duration = Duration::from_secs(40);

/// How long is waited for what does not move, once that was in vain.
const TIRED: Duration = Duration::from_secs(1);

/// A client that has patience.
#[derive(Debug, Clone)]
pub(super) struct Patient {
    client: Client,
    /// When waiting for others ends, so that there is time left to judge.
    until: Instant,
    left: Arc<Mutex<Duration>>,
    tired: Arc<AtomicBool>,
}

impl Patient {
    pub(super) fn new(client: &Client, until: Instant) -> Self {
        Self {
            client: client.clone(),
            until,
            left: Arc::new(Mutex::new(MOST)),
            tired: Arc::default(),
        }
    }

    pub(super) const fn address(&self) -> &Address {
        self.client.address()
    }

    /// Asks, and again where the agent says "later".
    pub(super) async fn ask(&self, request: Request) -> Exchange {
        for _ in 0..AGAIN {
            let exchange = self.once(request.clone()).await;
            let wait = exchange.outcome.as_ref().ok().filter(|_| is_later(&exchange));
            let Some(wait) = wait.map(|answer| retry_after(answer).unwrap_or(SHORT).min(LONG)) else {
                return exchange;
            };
            if !self.spend(wait) {
                return exchange;
            }
            self.rest(wait).await;
        }
        self.once(request).await
    }

    /// Asks once, whatever the answer is.
    pub(super) async fn once(&self, request: Request) -> Exchange {
        self.client.ask(request).await
    }

    /// Sends bytes that may be no request at all.
    pub(super) async fn send(&self, request: Request, bytes: &[u8]) -> Exchange {
        self.client.send(request, bytes).await
    }

    /// For so long, or until the run is over.
    pub(super) async fn rest(&self, length: Duration) {
        self.client.run().rest(length).await;
    }

    /// Whether the run is over: then nothing is asked any more.
    pub(super) fn is_over(&self) -> bool {
        self.client.run().is_over()
    }

    /// How long to wait for something that does not move; nothing once the run is to end.
    pub(super) fn for_stillness(&self, usual: Duration) -> Duration {
        if self.is_over() || Instant::now() > self.until {
            Duration::ZERO
        } else if self.tired.load(Ordering::Relaxed) {
            usual.min(TIRED)
        } else {
            usual
        }
    }

    /// Waiting was in vain, or was not.
    pub(super) fn set_tired(&self, tired: bool) {
        self.tired.store(tired, Ordering::Relaxed);
    }

    /// Whether there is as much left to wait.
    fn spend(&self, wait: Duration) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = left.checked_sub(wait);
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }
}

/// Whether an agent asks to come later: it is busy, or full.
pub(crate) fn is_later(exchange: &Exchange) -> bool {
    let answer = exchange.outcome.as_ref();
    answer.is_ok_and(|answer| matches!(answer.status, 429 | 503 | 507))
}

/// When to come again, as `Retry-After` says: in so many seconds, or at a time by the agent's own clock.
pub(crate) fn retry_after(answer: &Answer) -> Option<Duration> {
    let after = answer.header("retry-after")?;
    if let Ok(seconds) = after.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = DateTime::parse_from_rfc2822(after).ok()?;
    let now = answer
        .header("date")
        .and_then(|now| DateTime::parse_from_rfc2822(now).ok());
    Some(now.map_or(SHORT, |now| (at - now).to_std().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_to_come_again_is_said_in_seconds_or_as_a_time() {
        let said = |headers: &[(&str, &str)]| {
            retry_after(&Answer {
                status: 429,
                headers: headers
                    .iter()
                    .map(|(name, value)| ((*name).into(), (*value).into()))
                    .collect(),
                body: Vec::new(),
            })
        };
        let at = ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(said(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(
            said(&[("date", "Sun, 06 Nov 1994 08:49:30 GMT"), at]),
            Some(Duration::from_secs(7))
        );
        assert_eq!(
            said(&[("date", "Sun, 06 Nov 1994 08:49:40 GMT"), at]),
            Some(Duration::ZERO)
        );
        assert_eq!(said(&[at]), Some(SHORT));
        assert_eq!(said(&[("retry-after", "soon")]), None);
        assert_eq!(said(&[]), None);
    }
}

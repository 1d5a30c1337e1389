//! Waiting for something outside this process, which sends no signal when it is ready.
//!
//! A server tells nobody that it serves now: somebody has to ask again. This is the only place that pauses; tests
//! never sleep themselves, they wait for a condition with a limit.

use std::time::{Duration, Instant};

/// Between two looks. Short beside what is waited for (a server needs one to two seconds), long enough to leave the
/// processor to it.
pub const PAUSE: Duration = Duration::from_millis(25);

/// Calls `look` until it finds something or `within` is over; always looks at least once.
///
/// `look` is told how much time is left, so that it can bound its own I/O. `Ok(None)`: the time is over.
pub fn until<T, E>(within: Duration, mut look: impl FnMut(Duration) -> Result<Option<T>, E>) -> Result<Option<T>, E> {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = look(end.saturating_duration_since(Instant::now()))? {
            return Ok(Some(found));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        std::thread::sleep(PAUSE.min(left));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn looks_once_even_without_time() {
        let found = until(Duration::ZERO, |_| Ok::<_, Infallible>(Some(7)));
        assert_eq!(found, Ok(Some(7)));
    }

    #[test]
    fn gives_up_when_the_time_is_over() {
        let found = until(Duration::from_millis(1), |_| Ok::<Option<()>, Infallible>(None));
        assert_eq!(found, Ok(None));
    }

    #[test]
    fn an_error_ends_the_waiting() {
        let found = until(Duration::from_secs(60), |_| Err::<Option<()>, _>("broken"));
        assert_eq!(found, Err("broken"));
    }
}

//! One call in flight for any number of callers.
//!
//! A thousand clients that poll at once cost the store one query, and a store that hangs holds one task, not a
//! thousand. Who comes shortly after its end is given its answer, too, as if the call had taken a little longer: what is
//! promised of an answer's age is counted from the call's beginning in either case. A call belongs to the *epoch* in which it began: who asks in a later epoch (an action has finished since)
//! does not join it, but waits for its end and begins a call anew, so that who reads after `DONE` sees what was done.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

/// The place for one kind of call.
pub(super) struct Flight<T> {
    current: Mutex<Option<Call<T>>>,
    runtime: Handle,
    /// For how long after its beginning a call answers who asks.
    reuse: Duration,
}

struct Call<T> {
    epoch: u64,
    began: Instant,
    answer: watch::Receiver<Option<T>>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The caller's patience is over.
    Deadline,
    /// The call ended without one.
    Panicked,
}

/// What a caller does next.
enum Turn<T> {
    /// Has it already.
    Known(T),
    /// Waits for this call's answer.
    Join(watch::Receiver<Option<T>>),
    /// Waits for the end of a call of an earlier epoch.
    Await(watch::Receiver<Option<T>>),
}

impl<T: Clone + Send + Sync + 'static> Flight<T> {
    /// Calls are run on `runtime`, apart from the callers' own.
    pub(super) fn new(runtime: Handle, reuse: Duration) -> Self {
        Self {
            current: Mutex::new(None),
            runtime,
            reuse,
        }
    }

    /// The answer of the call that is in flight, or of the one that this begins.
    ///
    /// The call itself is not ended by a caller who leaves; it has to bound itself.
    pub(super) async fn answer<C, F>(&self, epoch: u64, patience: Duration, call: C) -> Result<T, NoAnswer>
    where
        C: Fn() -> F + Send,
        F: Future<Output = T> + Send + 'static,
    {
        let first = match self.turn(epoch, &call) {
            Turn::Known(value) => return Ok(value),
            first => first,
        };
        tokio::time::timeout(patience, async {
            let mut turn = first;
            loop {
                match turn {
                    Turn::Known(value) => return Ok(value),
                    Turn::Join(mut answer) => {
                        let answer = answer
                            .wait_for(Option::is_some)
                            .await
                            .ok()
                            .and_then(|answer| answer.clone());
                        return answer.ok_or(NoAnswer::Panicked);
                    }
                    // An error says that the call has ended without an answer: an end all the same.
                    Turn::Await(mut answer) => drop(answer.wait_for(Option::is_some).await),
                }
                turn = self.turn(epoch, &call);
            }
        })
        .await
        .unwrap_or(Err(NoAnswer::Deadline))
    }

    fn turn<C, F>(&self, epoch: u64, call: &C) -> Turn<T>
    where
        C: Fn() -> F,
        F: Future<Output = T> + Send + 'static,
    {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = current.as_ref() {
            let same_epoch = last.epoch >= epoch;
            if in_flight(&last.answer) {
                let answer = last.answer.clone();
                return if same_epoch {
                    Turn::Join(answer)
                } else {
                    Turn::Await(answer)
                };
            }
            if same_epoch
                && last.began.elapsed() < self.reuse
                && let Some(value) = last.answer.borrow().clone()
            {
                return Turn::Known(value);
            }
        }
        let (sender, answer) = watch::channel(None);
        let running = call();
        let runtime = self.runtime.clone();
        tokio::spawn(async move {
            // The store is asked once the caller's thread has nothing else to do: who was given the last answer, and asks again
            // at once, shares this call instead of needing the next.
            tokio::task::yield_now().await;
            runtime.spawn(async move {
                let value = running.await;
                sender.send_replace(Some(value));
            });
        });
        *current = Some(Call {
            epoch,
            began: Instant::now(),
            answer: answer.clone(),
        });
        Turn::Join(answer)
    }
}

/// Unanswered, and still able to be answered.
fn in_flight<T>(answer: &watch::Receiver<Option<T>>) -> bool {
    answer.has_changed().is_ok() && answer.borrow().is_none()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    struct Counted {
        begun: AtomicUsize,
        gate: Semaphore,
    }

    async fn counted(store: Arc<Counted>) -> usize {
        let number = store.begun.fetch_add(1, Ordering::SeqCst) + 1;
        store.gate.acquire().await.unwrap().forget();
        number
    }

    fn setup() -> (Arc<Flight<usize>>, Arc<Counted>) {
        let store = Arc::new(Counted {
            begun: AtomicUsize::new(0),
            gate: Semaphore::new(0),
        });
        (Arc::new(Flight::new(Handle::current(), Duration::ZERO)), store)
    }

    #[tokio::test]
    async fn callers_of_one_epoch_share_a_call() {
        let (flight, store) = setup();
        let asking = || flight.answer(0, PATIENCE, || counted(store.clone()));
        let answers = tokio::join!(asking(), asking(), async {
            while store.begun.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            store.gate.add_permits(1);
        });
        assert_eq!((answers.0, answers.1), (Ok(1), Ok(1)));
        store.gate.add_permits(1);
        assert_eq!(asking().await, Ok(2), "an answered call is not in flight any more");
    }

    #[tokio::test]
    async fn nobody_joins_a_call_of_an_earlier_epoch() {
        let (flight, store) = setup();
        let old = {
            let (flight, store) = (flight.clone(), store.clone());
            tokio::spawn(async move { flight.answer(0, PATIENCE, || counted(store.clone())).await })
        };
        while store.begun.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let new = flight.answer(1, PATIENCE, || counted(store.clone()));
        store.gate.add_permits(2);
        assert_eq!(new.await, Ok(2));
        assert_eq!(old.await.unwrap(), Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hung_call_costs_each_caller_its_patience_and_the_store_one_call() {
        let (flight, store) = setup();
        for _ in 0..3 {
            assert_eq!(
                flight.answer(0, PATIENCE, || counted(store.clone())).await,
                Err(NoAnswer::Deadline)
            );
        }
        assert_eq!(store.begun.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_given_again_for_a_while_and_never_across_epochs() {
        let flight = Flight::new(Handle::current(), Duration::from_millis(5));
        let store = Arc::new(Counted {
            begun: AtomicUsize::new(0),
            gate: Semaphore::new(10),
        });
        let asking = async |epoch| flight.answer(epoch, PATIENCE, || counted(store.clone())).await;
        assert_eq!(asking(0).await, Ok(1));
        tokio::time::advance(Duration::from_millis(4)).await;
        assert_eq!(asking(0).await, Ok(1));
        assert_eq!(asking(1).await, Ok(2), "an action has finished since");
        tokio::time::advance(Duration::from_millis(5)).await;
        assert_eq!(asking(1).await, Ok(3), "its time is over");
    }

    #[tokio::test]
    async fn a_call_that_panics_is_no_answer_and_the_next_begins_anew() {
        let flight: Flight<usize> = Flight::new(Handle::current(), Duration::ZERO);
        let panicking = || async { panic!("a vendor's mistake") };
        assert_eq!(flight.answer(0, PATIENCE, panicking).await, Err(NoAnswer::Panicked));
        assert_eq!(flight.answer(0, PATIENCE, || async { 7 }).await, Ok(7));
    }
}

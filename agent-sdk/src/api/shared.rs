//! An answer that many are given is written once.
//!
//! Callers who poll at once share one look at the store, and with it the very value that was seen. Whoever is given the
//! value that the last one was given is given its text, too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::answer::Answer;
use super::problem::Problem;

/// The last value that was asked for, and its answer.
pub(super) struct Shared<T> {
    // A weak pointer keeps the value's place from being used for another, so that the same place means the same value.
    last: Mutex<Option<(Weak<T>, Answer)>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { last: Mutex::new(None) }
    }
}

impl<T> Shared<T> {
    /// The answer that shows this value, from `write` unless it is the value of before.
    pub(super) fn answer(
        &self,
        value: &Arc<T>,
        write: impl FnOnce(&T) -> Result<Answer, Problem>,
    ) -> Result<Answer, Problem> {
        let known = self.lock().as_ref().and_then(|(last, answer)| {
            let same = std::ptr::eq(last.as_ptr(), Arc::as_ptr(value));
            same.then(|| answer.clone())
        });
        if let Some(answer) = known {
            return Ok(answer);
        }
        let answer = write(value)?;
        *self.lock() = Some((Arc::downgrade(value), answer.clone()));
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Weak<T>, Answer)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_once_and_the_next_anew() {
        let shared = Shared::default();
        let written = std::cell::Cell::new(0);
        let ask = |value: &Arc<u32>| {
            let answer = shared.answer(value, |value| {
                written.set(written.get() + 1);
                Answer::json(value)
            });
            answer.unwrap();
            written.get()
        };
        let value = Arc::new(7);
        assert_eq!((ask(&value), ask(&value)), (1, 1));
        drop(value);
        assert_eq!(ask(&Arc::new(7)), 2);
    }
}

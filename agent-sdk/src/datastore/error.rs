//! What can go wrong when a store is asked.

use thiserror::Error;

/// Why a store gave no answer that can be shown. The three are told apart since their mends are: start the process,
/// give the agent its rights, look at what listens on that port.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Nobody answers: not running, hung, or cut off.
    #[error("the store cannot be reached: {0:#}")]
    Unreachable(#[source] anyhow::Error),
    /// The store answers and refuses: missing or wrong credentials, a command switched off.
    #[error("the store refuses: {0:#}")]
    Refused(#[source] anyhow::Error),
    /// What came is no answer of this store.
    #[error("the store's answer makes no sense: {0:#}")]
    Garbled(#[source] anyhow::Error),
}

impl StoreError {
    /// Nobody answers.
    pub fn unreachable(cause: impl Into<anyhow::Error>) -> Self {
        Self::Unreachable(cause.into())
    }

    /// The store answers and refuses.
    pub fn refused(cause: impl Into<anyhow::Error>) -> Self {
        Self::Refused(cause.into())
    }

    /// The answer is none of this store's.
    pub fn garbled(cause: impl Into<anyhow::Error>) -> Self {
        Self::Garbled(cause.into())
    }
}

//! Invocation records on SQLite: what was accepted, in which order, and what became of it.
//!
//! One thread owns the only connection that writes. It takes commands from a bounded channel and commits as many in one
//! transaction as wait for it (group commit), with a sync to the disk before anybody is answered. A few more connections
//! only read, one page at a time. The thread also hands the runner its next action: accepting and starting are one
//! transaction when nothing waits, and so are finishing one action and starting the next.
//!
//! What may always be relied on, and where it is kept:
//!
//! 1. what was acknowledged is on disk ([`Ledger::accept`]); 2. order is a number given inside the inserting transaction;
//! 3. one agent per state directory ([`StateDirectory`]), one `RUNNING` record (an index says so); 4. `RUNNING` is
//! committed before the runner hears of it; 5. steps are [`transition::next`]'s, and triggers in the schema say it
//! again; 6. ids are used once, the purged ones remembered; 7. `recovery` resumes or ends what ran; 8. what does not match
//! its digest fails alone; 10. history stays with its record, `retention` goes by count; 11. a full disk changes nothing
//! and a failed sync ends all; 12. `schema` refuses what it does not know; 13. a request to cancel is a step like any
//! other. (9 is the runner's.)

mod error;
mod page;
pub mod transition;

pub use error::{AcceptError, CancelError, OpenError, ReadError, Unlawful, WriteError};
pub use page::{Brief, Cursor, Page, Summary};
pub use transition::Step;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::spec::{KindName, Preconditions, Record, Requester, Timestamp};

/// What a client asks for, checked as far as it can be without the ledger.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The id that the client chose, or a new one.
    pub id: Uuid,
    /// Which action.
    pub kind: KindName,
    /// Its arguments in the text that came; none for null.
    pub args: Option<Box<RawValue>>,
    /// Kept for the client.
    pub headers: BTreeMap<String, String>,
    /// Who asks.
    pub requester: Requester,
    /// What must hold before the first attempt.
    pub preconditions: Option<Preconditions>,
    /// Running time that the action has, in seconds.
    pub deadline_s: u32,
    /// W3C `traceparent` of the request.
    pub trace: Option<String>,
    /// When the client made it; now when it does not say.
    pub created_ts: Option<Timestamp>,
}

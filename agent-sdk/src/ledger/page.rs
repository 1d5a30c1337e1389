//! Lists of records, page by page.
//!
//! A cursor says where the next page begins by a number that never changes for a record (its order of acceptance, or of
//! ending), so it survives restarts and cleaning, and who follows it reads everything once, whatever is written
//! meanwhile.

use std::fmt;

use uuid::Uuid;

use super::ReadError;
use crate::spec::{ErrorRecord, KindName, Requester, State, Timestamp};

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins; none at the end.
    pub next: Option<Cursor>,
}

/// Where a page begins. Opaque to clients, and of one list only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(super) list: List,
    pub(super) after: i64,
}

/// Which list a cursor is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// Actions that have not ended, oldest first.
    Queue,
    /// Actions that have, newest first.
    Finished,
    /// Steps of one record, oldest first.
    History(Uuid),
}

impl Cursor {
    /// Reads a cursor that was given out for this list.
    pub fn parse(list: List, text: &str) -> Result<Self, ReadError> {
        let number = text.strip_prefix(&prefix(list)).ok_or(ReadError::Cursor)?;
        let after = i64::from_str_radix(number, 16)
            .ok()
            .filter(|after| *after > 0)
            .ok_or(ReadError::Cursor)?;
        let cursor = Self { list, after };
        if cursor.to_string() == text {
            Ok(cursor)
        } else {
            Err(ReadError::Cursor)
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:x}", prefix(self.list), self.after)
    }
}

fn prefix(list: List) -> String {
    match list {
        List::Queue => "q".to_owned(),
        List::Finished => "f".to_owned(),
        List::History(id) => format!("h{}-", id.simple()),
    }
}

/// A record without its arguments, headers, preconditions, checkpoints and output.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Unique for good.
    pub id: Uuid,
    /// Which action.
    pub kind: KindName,
    /// Who asked.
    pub requester: Requester,
    /// When the client made it.
    pub created_ts: Timestamp,
    /// When it was recorded.
    pub scheduled_ts: Timestamp,
    /// When it first ran.
    pub started_ts: Option<Timestamp>,
    /// When it ended.
    pub finished_ts: Option<Timestamp>,
    /// Where it is on its way.
    pub state: State,
    /// Why it failed, or its last attempt did.
    pub error: Option<ErrorRecord>,
    /// How often it was started.
    pub attempt: u32,
    /// Whether a client asked for its end.
    pub cancel_requested: bool,
    /// Seconds of running time that it has.
    pub deadline_s: u32,
    /// One more with each step.
    pub version: u64,
}

/// The least that a list says of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// Unique for good.
    pub id: Uuid,
    /// Which action.
    pub kind: String,
    /// Where it is on its way.
    pub state: State,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_of_one_list() {
        let history = List::History(Uuid::from_u128(7));
        for list in [List::Queue, List::Finished, history] {
            let text = Cursor { list, after: 300 }.to_string();
            assert_eq!(Cursor::parse(list, &text).unwrap(), Cursor { list, after: 300 });
            for other in [List::Queue, List::Finished, history, List::History(Uuid::from_u128(8))] {
                assert_eq!(
                    Cursor::parse(other, &text).is_ok(),
                    other == list,
                    "{text} for {other:?}"
                );
            }
        }
        for bad in [
            "",
            "q",
            "q-1",
            "q0",
            "q+12c",
            "q012c",
            "qffffffffffffffffff",
            "x1",
            "q1 ",
        ] {
            assert!(Cursor::parse(List::Queue, bad).is_err(), "{bad:?}");
        }
    }
}

//! What becomes of actions: level `actions`, and the removal of a node that is not there.

mod asked;
mod ending;
mod kept;
mod listing;
mod order;
mod refused;
mod removed;
mod unique;

pub(super) use order::in_order;

use super::judge::{Case, Judge};
use super::{Check, at};
use crate::gather::{Acted, Scheduled};
use crate::verdict::{Level, Severity};

const RECORDS: &str = "docs/wire.md#invocation-records";
const SCHEDULING: &str = "docs/wire.md#scheduling";
const LISTS: &str = "docs/wire.md#lists";
const CODES: &str = "docs/wire.md#problems";

/// How often something is seen that may be so once: a queue in which actions wait and none runs, two times that overlap.
const ENOUGH: usize = 3;

/// The checks, a file for each subject.
pub(super) const CHECKS: [&[Check]; 8] = [
    ending::CHECKS,
    kept::CHECKS,
    unique::CHECKS,
    order::CHECKS,
    listing::CHECKS,
    refused::CHECKS,
    asked::CHECKS,
    removed::CHECKS,
];

/// A check over what came of actions.
const fn acted(
    id: &'static str,
    severity: Severity,
    rule: &'static str,
    reference: &'static str,
    judge: fn(&Case<'_>, &mut Judge),
) -> Check {
    at(Level::Actions, id, severity, rule, reference, judge)
}

/// What came of actions on each agent.
fn each(case: &Case<'_>, judge: &mut Judge, mut look: impl FnMut(&Acted, &mut Judge)) {
    for acted in case.agents.iter().filter_map(|agent| agent.acted.as_ref()) {
        look(acted, judge);
    }
}

/// When an action ended, as it was seen last.
fn finished(scheduled: &Scheduled) -> Option<chrono::DateTime<chrono::Utc>> {
    let record = scheduled.last()?.value()?;
    super::records::instant(record.finished.value()?)
}

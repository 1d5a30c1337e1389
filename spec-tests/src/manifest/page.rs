//! `docs/spec-checks.md`, written from the checks and the manifest.

use std::fmt::Write;

use super::{Counts, counts, entries, places_of};
use crate::check;

/// The whole document.
pub fn page() -> String {
    let Counts {
        sentences,
        checked,
        partly,
        not_checked,
        informing,
        reasons: _,
    } = counts();
    let mut page = format!(
        "# What spec-tests checks\n\n\
         Written from the suite's code; `UPDATE_DOCS=1 cargo test -p spec-tests --test coverage` writes it anew.\n\n\
         The specification has {sentences} sentences. {checked} of them bind and are checked, {partly} of these only in part; \
         {not_checked} bind and are not checked; {informing} bind nobody: definitions, examples, permissions. \
         `spec-tests coverage --specification FILE` compares this with a copy of the specification, both ways.\n\n\
         ## Checks\n\n\
         An id never means anything else. A broken MUST, or a broken contract of the dialect (wire), is `not conformant`; a \
         broken SHOULD is `partial`. A check is run from its level on, and from its number of agents on. What has no place is \
         laid down by the [contract of the dialects](wire.md) alone.\n\n\
         | id | severity | level | dialects | agents | rule | place in the specification |\n\
         |---|---|---|---|---|---|---|\n"
    );
    for check in check::all() {
        let dialects: Vec<_> = check.dialects.iter().map(|dialect| dialect.name()).collect();
        row(
            &mut page,
            &[
                &format!("`{}`", check.id),
                check.severity.name(),
                check.level.name(),
                &dialects.join(", "),
                &check.agents.to_string(),
                check.rule,
                &places_of(check.id).join("; "),
            ],
        );
    }
    page.push_str(
        "\n## What is not checked\n\n\
         Every sentence that binds and that no check sees, or not all of it.\n\n\
         | place in the specification | what it means | why | seen in part by |\n\
         |---|---|---|---|\n",
    );
    for entry in entries() {
        let Some(reason) = entry.hold.reason() else { continue };
        let checks: Vec<_> = entry.hold.checks().iter().map(|check| format!("`{check}`")).collect();
        row(&mut page, &[entry.place, entry.meaning, reason, &checks.join(", ")]);
    }
    page
}

fn row(page: &mut String, cells: &[&str]) {
    for cell in cells {
        let cell = cell.replace('|', "\\|");
        let _ = match cell.as_str() {
            "" => write!(page, "| "),
            cell => write!(page, "| {cell} "),
        };
    }
    page.push_str("|\n");
}

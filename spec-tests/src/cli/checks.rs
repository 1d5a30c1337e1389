//! `list` and `explain`: what is checked, without an agent.

use crate::check::{self, Check};
use crate::manifest;
use crate::report::layout::{COLUMNS, Lines, wrapped};
use crate::report::nearest;

/// One line for each check, or as many as its rule takes.
pub(super) fn list() -> String {
    let mut lines = Lines::new(false);
    let longest = check::all().map(|check| check.id.len()).max().unwrap_or_default();
    let column = longest + 2 + 8 + 9;
    lines.line(&format!("{:<longest$}  {:<8}{:<9}{}", "ID", "BINDS", "LEVEL", "RULE"));
    for check in check::all() {
        let mut first = format!(
            "{:<longest$}  {:<8}{:<9}",
            check.id,
            check.severity.name(),
            check.level.name()
        );
        for rule in wrapped(check.rule, COLUMNS.saturating_sub(column)) {
            lines.line(&format!("{first}{rule}"));
            first = " ".repeat(column);
        }
    }
    lines.finish()
}

/// All that is known of one check.
///
/// **Errors**: the ids that are nearest, where there is no check of this one.
pub(super) fn explain(id: &str) -> Result<String, String> {
    const LABEL: usize = 15;
    let Some(check) = check::find(id) else {
        return Err(format!(
            "there is no check {id:?}; nearest are {}, and `spec-tests list` has them all",
            nearest(id).join(", ")
        ));
    };
    let Check {
        id,
        rule,
        severity,
        level,
        dialects,
        agents,
        reference,
        judge: _,
    } = check;
    let mut lines = Lines::new(false);
    lines.line(id);
    lines.labelled(2, "rule", LABEL, rule);
    lines.labelled(2, "binds", LABEL, severity.name());
    lines.labelled(2, "level", LABEL, &format!("{level}, and those above"));
    let dialects: Vec<_> = dialects.iter().map(|dialect| dialect.name()).collect();
    lines.labelled(2, "dialects", LABEL, &dialects.join(", "));
    let agents = match agents {
        1 => "one is enough".to_owned(),
        more => format!("at least {more}"),
    };
    lines.labelled(2, "agents", LABEL, &agents);
    let mut label = "specification";
    for place in manifest::places_of(id) {
        lines.labelled(2, label, LABEL, place);
        label = "";
    }
    lines.labelled(2, "right answer", LABEL, reference);
    Ok(lines.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_listed_and_explained() {
        let list = list();
        assert!(list.lines().all(|line| line.chars().count() <= COLUMNS), "{list}");
        for check in check::all() {
            assert!(list.contains(check.id));
            let text = explain(check.id).unwrap();
            assert!(text.starts_with(check.id) && text.contains(check.reference), "{text}");
        }
    }

    #[test]
    fn an_unknown_id_names_the_nearest() {
        let fault = explain("node.sttus").unwrap_err();
        assert!(fault.contains("node.status"), "{fault}");
    }
}

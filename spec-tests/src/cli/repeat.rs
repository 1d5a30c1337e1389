//! The same run, the same result: what differs between two.

use std::collections::BTreeMap;

use crate::report::Standing;
use crate::verdict::Report;

/// Everything in which a later run came to something else than the first: verdicts, and what became of each check. How often
/// a rule was seen to hold depends on how often there was time to look, and is no difference.
pub(super) fn differences(first: &Report, later: &Report) -> Vec<String> {
    if let Some(reason) = &later.unreachable {
        return vec![reason.clone()];
    }
    let before = standings(first);
    let after = standings(later);
    let mut differences = Vec::new();
    for (check, was) in &before {
        match after.get(check) {
            Some(is) if is == was => {}
            Some(is) => differences.push(format!("{check}: {}, then {}", was.words(), is.words())),
            None => differences.push(format!("{check}: {}, then not there", was.words())),
        }
    }
    for (check, is) in after.iter().filter(|(check, _)| !before.contains_key(*check)) {
        differences.push(format!("{check}: not there, then {}", is.words()));
    }
    // What a verdict says follows from the checks; it is compared all the same, since it is what is promised.
    if differences.is_empty() && first.verdicts != later.verdicts {
        differences.push("the verdicts, although no check differs".to_owned());
    }
    differences
}

fn standings(report: &Report) -> BTreeMap<String, Standing> {
    let named = |judged: &crate::verdict::Judged| (format!("{} {}", judged.dialect, judged.id), Standing::of(judged));
    report.checks.iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::verdict::{Outcome, Severity};

    #[test]
    fn what_differs_is_named() {
        let held = |seen| sample::judged("node.id", Severity::Must, Outcome::Held { seen });
        let broken = || sample::judged("node.id", Severity::Must, sample::broken());
        let of = |one, other| differences(&sample::report(one), &sample::report(other));
        assert!(of(vec![held(1)], vec![held(7)]).is_empty());
        assert_eq!(of(vec![held(1)], vec![broken()]), ["v1 node.id: held, then broken"]);
        assert_eq!(of(vec![held(1)], Vec::new()), ["v1 node.id: held, then not there"]);
        assert_eq!(of(Vec::new(), vec![broken()]), ["v1 node.id: not there, then broken"]);
        let gone = differences(&sample::report(vec![held(1)]), &sample::unreachable());
        assert_eq!(gone, [sample::unreachable().unreachable.unwrap()]);
    }
}

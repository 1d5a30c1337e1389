//! What is unusual and lawful: nothing that an agent may be is held against it.

use spec_tests::dialect::Dialect;

use super::super::mutant::Fault as F;
use super::table::Stage;
use super::{AT_ONCE, broken, each, judged};

/// What an agent is like, where that would show, and whether everything can be seen all the same.
pub const LAWFUL: &[(F, Stage, bool)] = &[
    // The contract does not say that headers are strings alone, nor what a key is that is given twice.
    (F::NumberHeadersAccepted, Stage::Acts, true),
    (F::DuplicateKeyAccepted, Stage::Acts, true),
    // It does not say how deep is too deep, or how large too large.
    (F::DeepNestingAccepted, Stage::Stress, true),
    (F::TooLargeAccepted, Stage::Stress, true),
    // An action may count anew, which is a step more.
    (F::ProgressLostByCrash, Stage::Crash, true),
    (F::QueueOfTwenty, Stage::Stress, true),
    (F::ManyFinished, Stage::Acts, true),
    (F::HistoryInShortPages, Stage::Acts, true),
    (F::ComeAgainLater, Stage::Acts, true),
    (F::NoTestKinds, Stage::Stress, false),
    (F::SomebodyAhead, Stage::Acts, false),
    (F::FewKept, Stage::Stress, false),
    (F::PrimaryMoves, Stage::Removes, false),
];

#[test]
fn what_is_unusual_and_lawful_is_not_held_against_an_agent() {
    let wrong = each(LAWFUL, AT_ONCE[1], |(fault, stage, seen)| {
        let report = judged(Some(*fault), *stage);
        let found = Dialect::ALL.map(|dialect| broken(&report, dialect));
        let right = found.iter().all(std::collections::BTreeSet::is_empty) && report.cut_short.is_none();
        (!right || report.is_conformant() != *seen)
            .then(|| format!("{fault:?} at {stage:?}:\n{}", spec_tests::report::text(&report, false)))
    });
    let wrong: Vec<_> = wrong.into_iter().map(|(_, words)| words).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

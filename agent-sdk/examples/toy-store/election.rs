//! The decisions that keep two nodes from leading at once, and a held write from being lost. No I/O and no clock.
//!
//! A simplified Raft: one vote per node and epoch, kept on disk by the caller; a vote goes only to a candidate whose log
//! ends at least as late as the voter's; a majority elects. So one epoch has at most one primary, and it holds
//! every committed entry. What a primary counts as committed must be of its own epoch, or follow from an entry that is.

use crate::protocol::Ballot;

/// What a voter knows when it is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voter<'a> {
    pub(crate) epoch: u64,
    pub(crate) voted_for: Option<&'a str>,
    /// Epoch of its last entry, then length of its log: compared in this order.
    pub(crate) log: (u64, u64),
    /// It has heard from a primary lately, or is one that has heard from its majority.
    pub(crate) content: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No, and nothing changes.
    Refuse,
    /// No, but the candidate's epoch is a later one, to be taken up.
    RefuseInNewEpoch,
    /// Would be granted if it were asked in earnest; nothing changes.
    Encourage,
    /// Yes, once it is on disk.
    Grant,
}

pub(crate) fn judge(voter: Voter<'_>, ballot: &Ballot) -> Verdict {
    if ballot.epoch < voter.epoch || (voter.content && !ballot.handover) {
        return Verdict::Refuse;
    }
    let new_epoch = ballot.epoch > voter.epoch;
    let free = new_epoch || voter.voted_for.is_none_or(|name| name == ballot.candidate);
    match (free && (ballot.last_epoch, ballot.length) >= voter.log, ballot.trial) {
        (true, true) => Verdict::Encourage,
        (true, false) => Verdict::Grant,
        (false, false) if new_epoch => Verdict::RefuseInNewEpoch,
        (false, _) => Verdict::Refuse,
    }
}

/// How many entries a majority holds, given what each member holds.
pub(crate) fn held_by_majority(mut held: Vec<u64>, majority: usize) -> u64 {
    held.sort_unstable_by(|a, b| b.cmp(a));
    majority
        .checked_sub(1)
        .and_then(|last| held.get(last).copied())
        .unwrap_or(0)
}

/// What is committed now: never less than before, and only past `led_from`, the end of the entry that opened the epoch. An
/// older entry on a majority can still be overwritten until one of the present epoch covers it.
pub(crate) fn committed(before: u64, held: u64, led_from: u64) -> u64 {
    if held >= led_from { before.max(held) } else { before }
}

/// Where a secondary whose log does not match at `offset` should try next; `None` when it matches there. `epochs` are those of
/// the primary's entries, which never fall. Everything from the answer on is known to differ, so once a try matches,
/// what the secondary has beyond it may be cut without touching an entry that both hold.
pub(crate) fn retry_from(epochs: &[u64], offset: u64, last_epoch: u64) -> Option<u64> {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let last = offset.checked_sub(1)?;
    match epochs.get(last) {
        Some(epoch) if *epoch == last_epoch => None,
        Some(_) => Some(epochs.partition_point(|epoch| *epoch <= last_epoch).min(last) as u64),
        None => Some(epochs.partition_point(|epoch| *epoch <= last_epoch) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ballot(epoch: u64, last_epoch: u64, length: u64) -> Ballot {
        let (cluster_id, candidate) = ("c".to_owned(), "a".to_owned());
        Ballot {
            cluster_id,
            candidate,
            epoch,
            last_epoch,
            length,
            trial: false,
            handover: false,
        }
    }

    const VOTER: Voter<'_> = Voter {
        epoch: 5,
        voted_for: Some("b"),
        log: (4, 10),
        content: false,
    };

    #[test]
    fn one_vote_per_epoch_and_only_for_a_log_as_late_as_ones_own() {
        assert_eq!(judge(VOTER, &ballot(4, 9, 99)), Verdict::Refuse);
        assert_eq!(judge(VOTER, &ballot(5, 9, 99)), Verdict::Refuse);
        assert_eq!(
            judge(
                Voter {
                    voted_for: Some("a"),
                    ..VOTER
                },
                &ballot(5, 4, 10)
            ),
            Verdict::Grant
        );
        assert_eq!(judge(VOTER, &ballot(6, 4, 10)), Verdict::Grant);
        assert_eq!(judge(VOTER, &ballot(6, 4, 9)), Verdict::RefuseInNewEpoch);
        assert_eq!(judge(VOTER, &ballot(6, 3, 99)), Verdict::RefuseInNewEpoch);
    }

    #[test]
    fn who_hears_a_primary_votes_only_in_a_handover_and_a_trial_binds_nobody() {
        let content = Voter { content: true, ..VOTER };
        assert_eq!(judge(content, &ballot(6, 9, 99)), Verdict::Refuse);
        assert_eq!(
            judge(
                content,
                &Ballot {
                    handover: true,
                    ..ballot(6, 9, 99)
                }
            ),
            Verdict::Grant
        );
        assert_eq!(
            judge(
                VOTER,
                &Ballot {
                    trial: true,
                    ..ballot(6, 4, 10)
                }
            ),
            Verdict::Encourage
        );
        assert_eq!(
            judge(
                VOTER,
                &Ballot {
                    trial: true,
                    ..ballot(6, 3, 10)
                }
            ),
            Verdict::Refuse
        );
    }

    #[test]
    fn an_entry_counts_once_a_majority_holds_it_and_the_epoch_is_ones_own() {
        assert_eq!(held_by_majority(vec![9, 3, 5], 2), 5);
        assert_eq!(held_by_majority(vec![9, 3], 2), 3);
        assert_eq!((committed(2, 5, 6), committed(2, 6, 6), committed(8, 7, 6)), (2, 6, 8));
    }

    /// Every pair of short logs that agree up to some point and differ from there: the tries end exactly at that point.
    #[test]
    fn tries_end_where_the_logs_part() {
        let primary = [1, 1, 2, 2, 5, 5];
        for shared in 0..=primary.len() {
            for tail in [&[][..], &[3], &[3, 3, 4], &[4, 4, 4, 4, 4, 4, 4]] {
                let own: Vec<u64> = primary[..shared].iter().chain(tail).copied().collect();
                if !own.is_sorted() {
                    continue;
                }
                let mut offset = own.len() as u64;
                for _ in 0..=own.len() {
                    let last = usize::try_from(offset).unwrap().checked_sub(1);
                    let Some(next) = retry_from(&primary, offset, last.map_or(0, |last| own[last])) else {
                        break;
                    };
                    assert!(next < offset);
                    offset = next;
                }
                assert_eq!(offset, shared as u64, "{own:?}");
            }
        }
    }
}

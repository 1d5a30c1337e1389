//! Whether those that vote could still decide anything after a change. Pure.

use crate::ask::set::Member;
use crate::ask::{SetConfig, SetStatus};

/// The votes after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Votes {
    /// How many there are.
    pub all: usize,
    /// Names of those that do not answer.
    pub away: Vec<String>,
}

impl Votes {
    /// After this member has no vote any more.
    pub(super) fn without(id: i64, config: &SetConfig, status: &SetStatus) -> Self {
        Self::count(config.members.iter().filter(|member| member.id != id), status)
    }

    fn count<'a>(members: impl Iterator<Item = &'a Member>, status: &SetStatus) -> Self {
        let answers = |host: &str| {
            let seen = status.member(host);
            seen.is_some_and(|seen| (seen.is_up || seen.is_self) && seen.state.takes_part())
        };
        let voters: Vec<_> = members.filter(|member| member.role.is_voter()).collect();
        let away = voters.iter().filter(|member| !answers(&member.host));
        Self {
            all: voters.len(),
            away: away.map(|member| member.host.clone()).collect(),
        }
    }

    /// Whether more than half of them answer.
    pub(super) const fn is_majority(&self) -> bool {
        (self.all - self.away.len()) * 2 > self.all
    }

    /// Why it is none.
    pub(super) fn lack(&self) -> String {
        let Self { all, away } = self;
        if *all == 0 {
            return "no member with a vote would be left".to_owned();
        }
        format!(
            "{} of the {all} votes that would be left answer, which is no majority: nothing is heard of {}",
            all - away.len(),
            away.join(", ")
        )
    }
}

/// Whether those that are there could elect a primary. The server holds the vote of a member back that somebody has added and
/// that does not follow yet: it tells how many votes count, and those that do not are of such members.
pub(super) fn could_elect(config: &SetConfig, status: &SetStatus) -> bool {
    let all = Votes::count(config.members.iter(), status);
    let counted = status
        .voting
        .and_then(|voting| usize::try_from(voting).ok())
        .unwrap_or(all.all);
    let copying = config.members.iter().filter(|member| {
        let seen = status.member(&member.host);
        member.role.is_voter() && seen.is_some_and(|seen| seen.is_up && !seen.is_settled() && seen.state.takes_part())
    });
    let held_back = all.all.saturating_sub(counted).min(copying.count());
    (all.all - all.away.len()).saturating_sub(held_back) * 2 > counted
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use mongodb::bson::{Document, doc};

    /// A set of members h0:1, h1:1 and so on with these states, as the first one sees it; the states are those of
    /// `replSetGetStatus`, and a state below zero is that of one without a vote.
    pub(in crate::actions) fn set(states: &[i32]) -> (SetConfig, SetStatus) {
        let hosts = || {
            (0..)
                .zip(states)
                .map(|(id, state): (i32, &i32)| (id, format!("h{id}:1"), *state))
        };
        let members: Vec<Document> = hosts()
            .map(|(id, host, state)| {
                let votes = i32::from(state > 0);
                doc! { "_id": id, "host": host, "votes": votes, "priority": votes, "arbiterOnly": state == 7 }
            })
            .collect();
        let seen: Vec<Document> = hosts()
            .map(|(id, name, state)| {
                let up = i32::from(!matches!(state.abs(), 6 | 8));
                doc! { "_id": id, "name": name, "state": state.abs(), "health": up, "self": id == 0 }
            })
            .collect();
        let voting = i32::try_from(states.iter().filter(|state| **state > 0).count()).unwrap();
        let status = doc! {
            "set": "rs0", "myState": states[0].abs(), "term": 3_i64, "members": seen, "votingMembersCount": voting,
        };
        (
            SetConfig::of(doc! { "_id": "rs0", "version": 7, "term": 3, "members": members }).unwrap(),
            SetStatus::of(&status).unwrap(),
        )
    }

    fn left(states: &[i32], without: i64) -> (usize, usize, bool) {
        let (config, status) = set(states);
        let votes = Votes::without(without, &config, &status);
        (votes.all, votes.away.len(), votes.is_majority())
    }

    #[test]
    fn more_than_half_have_to_answer() {
        assert_eq!(left(&[1, 2, 2], 2), (2, 0, true));
        // Of the two that are left one is away.
        assert_eq!(left(&[1, 2, 8], 1), (2, 1, false));
        assert_eq!(left(&[1, 2, 8], 2), (2, 0, true));
        assert_eq!(left(&[1, 2, 7, 8], 1), (3, 1, true));
    }

    #[test]
    fn who_has_no_vote_does_not_count() {
        assert_eq!(left(&[1, 2, -8], 9), (2, 0, true));
        assert_eq!(left(&[1, -2], 0), (0, 0, false));
    }

    #[test]
    fn a_vote_that_is_held_back_elects_nobody() {
        let elects = |states: &[i32], voting| {
            let (config, mut status) = set(states);
            status.voting = Some(voting);
            could_elect(&config, &status)
        };
        assert!(elects(&[2, 2, 8], 3) && !elects(&[2, 8, 8], 3));
        // Of two votes that count one is away; the third member was added by hand, and copies.
        assert!(!elects(&[2, 8, 5], 2));
        assert!(elects(&[2, 2, 5], 2));
    }

    #[test]
    fn it_is_told_who_is_away() {
        let (config, status) = set(&[1, 2, 8]);
        let lack = Votes::without(1, &config, &status).lack();
        assert!(lack.contains("1 of the 2 votes") && lack.ends_with("h2:1"), "{lack}");
    }
}

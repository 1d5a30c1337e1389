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
    /// As they are.
    pub(super) fn of(config: &SetConfig, status: &SetStatus) -> Self {
        Self::count(config.members.iter(), status)
    }

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
    fn it_is_told_who_is_away() {
        let (config, status) = set(&[1, 2, 8]);
        let lack = Votes::without(1, &config, &status).lack();
        assert!(lack.contains("1 of the 2 votes") && lack.ends_with("h2:1"), "{lack}");
    }
}

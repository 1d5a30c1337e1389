//! The one shard: the replica set, named as the set is. Pure.

use agent_sdk::datastore::StoreError;
use agent_sdk::spec::{ReplicationState, Shard, Unit};
use mongodb::bson::Timestamp;

use crate::ask::status::Seen;
use crate::ask::{Kind, MemberState, SetStatus};
use crate::node::{Facts, store_error};

/// What a commit offset is counted in: the time of the operation, whole seconds since 1970 times 2 to the 31st, plus its
/// number within that second. It grows with every write, and goes back only where a write is lost.
pub const OFFSET: Unit = Unit::named("optime");

/// The shard on this node, where it holds one.
pub fn of(facts: &Facts) -> Result<Vec<Shard>, StoreError> {
    if facts.cluster_id()?.is_none() {
        return Ok(Vec::new());
    }
    let hello = facts.hello.as_ref().map_err(store_error)?;
    match (&hello.kind, &facts.set) {
        (Kind::Member(member), Some(Ok(set))) => Ok(shard(&member.set, set).into_iter().collect()),
        (_, Some(Err(fault))) => Err(store_error(fault)),
        _ => Ok(Vec::new()),
    }
}

fn shard(id: &str, set: &SetStatus) -> Option<Shard> {
    let role = match set.state {
        MemberState::Arbiter | MemberState::Removed => return None,
        MemberState::Primary => ReplicationState::Primary,
        MemberState::Secondary => ReplicationState::Secondary,
        MemberState::Recovering | MemberState::InitialSync | MemberState::Rollback => ReplicationState::Recovering,
        state @ (MemberState::Startup | MemberState::Unknown | MemberState::Down | MemberState::Other(_)) => {
            ReplicationState::Other(format!("the member is in state {}", state.name()))
        }
    };
    let mut shard = Shard::new(id, role, OFFSET);
    // During the first copy there is a time, and not yet the data of that time.
    if set.state == MemberState::InitialSync {
        return Some(shard);
    }
    shard.commit_offset = set.applied.map(offset);
    if set.state != MemberState::Primary
        && let Some(lag) = set.primary().and_then(|primary| lag_ms(set, primary))
    {
        shard = shard.behind(lag, Unit::Milliseconds);
    }
    Some(shard)
}

/// A time of an operation as one number.
pub fn offset(ts: Timestamp) -> i64 {
    (i64::from(ts.time) << 31) + i64::from(ts.increment)
}

/// How long before the primary's newest write this member's was made. What is known of the primary is as old as its last
/// heartbeat, so the difference can be below zero: then nothing is known to be missing.
fn lag_ms(set: &SetStatus, primary: &Seen) -> Option<i64> {
    let seconds = |ts: Timestamp| i64::from(ts.time) * 1_000;
    let behind = match (primary.applied_ms, set.applied_ms) {
        (Some(primary), Some(own)) => primary.saturating_sub(own),
        // Releases before 6.0 tell of other members only the second.
        _ => seconds(primary.applied?) - seconds(set.applied?),
    };
    Some(behind.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::tests::facts;
    use mongodb::bson::{DateTime, Document, doc};

    fn point(time: u32) -> Timestamp {
        Timestamp { time, increment: 3 }
    }

    fn status(state: i32, applied: u32, primary: Option<Document>) -> SetStatus {
        let members: Vec<_> = primary.into_iter().collect();
        let answer = doc! {
            "set": "rs0", "myState": state, "members": members,
            "optimes": {
                "appliedOpTime": { "ts": point(applied), "t": 1_i64 },
                "lastAppliedWallTime": DateTime::from_millis(i64::from(applied) * 1_000 + 250),
            },
        };
        SetStatus::of(&answer).unwrap()
    }

    fn primary(applied: u32, ms: Option<i64>) -> Document {
        let mut primary = doc! {
            "name": "h:2", "health": 1.0, "state": 1, "optime": { "ts": point(applied), "t": 1_i64 },
        };
        if let Some(ms) = ms {
            primary.insert("lastAppliedWallTime", DateTime::from_millis(ms));
        }
        primary
    }

    fn only(set: SetStatus) -> Option<Shard> {
        let hello = doc! { "setName": "rs0", "me": "h:1" };
        of(&facts(&hello, Some(Ok(set)))).unwrap().pop()
    }

    fn lag(set: SetStatus) -> Option<i64> {
        only(set).unwrap().lag.map(|lag| {
            assert_eq!(lag.unit, Unit::Milliseconds);
            lag.value
        })
    }

    #[test]
    fn an_offset_is_larger_for_a_later_operation() {
        let at = |time, increment| offset(Timestamp { time, increment });
        assert!(at(5, 1) < at(5, 2) && at(5, 1_000_000) < at(6, 1));
        // No date of this form is out of its range.
        assert!(at(u32::MAX, 0x7fff_ffff) > 0);
    }

    #[test]
    fn an_arbiter_holds_no_shard() {
        assert_eq!(only(status(7, 100, None)), None);
        assert_eq!(only(status(10, 100, None)), None);
    }

    #[test]
    fn roles_follow_the_state() {
        let role = |state| only(status(state, 100, None)).unwrap().role;
        assert_eq!(role(1), ReplicationState::Primary);
        assert_eq!(role(2), ReplicationState::Secondary);
        for state in [3, 5, 9] {
            assert_eq!(role(state), ReplicationState::Recovering);
        }
        assert!(role(0).reason().unwrap().contains("STARTUP"));
    }

    #[test]
    fn lag_is_the_difference_of_the_writes_times() {
        assert_eq!(lag(status(2, 100, Some(primary(102, Some(102_000))))), Some(1_750));
        // Older releases: whole seconds, the same unit.
        assert_eq!(lag(status(2, 100, Some(primary(102, None)))), Some(2_000));
    }

    #[test]
    fn what_is_known_of_an_idle_primary_is_older_and_no_lag() {
        assert_eq!(lag(status(2, 118, Some(primary(100, Some(100_000))))), Some(0));
        assert_eq!(lag(status(2, 118, Some(primary(100, None)))), Some(0));
    }

    #[test]
    fn without_a_primary_there_is_no_lag_and_with_the_first_copy_no_offset() {
        assert_eq!(lag(status(2, 100, None)), None);
        assert_eq!(lag(status(1, 100, Some(primary(102, None)))), None);
        let copying = only(status(5, 100, Some(primary(102, None)))).unwrap();
        assert_eq!((copying.commit_offset, copying.lag), (None, None));
    }

    #[test]
    fn a_member_that_does_not_let_the_agent_in_gives_no_shards() {
        let fault = crate::client::Fault::NoCredentials("no file".to_owned());
        let facts = facts(&doc! { "setName": "rs0" }, Some(Err(fault)));
        assert!(matches!(of(&facts), Err(StoreError::Refused(_))));
    }
}

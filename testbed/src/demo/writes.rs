//! Writes to the store itself, and what the agents show of them: offsets that move, copies that lag and catch up.

use futures_util::future::try_join_all;

use super::Failure;
use super::play::Play;
use super::screen::Look;
use super::seat::{Blind, Seat, Sight};
use super::story::{SOON, Story};

/// How much is written.
const COUNT: u32 = 96;

impl<P: Play> Story<'_, P> {
    pub(super) async fn write(&self) -> Result<(), Failure> {
        let about = if P::LAGS {
            "to the store itself; the agents show every copy's offset, and how far it is behind"
        } else {
            "to the store itself; the agents show every copy's offset"
        };
        self.step(&[0, 1, 2], "Write", about);
        let before = self.offsets().await?;
        let goal = before[0] + i64::from(COUNT);
        let primary = self.one_leads().await?;
        self.screen
            .act(&format!("{COUNT} {} to {}", P::WRITES, self.seats[primary].node));
        let writing = tokio::spawn(self.play.write(primary, COUNT));
        let mut most = 0;
        let mut middle = 0;
        let through = async || match self.all().await {
            Err(blind) => blind.look(),
            Ok(seen) => {
                most = lags(&seen).max(most);
                if writing.is_finished() {
                    Look::Yes(())
                } else {
                    middle += u32::from(is_under_way(&seen, &before, P::COUNTS.then_some(goal)));
                    Look::NotYet(in_a_row(&seen))
                }
            }
        };
        self.screen.wait("offsets move", SOON, through).await?;
        let written = writing
            .await
            .map_err(|error| Failure::setup("the writer ended", error))?;
        written.map_err(|reason| Failure::unexpected("the store takes writes", reason))?;
        if middle == 0 || (P::LAGS && most == 0) {
            let seen = format!("seen on their way {middle} times, at most {most} behind");
            return Err(Failure::unexpected(
                "offsets move while it is written, and copies lag",
                seen,
            ));
        }
        let lag = if P::LAGS {
            format!(", copies were up to {most} behind")
        } else {
            String::new()
        };
        self.screen.seen(&format!("offsets moved while it was written{lag}"));
        let agree = async || match self.all().await {
            Err(blind) => blind.look(),
            Ok(seen) if agree(&seen, goal) => Look::Yes(seen),
            Ok(seen) => Look::NotYet(in_a_row(&seen)),
        };
        let seen = self.screen.wait("all copies agree", SOON, agree).await?;
        self.screen.seen(&format!("all copies agree: {}", in_a_row(&seen)));
        Ok(())
    }

    /// What all agents show.
    pub(super) async fn all(&self) -> Result<Vec<Sight>, Blind> {
        // At once, so that their offsets are of about the same moment.
        try_join_all(self.seats.iter().map(Seat::see)).await
    }

    async fn offsets(&self) -> Result<Vec<i64>, Failure> {
        let seen = self
            .all()
            .await
            .map_err(|blind| Failure::unexpected("all agents answer", blind.reason))?;
        let offsets: Option<Vec<i64>> = seen.iter().map(|sight| sight.offset).collect();
        offsets.ok_or_else(|| Failure::unexpected("every agent shows an offset", in_a_row(&seen)))
    }
}

/// Whether some copy is past its beginning and not at the end, where that is known.
fn is_under_way(seen: &[Sight], before: &[i64], goal: Option<i64>) -> bool {
    let is = |now: i64, before: i64| before < now && goal.is_none_or(|goal| now < goal);
    let mut both = seen.iter().zip(before);
    both.any(|(now, before)| now.offset.is_some_and(|now| is(now, *before)))
}

/// Whether all copies hold everything, and the same.
fn agree(seen: &[Sight], goal: i64) -> bool {
    let same = |now: &Sight| now.offset >= Some(goal) && now.offset == seen[0].offset;
    seen.iter().all(same)
}

/// How far the last copy is behind.
fn lags(seen: &[Sight]) -> i64 {
    seen.iter().filter_map(|sight| sight.lag).max().unwrap_or(0)
}

/// Offsets, and how far each copy is behind.
fn in_a_row(seen: &[Sight]) -> String {
    let offset = |sight: &Sight| {
        let offset = sight.offset.map_or("?".to_owned(), |offset| offset.to_string());
        match sight.lag.filter(|lag| *lag > 0) {
            Some(lag) => format!("{offset} ({lag} behind)"),
            None => offset,
        }
    };
    seen.iter().map(offset).collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use agent_sdk::spec::NodeState;

    fn sights(offsets: &[i64]) -> Vec<Sight> {
        let sight = |offset: &i64| Sight {
            id: "a".to_owned(),
            status: NodeState::Healthy,
            reason: None,
            member: None,
            version: "1.0.0".to_owned(),
            cluster: None,
            attributes: BTreeMap::new(),
            role: None,
            offset: Some(*offset),
            lag: Some(10 - *offset),
            shards: Vec::new(),
        };
        offsets.iter().map(sight).collect()
    }

    #[test]
    fn neither_the_beginning_nor_the_end_is_on_the_way() {
        let under_way = |offsets: &[i64]| is_under_way(&sights(offsets), &[3, 3], Some(10));
        assert!(!under_way(&[3, 3]) && !under_way(&[10, 3]) && !under_way(&[10, 10]));
        assert!(under_way(&[10, 4]));
        // Where no end is known, only the beginning is.
        assert!(is_under_way(&sights(&[3, 99]), &[3, 3], None) && !is_under_way(&sights(&[3, 3]), &[3, 3], None));
    }

    #[test]
    fn copies_agree_when_all_hold_everything_and_the_same() {
        assert!(agree(&sights(&[10, 10]), 10) && agree(&sights(&[11, 11]), 10));
        assert!(!agree(&sights(&[10, 9]), 10) && !agree(&sights(&[9, 9]), 10) && !agree(&sights(&[10, 11]), 10));
    }

    #[test]
    fn a_copy_that_lags_says_so() {
        assert_eq!(in_a_row(&sights(&[10, 4])), "10 · 4 (6 behind)");
        assert_eq!(lags(&sights(&[10, 4, 7])), 6);
    }
}

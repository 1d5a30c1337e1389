//! The topic's partitions as the agents show them: who leads each, and how far each copy is.

use std::fmt;

use agent_sdk::spec::Role;
use futures_util::future::try_join_all;

use super::{FOLLOWED, Kafka, TOPIC};
use crate::demo::Failure;
use crate::demo::play::{NODES, Play};
use crate::demo::screen::Look;
use crate::demo::seat::{Blind, Sight};
use crate::demo::story::{SOON, Story};

/// How many partitions there are: each node is preferred for one.
const PARTITIONS: usize = NODES;
/// How many copies each has.
const COPIES: usize = 2;
/// How much is written.
const COUNT: u32 = 300;

/// One copy of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Copy {
    /// On whose node.
    place: usize,
    role: Role,
    offset: Option<i64>,
    lag: Option<i64>,
}

/// The copies of each partition, as all agents together show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partitions(Vec<Vec<Copy>>);

impl Partitions {
    /// What these agents show, each with its place.
    fn of(seen: &[(usize, Sight)]) -> Self {
        let partition = |index: usize| {
            let id = format!("{TOPIC}/{index}");
            let copy = |(place, sight): &(usize, Sight)| {
                let shard = sight.shards.iter().find(|shard| shard.shard_id == id)?;
                Some(Copy {
                    place: *place,
                    role: shard.replication_state,
                    offset: shard.commit_offset.as_ref().map(|offset| offset.value),
                    lag: shard.replication_lag.as_ref().map(|lag| lag.value),
                })
            };
            seen.iter().filter_map(copy).collect()
        };
        Self((0..PARTITIONS).map(partition).collect())
    }

    /// Who leads each, where exactly one does.
    pub(super) fn leaders(&self) -> Vec<Option<usize>> {
        let leader = |copies: &Vec<Copy>| {
            let mut leads = copies.iter().filter(|copy| copy.role == Role::Primary);
            match (leads.next(), leads.next()) {
                (Some(leader), None) => Some(leader.place),
                _ => None,
            }
        };
        self.0.iter().map(leader).collect()
    }

    /// Whether each has all its copies, one of which leads and the others follow in sync.
    pub(super) fn is_whole(&self) -> bool {
        let in_sync = |copy: &Copy| matches!(copy.role, Role::Primary | Role::Secondary);
        let whole = |copies: &Vec<Copy>| copies.len() == COPIES && copies.iter().all(in_sync);
        self.0.iter().all(whole) && self.leaders().iter().all(Option::is_some)
    }

    /// Whether this node has a copy of any.
    pub(super) fn is_on(&self, place: usize) -> bool {
        self.0.iter().flatten().any(|copy| copy.place == place)
    }

    /// The offsets of the leaders, all together.
    fn written(&self) -> i64 {
        let leaders = self.0.iter().flatten().filter(|copy| copy.role == Role::Primary);
        leaders.filter_map(|copy| copy.offset).sum()
    }

    /// How far the last copy is behind.
    fn behind(&self) -> i64 {
        self.0.iter().flatten().filter_map(|copy| copy.lag).max().unwrap_or(0)
    }

    /// Whether all copies of each are equally far.
    fn is_level(&self) -> bool {
        let level = |copies: &Vec<Copy>| {
            copies
                .iter()
                .all(|copy| copy.offset.is_some() && copy.offset == copies[0].offset)
        };
        self.0.iter().all(level)
    }
}

impl fmt::Display for Partitions {
    /// The offsets of the copies of each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, copies) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { " · " };
            let offset = |copy: &Copy| copy.offset.map_or("?".to_owned(), |offset| offset.to_string());
            let offsets: Vec<_> = copies.iter().map(offset).collect();
            write!(f, "{between}{}", offsets.join(" = "))?;
        }
        Ok(())
    }
}

impl Story<'_, Kafka> {
    /// The partitions, as the agents of the nodes that were not lost show them.
    pub(super) async fn partitions(&self) -> Result<Partitions, Blind> {
        let alive: Vec<usize> = (0..NODES).filter(|place| self.lost.get() != Some(*place)).collect();
        let seen = try_join_all(alive.iter().map(|place| self.seats[*place].see())).await?;
        let seen: Vec<_> = alive.into_iter().zip(seen).collect();
        Ok(Partitions::of(&seen))
    }

    /// Waits until all partitions are as wanted.
    pub(super) async fn partitions_are(
        &self,
        what: &str,
        wanted: impl Fn(&Partitions) -> bool,
    ) -> Result<Partitions, Failure> {
        let look = async || match self.partitions().await {
            Err(blind) => blind.look(),
            Ok(seen) if wanted(&seen) => Look::Yes(seen),
            Ok(seen) => Look::NotYet(seen.to_string()),
        };
        self.screen.wait(what, SOON, look).await
    }

    /// Who leads which, in words.
    pub(super) fn led(&self, partitions: &Partitions) -> String {
        let leaders = partitions.leaders();
        let led = leaders.iter().enumerate().map(|(index, leader)| {
            let leader = leader.map_or("nobody", |place| &self.seats[place].node);
            let topic = if index == 0 { TOPIC } else { "" };
            format!("{topic}/{index} by {leader}")
        });
        led.collect::<Vec<_>>().join(", ")
    }

    /// Makes the topic and writes to it.
    pub(super) async fn write_orders(&self) -> Result<(), Failure> {
        self.step(
            &[0, 1, 2],
            "Write",
            "by Kafka's own programs; the agents show every copy's offset, and how far it is behind",
        );
        self.screen.act(&format!(
            "topic {TOPIC}: {PARTITIONS} partitions, each on {COPIES} nodes"
        ));
        let made = self.play.begin_topic()?.ended().await;
        made.map_err(|reason| Failure::unexpected("the topic is made", reason))?;
        let whole = self.partitions_are("each has its leader", are_preferred).await?;
        self.screen.seen(&format!("led: {}", self.led(&whole)));
        self.seats.iter().for_each(|seat| seat.follow(FOLLOWED));
        self.one_leads().await?;

        self.screen.act(&format!("{COUNT} {} to {TOPIC}", Kafka::WRITES));
        let writing = tokio::spawn(self.play.write(self.primary.get(), COUNT));
        let (mut middle, mut most) = (0_u32, 0);
        let through = async || match self.partitions().await {
            Err(blind) => blind.look(),
            Ok(seen) => {
                most = seen.behind().max(most);
                middle += u32::from(0 < seen.written() && seen.written() < i64::from(COUNT));
                if writing.is_finished() {
                    Look::Yes(())
                } else {
                    Look::NotYet(seen.to_string())
                }
            }
        };
        self.screen.wait("offsets move", SOON, through).await?;
        let written = writing
            .await
            .map_err(|error| Failure::setup("the writer ended", error))?;
        written.map_err(|reason| Failure::unexpected("the store takes writes", reason))?;
        if middle == 0 {
            return Err(Failure::unexpected(
                "offsets move while it is written",
                "they were not seen to",
            ));
        }
        self.screen.seen(&format!(
            "offsets moved while it was written, copies were at most {most} behind"
        ));
        let all = |seen: &Partitions| seen.written() == i64::from(COUNT) && seen.is_level() && seen.is_whole();
        let level = self.partitions_are("all copies agree", all).await?;
        self.screen
            .seen(&format!("all copies agree: {level}, together {COUNT}"));
        Ok(())
    }
}

/// Whether each is whole, and led by the node that it prefers.
pub(super) fn are_preferred(seen: &Partitions) -> bool {
    seen.is_whole() && seen.leaders().iter().copied().eq((0..PARTITIONS).map(Some))
}

/// Whether each is whole without this node.
pub(super) fn are_off(seen: &Partitions, place: usize) -> bool {
    seen.is_whole() && !seen.is_on(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(all: &[&[(usize, Role, i64)]]) -> Partitions {
        let copy = |&(place, role, offset): &(usize, Role, i64)| Copy {
            place,
            role,
            offset: Some(offset),
            lag: None,
        };
        Partitions(all.iter().map(|copies| copies.iter().map(copy).collect()).collect())
    }

    const LEADS: Role = Role::Primary;
    const FOLLOWS: Role = Role::Secondary;

    #[test]
    fn each_has_to_have_one_leader_and_all_its_copies() {
        let whole = partitions(&[
            &[(0, LEADS, 3), (1, FOLLOWS, 3)],
            &[(1, LEADS, 4), (2, FOLLOWS, 4)],
            &[(0, FOLLOWS, 5), (2, LEADS, 5)],
        ]);
        assert!(whole.is_whole() && whole.is_level() && are_preferred(&whole));
        assert_eq!(whole.written(), 12);
        assert_eq!(whole.to_string(), "3 = 3 · 4 = 4 · 5 = 5");
        assert!(whole.is_on(2) && !are_off(&whole, 2));
        let two = partitions(&[&[(0, LEADS, 3), (1, LEADS, 3)]]);
        assert!(!two.is_whole() && two.leaders() == [None]);
        assert!(!partitions(&[&[(0, LEADS, 3)]]).is_whole());
        assert!(!partitions(&[&[(0, LEADS, 3), (1, Role::Recovering, 3)]]).is_whole());
    }

    #[test]
    fn a_copy_that_is_behind_is_not_level() {
        assert!(!partitions(&[&[(0, LEADS, 3), (1, FOLLOWS, 2)]]).is_level());
    }
}

//! Where the replicas of a broker are to go: by racks first, then by counts. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::ask::cluster::Cluster;
use crate::ask::placement::{Partition, Placement};
use crate::ask::reassignments::Moving;

/// A partition that has a replica on the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) topic: String,
    pub(super) topic_id: Uuid,
    pub(super) partition: i32,
    /// In their order.
    pub(super) replicas: Vec<i32>,
}

impl Holding {
    pub(super) fn of(partition: &Partition<'_>) -> Self {
        Self {
            topic: partition.topic().to_owned(),
            topic_id: partition.topic_id(),
            partition: partition.index(),
            replicas: partition.replicas().collect(),
        }
    }
}

/// What a partition's replicas are to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The topic's name.
    pub topic: String,
    /// The topic's id: a topic of the same name that is made later is another one.
    pub topic_id: Uuid,
    /// The partition's number.
    pub partition: i32,
    /// The replicas, in order of preference.
    pub replicas: Vec<i32>,
    /// The one of them that is new; none where a replica is only given up.
    pub coming: Option<i32>,
}

/// There is nowhere to go for some partitions.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "{count} partitions have a replica on every broker that could take one now, such as {topic}/{partition} with {replicas:?}: \
     add a broker, wait for one that is fenced or being drained, or allow them one replica less (shrink) where that is on every \
     other broker"
)]
pub(super) struct Nowhere {
    count: usize,
    topic: String,
    partition: i32,
    replicas: Vec<i32>,
}

/// Brokers are named that the cluster does not have.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the cluster has no such brokers to move replicas to: {0:?}")]
pub(super) struct Unknown(Vec<i32>);

/// The brokers that can take replicas.
#[derive(Debug)]
pub(super) struct Others {
    /// All others of the cluster, fenced or not, asked for or not.
    all: BTreeSet<i32>,
    /// How many replicas each has.
    counts: BTreeMap<i32, usize>,
    /// Of all brokers, also of those that can take none.
    racks: BTreeMap<i32, String>,
}

impl Others {
    /// Those among the ones that are asked for, if any are, which are not fenced, and off which no replica is being moved now.
    pub(super) fn new(
        broker: i32,
        cluster: &Cluster,
        to: Option<&BTreeSet<i32>>,
        placement: &Placement,
        moving: &[Moving],
    ) -> Result<Self, Unknown> {
        let able = |id: i32| id != broker && to.is_none_or(|to| to.contains(&id));
        let others = |id: &i32| *id != broker;
        let mut all: BTreeSet<_> = cluster.members.iter().map(|member| member.id).filter(others).collect();
        if !cluster.lists_fenced {
            // 3.9 does not list those that are fenced: some of them are known by their replicas.
            let known = placement.partitions().flat_map(|partition| partition.replicas());
            all.extend(known.filter(others));
        }
        let able: BTreeSet<_> = cluster
            .members
            .iter()
            .map(|member| member.id)
            .filter(|id| able(*id))
            .collect();
        let unknown: Vec<_> = to
            .into_iter()
            .flatten()
            .filter(|id| !able.contains(id))
            .copied()
            .collect();
        // 3.9 does not list a broker that is fenced: it may be known, and takes nothing now.
        if (cluster.lists_fenced && !unknown.is_empty()) || unknown.contains(&broker) {
            return Err(Unknown(unknown));
        }
        let left: BTreeSet<_> = moving.iter().flat_map(|moving| &moving.removing).collect();
        let takes = |id: &&i32| cluster.is_unfenced(**id) && !left.contains(id);
        let mut counts: BTreeMap<_, _> = able.iter().filter(takes).map(|id| (*id, 0)).collect();
        for id in placement.partitions().flat_map(|partition| partition.replicas()) {
            if let Some(count) = counts.get_mut(&id) {
                *count += 1;
            }
        }
        let racks = cluster
            .members
            .iter()
            .filter_map(|member| Some((member.id, member.rack.clone()?)));
        Ok(Self {
            all,
            counts,
            racks: racks.collect(),
        })
    }

    /// Whether a partition with these replicas has one on every broker that could ever take one.
    fn is_everywhere(&self, beside: &[i32]) -> bool {
        self.all.iter().all(|id| beside.contains(id))
    }

    /// The best place for a replica beside these: on a rack that has none of them yet, then where there are fewest.
    fn best(&self, beside: &[i32]) -> Option<i32> {
        let used: BTreeSet<_> = beside.iter().filter_map(|id| self.racks.get(id)).collect();
        let free = self.counts.iter().filter(|(id, _)| !beside.contains(id));
        let crowded = |id: &i32| self.racks.get(id).is_some_and(|rack| used.contains(rack));
        free.min_by_key(|(id, count)| (crowded(id), **count, **id))
            .map(|(id, _)| *id)
    }
}

/// Chooses a place for each replica. The new one takes the place of the old in the order of preference, so that leaders are
/// as evenly spread afterwards as before. Those for which there is nowhere to go are told apart.
pub(super) fn choose(
    broker: i32,
    holdings: &[Holding],
    mut others: Others,
    shrink: bool,
) -> (Vec<Target>, Option<Nowhere>) {
    let mut targets = Vec::with_capacity(holdings.len());
    let mut nowhere: Option<Nowhere> = None;
    for holding in holdings {
        let beside: Vec<_> = holding.replicas.iter().copied().filter(|id| *id != broker).collect();
        let best = others.best(&beside);
        let replicas: Vec<i32> = match best {
            Some(best) => {
                *others.counts.entry(best).or_default() += 1;
                holding
                    .replicas
                    .iter()
                    .map(|id| if *id == broker { best } else { *id })
                    .collect()
            }
            None if shrink && !beside.is_empty() && others.is_everywhere(&beside) => beside,
            None => {
                let first = nowhere.get_or_insert_with(|| Nowhere {
                    count: 0,
                    topic: holding.topic.clone(),
                    partition: holding.partition,
                    replicas: holding.replicas.clone(),
                });
                first.count += 1;
                continue;
            }
        };
        targets.push(Target {
            topic: holding.topic.clone(),
            topic_id: holding.topic_id,
            partition: holding.partition,
            replicas,
            coming: best,
        });
    }
    (targets, nowhere)
}

#[cfg(test)]
mod tests {
    use agent_sdk::config::Address;

    use super::*;
    use crate::ask::cluster::Member;
    use crate::ask::placement::tests::{Row, placement};

    fn cluster(members: &[(i32, &str, bool)]) -> Cluster {
        let member = |&(id, rack, fenced): &(i32, &str, bool)| Member {
            id,
            address: Address::new("h", 1),
            rack: Some(rack.to_owned()).filter(|rack| !rack.is_empty()),
            fenced,
        };
        Cluster {
            id: None,
            leader: None,
            members: members.iter().map(member).collect(),
            lists_fenced: true,
        }
    }

    fn chosen(
        rows: &[Row],
        members: &[(i32, &str, bool)],
        to: Option<&[i32]>,
        shrink: bool,
    ) -> Result<Vec<Vec<i32>>, Nowhere> {
        let placement = placement(rows);
        let holdings: Vec<_> = placement.of(1).map(|partition| Holding::of(&partition)).collect();
        let to = to.map(|to| to.iter().copied().collect());
        let others = Others::new(1, &cluster(members), to.as_ref(), &placement, &[]).unwrap();
        let (targets, nowhere) = choose(1, &holdings, others, shrink);
        nowhere.map_or(Ok(()), Err)?;
        Ok(targets.into_iter().map(|target| target.replicas).collect())
    }

    const PLAIN: [(i32, &str, bool); 4] = [(1, "", false), (2, "", false), (3, "", false), (4, "", false)];

    #[test]
    fn replicas_go_where_there_are_fewest_and_keep_their_place_in_the_order() {
        let rows = [
            ("t", 0, 1, &[1, 2][..], &[1, 2][..], &[][..]),
            ("t", 1, 2, &[2, 1], &[1, 2], &[]),
            ("t", 2, 3, &[3], &[3], &[]),
        ];
        assert_eq!(chosen(&rows, &PLAIN, None, false).unwrap(), [vec![4, 2], vec![2, 3]]);
    }

    #[test]
    fn a_rack_that_has_a_replica_already_comes_last() {
        let racks = [(1, "a", false), (2, "b", false), (3, "b", false), (4, "c", false)];
        let busy = [
            ("t", 0, 1, &[1, 2][..], &[1, 2][..], &[][..]),
            ("u", 0, 4, &[4], &[4], &[]),
            ("u", 1, 4, &[4], &[4], &[]),
        ];
        assert_eq!(
            chosen(&busy, &racks, None, false).unwrap(),
            [vec![4, 2]],
            "3 has fewer, and is on 2's rack"
        );
        assert_eq!(
            chosen(&busy, &racks, Some(&[3]), false).unwrap(),
            [vec![3, 2]],
            "where nothing else is allowed"
        );
    }

    #[test]
    fn a_fenced_broker_takes_nothing() {
        let members = [(1, "", false), (2, "", true), (3, "", false)];
        let rows = [("t", 0, 1, &[1][..], &[1][..], &[][..])];
        assert_eq!(chosen(&rows, &members, None, false).unwrap(), [vec![3]]);
    }

    #[test]
    fn a_broker_that_is_unknown_is_refused_and_one_that_is_drained_takes_nothing() {
        let rows = [("t", 0, 1, &[1, 2][..], &[1, 2][..], &[][..])];
        let others = |to: &[i32], moving: &[Moving]| {
            let to = to.iter().copied().collect();
            Others::new(1, &cluster(&PLAIN), Some(&to), &placement(&rows), moving)
        };
        assert_eq!(others(&[3, 99], &[]).unwrap_err(), Unknown(vec![99]));
        assert_eq!(others(&[1], &[]).unwrap_err(), Unknown(vec![1]), "itself");
        let drained = Moving {
            topic: "u".to_owned(),
            partition: 0,
            replicas: vec![2, 3],
            adding: vec![2],
            removing: vec![3],
        };
        assert_eq!(others(&[3, 4], &[drained]).unwrap().best(&[2]), Some(4));
    }

    #[test]
    fn no_replica_is_given_up_while_a_broker_without_one_is_only_fenced() {
        let members = [(1, "", false), (2, "", false), (3, "", true)];
        let rows = [("t", 0, 1, &[1, 2][..], &[1, 2][..], &[][..])];
        assert!(chosen(&rows, &members, None, true).is_err());
        // Nor while one has none that is only not asked for.
        assert!(chosen(&rows, &PLAIN, Some(&[2]), true).is_err());
        assert_eq!(chosen(&rows, &members[..2], None, true).unwrap(), [vec![2]]);
    }

    #[test]
    fn where_every_other_has_one_already_there_is_nowhere_to_go() {
        let rows = [
            ("t", 0, 1, &[1, 2][..], &[1, 2][..], &[][..]),
            ("t", 1, 1, &[1, 2], &[1, 2], &[]),
            ("u", 0, 1, &[1], &[1], &[]),
        ];
        let two = [(1, "", false), (2, "", false)];
        let nowhere = chosen(&rows, &two, None, false).unwrap_err();
        assert!(
            nowhere.to_string().starts_with("2 partitions") && nowhere.to_string().contains("t/0"),
            "{nowhere}"
        );
        assert_eq!(chosen(&rows, &two, None, true).unwrap(), [vec![2], vec![2], vec![2]]);
        let alone = chosen(&rows[2..], &[(1, "", false)], None, true).unwrap_err();
        assert!(
            alone.to_string().contains("u/0"),
            "the last copy is never given up: {alone}"
        );
    }
}

//! What a data store does by itself: clusters, replication, shards, failover.

use super::{CHANGES, STORE, checked, informs, not_checked, partly};
use crate::manifest::Entry;

const ALL: &str = "Behaviours";
const CLUSTERING: &str = "Behaviours › Clustering";
const DYNAMIC_NODES_MEMBERSHIP: &str = "Behaviours › Dynamic Nodes Membership";
const REPLICATION: &str = "Behaviours › Replication";
const SHARDING_OF_DATA: &str = "Behaviours › Sharding of Data";
const SHARDS_AUTOMATED_FAILOVER: &str = "Behaviours › Shards Automated Failover";

pub(super) const ENTRIES: &[Entry] = &[
    not_checked(
        ALL,
        "db0beb7fb1e32c9e",
        "a store does by itself what its behaviours say",
        STORE,
    ),
    informs(
        ALL,
        "580cbf09d46990d2",
        "behaviours range from how a store is built to single actions",
    ),
    informs(CLUSTERING, "5ea655fb5364a7de", "names the behaviour"),
    not_checked(CLUSTERING, "1174b4740eb9169f", "a store can run as a cluster", STORE),
    not_checked(
        CLUSTERING,
        "0c90d67865b4cc5c",
        "the nodes of a cluster are processes, each in a place of its own",
        STORE,
    ),
    not_checked(
        CLUSTERING,
        "6fd9361842e57aef",
        "the nodes of a cluster work together by talking to each other",
        STORE,
    ),
    informs(
        CLUSTERING,
        "85d7d5d23d15df9c",
        "the nodes of a cluster need not be alike",
    ),
    informs(
        CLUSTERING,
        "318f613135c51488",
        "a cluster may mix settings and versions",
    ),
    informs(DYNAMIC_NODES_MEMBERSHIP, "e96dc58c66be7252", "names the behaviour"),
    not_checked(
        DYNAMIC_NODES_MEMBERSHIP,
        "9d7af31bc18682f5",
        "nodes can come and go while all others work on",
        STORE,
    ),
    not_checked(
        DYNAMIC_NODES_MEMBERSHIP,
        "b4efaa7eda0a895a",
        "however a store does it, what follows in the row holds",
        "it refers to what follows it, which has entries of its own",
    ),
    informs(
        DYNAMIC_NODES_MEMBERSHIP,
        "5649b345ce3b03f9",
        "names what follows: how nodes come",
    ),
    not_checked(
        DYNAMIC_NODES_MEMBERSHIP,
        "1bf752a4a00d1a27",
        "a new node is whole only once it is in a cluster",
        STORE,
    ),
    not_checked(
        DYNAMIC_NODES_MEMBERSHIP,
        "d9e86a2be2a097be",
        "there are three ways into a cluster",
        "the three ways have entries of their own",
    ),
    not_checked(
        DYNAMIC_NODES_MEMBERSHIP,
        "9ffcc4ce25ab2d2b",
        "first way: a new node finds its cluster as it starts",
        "the store does it without its agent, and before a client could ask",
    ),
    not_checked(
        DYNAMIC_NODES_MEMBERSHIP,
        "bf12e38d0ea03325",
        "second way: an action on the new node brings it in",
        CHANGES,
    ),
    not_checked(
        DYNAMIC_NODES_MEMBERSHIP,
        "d3b119169ea4c80f",
        "third way: an action on a node that is in takes the new one in",
        CHANGES,
    ),
    informs(
        DYNAMIC_NODES_MEMBERSHIP,
        "6a1c3dc78668e363",
        "names what follows: how nodes go",
    ),
    not_checked(
        DYNAMIC_NODES_MEMBERSHIP,
        "17c342433efb574c",
        "a node that was taken out is forgotten by those that stay",
        CHANGES,
    ),
    informs(
        DYNAMIC_NODES_MEMBERSHIP,
        "5740b08e096802cb",
        "why: a node may vanish, or be out of reach when it is given up",
    ),
    partly(
        DYNAMIC_NODES_MEMBERSHIP,
        "756120b98bc33eec",
        "every cluster has an action that takes a node out and forgets it",
        &["kinds.remove", "cluster.remove"],
        "that a node which was there is forgotten is not looked at: the suite changes no cluster; and no answer of the \
         dialect unstable tells which actions there are",
    ),
    checked(
        DYNAMIC_NODES_MEMBERSHIP,
        "3e7b81393687856d",
        "the action works from a node that is in, and does nothing about a node that is not, however often",
        &["cluster.remove"],
    ),
    informs(REPLICATION, "0b73ca14b5d89fd5", "names the behaviour"),
    not_checked(
        REPLICATION,
        "bdcc2a0139f66a64",
        "a store keeps copies of its data on several nodes",
        STORE,
    ),
    not_checked(
        REPLICATION,
        "26a3e1380974c6a9",
        "each shard is copied without regard to the others",
        STORE,
    ),
    partly(
        REPLICATION,
        "9f828b0c6defcf6a",
        "while all is well, each shard has a primary somewhere",
        &["cluster.primary"],
        "of how many nodes a cluster is, no answer tells: a primary may be on one whose agent was not named",
    ),
    informs(
        REPLICATION,
        "8974c9059efd4572",
        "points to the other replication states",
    ),
    informs(SHARDING_OF_DATA, "c33e92d5709b403e", "names the behaviour"),
    partly(
        SHARDING_OF_DATA,
        "a592f20a598a56d0",
        "a store's data is in shards, one or more, that stand alone",
        &["cluster.shards"],
        "whether shards stand alone, only the store knows",
    ),
    informs(
        SHARDING_OF_DATA,
        "28551574c6b43825",
        "leads in what it means for a shard to stand alone",
    ),
    not_checked(
        SHARDING_OF_DATA,
        "cbbec3f7779e2dcc",
        "a write to one shard neither touches nor waits for another",
        STORE,
    ),
    not_checked(
        SHARDING_OF_DATA,
        "fe4b4d0ee691b23c",
        "shards are copied side by side",
        STORE,
    ),
    not_checked(
        SHARDING_OF_DATA,
        "92d656a1513bccfe",
        "one shard can fail without the others",
        STORE,
    ),
    informs(
        SHARDING_OF_DATA,
        "149a9949f9f75a52",
        "several shards may still fail at once",
    ),
    informs(
        SHARDING_OF_DATA,
        "726f45198beba89b",
        "example: a node takes all its shards down with it",
    ),
    informs(
        SHARDING_OF_DATA,
        "2e76201d0460f143",
        "to stand alone is about faults of a shard itself",
    ),
    not_checked(
        SHARDING_OF_DATA,
        "a50228e93e7728b3",
        "damage to one shard's data never reaches another",
        STORE,
    ),
    informs(
        SHARDING_OF_DATA,
        "c31968fa12502fc4",
        "a store without shards counts as one with a single shard",
    ),
    informs(SHARDS_AUTOMATED_FAILOVER, "98c36d95da724d8c", "names the behaviour"),
    informs(
        SHARDS_AUTOMATED_FAILOVER,
        "adabecf4a6be5679",
        "says what a failover is: a secondary takes a failed primary's place",
    ),
    not_checked(
        SHARDS_AUTOMATED_FAILOVER,
        "5030010f7a31a318",
        "a store notices by itself when a primary's node fails, and fails over",
        STORE,
    ),
    not_checked(
        SHARDS_AUTOMATED_FAILOVER,
        "fc74a06afbc42f5c",
        "a store should have a command by which an operator fails over at will",
        STORE,
    ),
];

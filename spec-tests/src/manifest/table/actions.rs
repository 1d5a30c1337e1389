//! What agents do with actions, and the actions that have fixed names.

use super::{CHANGES, KINDS, NEED, checked, informs, not_checked, partly};
use crate::manifest::Entry;

const AGENT_ACTIONS: &str = "Behaviours › Agent Actions";
const ALL: &str = "Actions";
const CLUSTER_INITIALISATION: &str = "Actions › Action: Cluster Initialisation";
const ADD_NODE: &str = "Actions › Action: Add Node";
const JOIN_CLUSTER: &str = "Actions › Action: Join Cluster";
const REMOVE_NODE: &str = "Actions › Action: Remove Node";

pub(super) const ENTRIES: &[Entry] = &[
    informs(AGENT_ACTIONS, "8d405c6e48273c25", "names the behaviour"),
    informs(AGENT_ACTIONS, "4b13810c99cc3b5c", "automation is made of actions"),
    checked(
        AGENT_ACTIONS,
        "e5c618faa8ba90d2",
        "who was given an action keeps track of it and brings it to its end",
        &[
            "action.done",
            "action.failed",
            "action.progress",
            "action.state.forward",
            "stress.kept",
            "stress.alive",
            "crash.durable",
            "crash.final",
            "crash.resumed",
        ],
    ),
    checked(
        AGENT_ACTIONS,
        "53f40d1a252e3301",
        "clients may schedule without counting; an agent with too much to do may refuse",
        &["action.accepted", "action.refused", "stress.kept", "stress.overload"],
    ),
    checked(
        AGENT_ACTIONS,
        "1cf44d9d7435c35c",
        "an agent never runs two actions at once",
        &["action.one_at_a_time"],
    ),
    checked(
        AGENT_ACTIONS,
        "2d8e6670fe320938",
        "actions run one after the other as they were accepted",
        &["action.order", "action.refused", "crash.order", "crash.resumed"],
    ),
    informs(
        AGENT_ACTIONS,
        "bd5a641a6c5a020c",
        "an agent may offer actions of its own beside those that it has to",
    ),
    partly(
        AGENT_ACTIONS,
        "df4443af45036359",
        "an agent should say what its actions are, what they take and what they give",
        &["kinds.documented", "kinds.complete"],
        "the dialect unstable has no place for it, and documents beside the interface are not read",
    ),
    partly(
        ALL,
        "50b9f12094cb8580",
        "some behaviours have to be there as actions of fixed names",
        &[
            "kinds.init",
            "kinds.add",
            "kinds.join",
            "kinds.remove",
            "cluster.remove",
        ],
        NEED,
    ),
    informs(ALL, "b92a6f4dcdd3bf1a", "such actions are what automation is built on"),
    informs(CLUSTER_INITIALISATION, "54838800b6c25259", "names the action"),
    partly(
        CLUSTER_INITIALISATION,
        "b43b7aeefb171d6d",
        "the fixed name of the action that makes a cluster",
        &["kinds.init"],
        KINDS,
    ),
    not_checked(
        CLUSTER_INITIALISATION,
        "a16f256f8d399be9",
        "the action makes a cluster where there is none yet",
        CHANGES,
    ),
    informs(
        CLUSTER_INITIALISATION,
        "80d957556809c238",
        "what that takes, each store knows for itself",
    ),
    informs(
        CLUSTER_INITIALISATION,
        "c258d74bbb0ed102",
        "what the action takes is said in the agent's own documents",
    ),
    informs(
        CLUSTER_INITIALISATION,
        "312fd133d772a748",
        "what the action leaves behind is said in the agent's own documents",
    ),
    partly(
        CLUSTER_INITIALISATION,
        "4e3cd67ca996f0bb",
        "the action is there where a cluster has to be made by hand",
        &["kinds.init"],
        NEED,
    ),
    informs(ADD_NODE, "a9338f3235503089", "names the action"),
    partly(
        ADD_NODE,
        "59891f279c5e0fdb",
        "the fixed name of the action that takes a new node in",
        &["kinds.add"],
        KINDS,
    ),
    not_checked(
        ADD_NODE,
        "10a5a95372e5e395",
        "the action takes a new node into a cluster",
        CHANGES,
    ),
    not_checked(
        ADD_NODE,
        "4303f328183862fc",
        "the action runs on a member, for the sake of another node",
        CHANGES,
    ),
    informs(
        ADD_NODE,
        "c258d74bbb0ed102",
        "what the action takes is said in the agent's own documents",
    ),
    informs(
        ADD_NODE,
        "312fd133d772a748",
        "what the action leaves behind is said in the agent's own documents",
    ),
    partly(
        ADD_NODE,
        "71af154bbabdacf2",
        "the action is there where members take new nodes in",
        &["kinds.add"],
        NEED,
    ),
    informs(JOIN_CLUSTER, "ebd648eb24427623", "names the action"),
    partly(
        JOIN_CLUSTER,
        "44fd3ec9216624a3",
        "the fixed name of the action by which a new node goes in",
        &["kinds.join"],
        KINDS,
    ),
    not_checked(
        JOIN_CLUSTER,
        "a76cd477b42be86b",
        "the action brings a new node into a cluster",
        CHANGES,
    ),
    not_checked(
        JOIN_CLUSTER,
        "9aa78010b46bf49c",
        "the action runs on the new node, which goes in by itself",
        CHANGES,
    ),
    informs(
        JOIN_CLUSTER,
        "c258d74bbb0ed102",
        "what the action takes is said in the agent's own documents",
    ),
    informs(
        JOIN_CLUSTER,
        "312fd133d772a748",
        "what the action leaves behind is said in the agent's own documents",
    ),
    partly(
        JOIN_CLUSTER,
        "fee11ccbf0d2b7c1",
        "the action is there where new nodes go in by themselves",
        &["kinds.join"],
        NEED,
    ),
    informs(REMOVE_NODE, "f6a22afc99f0d754", "names the action"),
    checked(
        REMOVE_NODE,
        "7b7d7549725a0b4e",
        "the fixed name of the action that takes a node out",
        &["kinds.remove", "cluster.remove"],
    ),
    not_checked(
        REMOVE_NODE,
        "37d5b5f50b705e6f",
        "the action takes a node out of its cluster",
        CHANGES,
    ),
    partly(
        REMOVE_NODE,
        "a972704ebd098676",
        "the action runs on a member, to have another node forgotten",
        &["cluster.remove"],
        "that a node which was there is forgotten is not looked at: the suite changes no cluster",
    ),
    checked(
        REMOVE_NODE,
        "36aa92747e862a6b",
        "the action succeeds however often it is asked to take out a node that is gone already",
        &["cluster.remove"],
    ),
    informs(
        REMOVE_NODE,
        "c258d74bbb0ed102",
        "what the action takes is said in the agent's own documents",
    ),
    informs(
        REMOVE_NODE,
        "312fd133d772a748",
        "what the action leaves behind is said in the agent's own documents",
    ),
    partly(
        REMOVE_NODE,
        "1dfbef7727a2b3c3",
        "the action is there where a node that is gone has to be taken out by hand",
        &["kinds.remove"],
        NEED,
    ),
];

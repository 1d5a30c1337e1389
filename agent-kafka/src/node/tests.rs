//! All states of all kinds of nodes, in one file: every case is a change of the same node that is well, and the changes are most
//! of what there is.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use agent_sdk::config::Address;
use agent_sdk::spec::NodeState::{
    self, Healthy, JoiningCluster, LeavingCluster, NotInCluster, Unavailable, Unhealthy, Unknown,
};
use uuid::Uuid;

use super::*;
use crate::ask::cluster::Member;
use crate::client::error::{Awaiting, Garbage};
use crate::client::login::{LoginError, Mechanism};
use crate::client::versions::Unsupported;
use crate::client::{ClientError, Code};
use crate::storage::Format;

/// The node beside the agent: one of three.
pub(crate) const ID: i32 = 2;
pub(crate) const CLUSTER: &str = "5L6g3nShT-eMCtK--X86sw";
pub(crate) const AWAITING: Awaiting = Awaiting::Answer("DescribeQuorum");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Broker,
    Controller,
    Combined,
}

pub(crate) use Kind::{Broker as OfBroker, Combined, Controller as OfController};

/// A node that is well: unfenced and in sync, and a voter of three of which the first leads.
pub(crate) fn node(kind: Kind) -> Facts {
    let cluster = |leader| Cluster {
        id: Some(CLUSTER.to_owned()),
        leader,
        members: [1, ID, 3].map(member).to_vec(),
        lists_fenced: leader.is_none(),
    };
    let broker = Broker {
        versions: Versions::default(),
        cluster: cluster(None),
        own: Own::Itself(configuration(kind)),
        directories: Some(vec![log_directory("/data", false), log_directory("/more", false)]),
        in_sync: Some(true),
    };
    let controller = Controller {
        versions: Versions::default(),
        cluster: cluster(Some(1)),
        own: Own::Itself(configuration(kind)),
    };
    let (voters, observers) = match kind {
        OfBroker => ([1, 3, 4].map(replica).to_vec(), vec![replica(ID)]),
        OfController | Combined => ([1, ID, 3].map(replica).to_vec(), Vec::new()),
    };
    Facts {
        storage: formatted(CLUSTER),
        known_id: Some(ID),
        broker: (kind != OfController).then_some(Ok(broker)),
        controller: (kind != OfBroker).then_some(Ok(controller)),
        quorum: Ok(Quorum {
            leader: Some(1),
            epoch: 4,
            committed: Some(99),
            voters,
            observers,
            nodes: Vec::new(),
        }),
        before: Before::default(),
        joining: false,
    }
}

impl Facts {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// What the broker says, changed.
    pub(crate) fn broker(self, change: impl FnOnce(&mut Broker)) -> Self {
        self.with(|facts| change(facts.broker.as_mut().unwrap().as_mut().unwrap()))
    }

    pub(crate) fn controller(self, change: impl FnOnce(&mut Controller)) -> Self {
        self.with(|facts| change(facts.controller.as_mut().unwrap().as_mut().unwrap()))
    }

    pub(crate) fn quorum(self, change: impl FnOnce(&mut Quorum)) -> Self {
        self.with(|facts| change(facts.quorum.as_mut().unwrap()))
    }

    /// What has no answer in place of what the broker says.
    pub(crate) fn no_broker(self, error: AskError) -> Self {
        self.with(|facts| facts.broker = Some(Err(error)))
    }

    pub(crate) fn no_controller(self, error: AskError) -> Self {
        self.with(|facts| facts.controller = Some(Err(error)))
    }

    pub(crate) fn no_quorum(self, error: AskError) -> Self {
        self.with(|facts| facts.quorum = Err(error))
    }

    /// Neither listener answers, for the same reason.
    pub(crate) fn dead(self, error: fn() -> AskError) -> Self {
        self.with(|facts| {
            facts.broker = facts.broker.take().map(|_| Err(error()));
            facts.controller = facts.controller.take().map(|_| Err(error()));
            facts.quorum = Err(error());
        })
    }

    /// Its voters are these: node and directory.
    pub(crate) fn voters(self, voters: &[(i32, u128)]) -> Self {
        self.quorum(|quorum| quorum.voters = copies(voters))
    }

    pub(crate) fn observers(self, observers: &[(i32, u128)]) -> Self {
        self.quorum(|quorum| quorum.observers = copies(observers))
    }

    pub(crate) fn before(self, before: Before) -> Self {
        self.with(|facts| facts.before = before)
    }

    pub(crate) fn stored(self, storage: Storage) -> Self {
        self.with(|facts| facts.storage = storage)
    }

    /// The broker as the cluster knows it.
    pub(crate) fn member(self, change: impl FnOnce(&mut Member)) -> Self {
        let of = |member: &&mut Member| member.id == ID;
        self.broker(|broker| change(broker.cluster.members.iter_mut().find(of).unwrap()))
    }

    /// The cluster knows no such broker; `lists_fenced`: whether it would tell a fenced one.
    pub(crate) fn unlisted(self, lists_fenced: bool) -> Self {
        self.broker(|broker| {
            broker.cluster.members.retain(|member| member.id != ID);
            broker.cluster.lists_fenced = lists_fenced;
        })
    }

    /// Holds it against a state, and a part of the reason.
    #[track_caller]
    fn is(&self, state: NodeState, why: &str) {
        let status = self.status(None);
        let reason = status.reason().unwrap_or_default();
        assert!(status.state() == state && reason.contains(why), "{status:?}");
        assert!(!why.is_empty() || reason.is_empty(), "{status:?}");
        assert_eq!(self.is_outside(), state == NotInCluster);
    }
}

pub(crate) const SERVED: Before = Before {
    service: Service::InSync,
    unfenced: true,
    voted: false,
};
pub(crate) const UNFENCED: Before = Before {
    service: Service::None,
    ..SERVED
};
pub(crate) const HANDED_OVER: Before = Before {
    service: Service::HandedOver,
    ..SERVED
};
pub(crate) const VOTED: Before = Before { voted: true, ..SERVED };

/// Everybody has the directory of the same number.
pub(crate) fn replica(id: i32) -> Replica {
    Replica {
        id,
        directory: Some(Uuid::from_u128(u128::try_from(id).unwrap())),
        end: Some(100),
        caught_up_ms: Some(50_000),
    }
}

pub(crate) fn copies(of: &[(i32, u128)]) -> Vec<Replica> {
    let copy = |&(id, number): &(i32, u128)| Replica {
        directory: Some(Uuid::from_u128(number)),
        ..replica(id)
    };
    of.iter().map(copy).collect()
}

pub(crate) fn member(id: i32) -> Member {
    Member {
        id,
        address: Address::new("kafka", 9092),
        rack: None,
        fenced: false,
    }
}

pub(crate) fn log_directory(path: &str, failed: bool) -> Directory {
    Directory {
        path: path.to_owned(),
        failed,
        total_bytes: None,
        usable_bytes: None,
    }
}

pub(crate) fn configuration(kind: Kind) -> Configuration {
    Configuration {
        node_id: ID,
        is_broker: kind != OfController,
        is_controller: kind != OfBroker,
        controller_listeners: Vec::new(),
        listeners: Vec::new(),

        joins_by_itself: false,
    }
}

pub(crate) fn formatted(cluster: &str) -> Storage {
    Storage::Formatted(Format {
        node_id: Some(ID),
        cluster_id: Some(cluster.to_owned()),
        directory_id: Some(Uuid::from_u128(2)),
        has_log: true,
    })
}

pub(crate) fn blank() -> Storage {
    Storage::Blank(PathBuf::from("/data"))
}

pub(crate) fn fault(fault: Fault) -> AskError {
    let address = Address::new("kafka", 9092);
    AskError::Client(ClientError { address, fault })
}

pub(crate) fn answered(code: i16) -> AskError {
    AskError::Answered {
        address: Address::new("kafka", 9092),
        api: "DescribeQuorum",
        code: Code(code),
        said: None,
    }
}

pub(crate) fn refused() -> AskError {
    fault(Fault::Connect(io::ErrorKind::ConnectionRefused.into()))
}

pub(crate) fn silent() -> AskError {
    fault(Fault::Silent {
        awaiting: AWAITING,
        within: Duration::from_secs(1),
    })
}

pub(crate) fn closed() -> AskError {
    fault(Fault::Closed { awaiting: AWAITING })
}

pub(crate) fn broken() -> AskError {
    fault(Fault::Broken {
        awaiting: AWAITING,
        cause: io::ErrorKind::ConnectionReset.into(),
    })
}

pub(crate) fn garbage() -> AskError {
    let what = Garbage::Correlation { expected: 1, got: 7 };
    fault(Fault::Garbage {
        awaiting: AWAITING,
        what,
    })
}

pub(crate) fn no_tls() -> AskError {
    fault(Fault::Tls("the certificate is of somebody else".to_owned()))
}

pub(crate) fn no_login() -> AskError {
    fault(Fault::Login(LoginError::Mechanism {
        asked: Mechanism::Plain,
        offered: "GSSAPI".to_owned(),
    }))
}

pub(crate) fn unsupported() -> AskError {
    let (api, needs) = ("DescribeQuorum", "Kafka 3.3");
    fault(Fault::Unsupported(Unsupported::Unknown { api, needs }))
}

pub(crate) fn unfit() -> AskError {
    fault(Fault::Unfit {
        api: "DescribeQuorum",
        reason: "it has no place for it".to_owned(),
    })
}

pub(crate) fn refused_versions() -> AskError {
    fault(Fault::Answered {
        api: "ApiVersions",
        code: Code(58),
    })
}

pub(crate) fn undecided() -> AskError {
    let cause = Box::new(Fault::Closed { awaiting: AWAITING });
    fault(Fault::Undecided {
        api: "AddRaftVoter",
        cause,
    })
}

pub(crate) const ABSENT: [fn() -> AskError; 4] = [refused, silent, closed, broken];
pub(crate) const UNFITTING: [fn() -> AskError; 6] = [garbage, no_tls, no_login, unsupported, unfit, refused_versions];

#[test]
fn a_node_that_is_well_is_healthy_whatever_it_is() {
    for kind in [OfBroker, OfController, Combined] {
        let well = node(kind);
        well.is(Healthy, "");
        assert_eq!(well.cluster_id().unwrap().as_deref(), Some(CLUSTER));
        assert_eq!(
            (well.is_broker(), well.is_controller()),
            (kind != OfController, kind != OfBroker)
        );
        node(kind).before(VOTED).is(Healthy, "");
        // What it is to the cluster is known without its directory, too.
        node(kind).stored(Storage::Unknown).is(Healthy, "");
    }
    node(Combined).quorum(|quorum| quorum.leader = Some(ID)).is(Healthy, "");
}

#[test]
fn who_does_not_answer_is_unavailable() {
    for kind in [OfBroker, OfController, Combined] {
        for error in ABSENT {
            node(kind).dead(error).is(Unavailable, &error().to_string());
        }
        let dead = node(kind).dead(refused);
        assert!(matches!(dead.cluster_id(), Err(StoreError::Unreachable(_))));
        let last = dead.status(Some("3 s ago as a voter"));
        assert!(
            last.reason().unwrap().ends_with("; last seen 3 s ago as a voter"),
            "{last:?}"
        );
    }
    let both = node(Combined).no_broker(refused()).no_controller(silent());
    both.is(Unavailable, "no connection: connection refused; ");
    both.is(Unavailable, "no answer to DescribeQuorum within 1000 ms");
}

#[test]
fn who_answers_and_does_not_fit_is_unknown() {
    for error in UNFITTING
        .into_iter()
        .chain([undecided as fn() -> AskError, || answered(31)])
    {
        for kind in [OfBroker, OfController, Combined] {
            node(kind).dead(error).is(Unknown, &error().to_string());
        }
        node(Combined)
            .no_broker(refused())
            .no_controller(error())
            .is(Unknown, &error().to_string());
        node(Combined)
            .no_broker(error())
            .no_controller(silent())
            .is(Unknown, &error().to_string());
    }
}

#[test]
fn without_a_process_the_log_directories_tell_what_is_known() {
    for kind in [OfBroker, OfController, Combined] {
        let empty = node(kind).dead(refused).stored(blank());
        empty.is(NotInCluster, "/data is not formatted");
        assert_eq!(empty.cluster_id().unwrap(), None);
        // Somebody listens: the directories that the agent is told of are not those of that process, or not mounted.
        for error in [garbage, no_login, closed] {
            let elsewhere = node(kind).dead(error).stored(blank());
            elsewhere.is(Unknown, "are not formatted");
            assert!(elsewhere.cluster_id().is_err());
        }
        let dead = node(kind).dead(refused);
        let dead = dead.stored(Storage::Unclear("one directory cannot be read".to_owned()));
        dead.is(Unavailable, "refused; one directory cannot be read");
        let dead = dead.stored(Storage::Partial(None));
        dead.is(Unavailable, "refused; only some of the log directories are formatted");
        dead.stored(Storage::Unknown).is(Unavailable, "refused");
    }
}

#[test]
fn a_process_that_is_not_the_one_meant_is_unknown() {
    let refuses = |facts: &Facts, why: &str| {
        facts.is(Unknown, why);
        let error = facts.cluster_id().unwrap_err();
        assert!(
            matches!(&error, StoreError::Refused(_)) && error.to_string().contains(why),
            "{error}"
        );
    };
    let another = node(Combined).broker(|broker| broker.own = Own::Another);
    refuses(&another, "store.broker.address is another node, not 2");
    let another = node(OfController).controller(|controller| controller.own = Own::Another);
    refuses(&another, "store.controller.address is another node, not 2");
    refuses(&another.with(|facts| facts.known_id = None), "not this one");
    for kind in [OfBroker, OfController, Combined] {
        let empty = node(kind).stored(blank());
        refuses(&empty, "/data is not formatted, and a process answers");
        let other = node(kind).stored(formatted("another"));
        refuses(
            &other,
            "are of cluster another, and the process is in cluster 5L6g3nShT-eMCtK--X86sw",
        );
    }
    // Also where only one of two listeners is mistaken.
    let mistaken = node(Combined).controller(|it| it.cluster.id = Some("mistaken".to_owned()));
    refuses(&mistaken, "the process is in cluster mistaken");
    // It comes before all else that is wrong.
    let ill = node(Combined)
        .stored(formatted("another"))
        .no_broker(refused())
        .no_quorum(silent());
    refuses(&ill, "cluster another");
}

#[test]
fn what_a_controller_that_has_loaded_nothing_does_not_know_contradicts_nothing() {
    let blank = || {
        node(Combined)
            .no_broker(refused())
            .controller(|it| it.cluster.id = None)
    };
    blank().is(JoiningCluster, "the broker starts, and is not unfenced yet");
    let controller = || {
        node(OfController)
            .controller(|it| it.cluster.id = None)
            .no_quorum(answered(6))
    };
    controller().is(JoiningCluster, "has not reached a quorum");
    for facts in [blank(), controller()] {
        let error = facts.cluster_id().unwrap_err();
        assert!(
            error.to_string().contains("has loaded nothing of its log yet"),
            "{error}"
        );
    }
    let unformatted = controller().stored(super::tests::blank());
    assert!(
        unformatted.cluster_id().is_err(),
        "those are not the directories of this process"
    );
}

#[test]
fn of_two_listeners_both_have_to_answer() {
    let starting = || node(Combined).no_broker(refused());
    starting().is(JoiningCluster, "the broker starts");
    starting().before(UNFENCED).is(JoiningCluster, "the broker starts");
    starting().before(SERVED).is(LeavingCluster, "the broker has stopped");
    assert_eq!(starting().cluster_id().unwrap().as_deref(), Some(CLUSTER));
    // While it stops, its listener takes connections for a moment longer, and closes them.
    for error in [closed, broken] {
        let stopping = node(Combined).no_broker(error()).before(SERVED);
        stopping.is(LeavingCluster, "the broker has stopped");
    }
    // And its controller has no better answers than this one.
    let ending = || node(Combined).no_broker(refused()).no_controller(answered(-1));
    ending().before(SERVED).is(LeavingCluster, "the broker has stopped");
    ending().before(UNFENCED).is(Unknown, "answered with error -1");
    let dead = node(Combined).dead(refused).before(SERVED);
    dead.is(Unavailable, "no connection");
    let hung = node(Combined).no_broker(silent()).before(SERVED);
    hung.is(Unhealthy, "one of two listeners does not answer: kafka:9092");
    for error in [silent, closed, broken] {
        node(Combined)
            .no_broker(error())
            .before(UNFENCED)
            .is(Unhealthy, "one of two listeners");
    }
    for error in ABSENT {
        node(Combined)
            .no_controller(error())
            .is(Unhealthy, "one of two listeners");
    }
    for error in UNFITTING.into_iter().chain([(|| answered(31)) as fn() -> AskError]) {
        node(Combined).no_broker(error()).is(Unknown, &error().to_string());
        // Beside a broker that tells the quorum nothing is missed of a controller that tells the agent nothing.
        if error().code().is_none() {
            node(Combined).no_controller(error()).is(Unknown, &error().to_string());
        }
    }
    node(Combined).no_controller(answered(31)).is(Healthy, "");
    node(OfController).dead(|| answered(31)).is(Unknown, "31");
}

#[test]
fn a_listener_that_the_process_does_not_have_is_not_missed() {
    for error in [refused, silent, garbage] {
        node(OfController).no_broker(error()).is(Healthy, "");
        node(OfBroker).no_controller(error()).is(Healthy, "");
    }
    // Where the process does not tell what it is, the agent's configuration counts.
    let untold = || Own::Untold("DescribeConfigs was answered with 31".to_owned());
    let broker = node(OfBroker)
        .no_controller(refused())
        .broker(|broker| broker.own = untold());
    broker.is(Unhealthy, "one of two listeners");
    let controller = node(OfController)
        .no_broker(refused())
        .controller(|it| it.own = untold());
    controller.is(JoiningCluster, "the broker starts");
}

#[test]
fn without_a_quorum_nobody_is_healthy() {
    for kind in [OfBroker, OfController, Combined] {
        let case = || node(kind);
        let leaderless = case().quorum(|quorum| quorum.leader = None);
        leaderless.is(Unhealthy, "the quorum has no leader and no majority");
        let cut_off = case().quorum(|quorum| quorum.committed = None);
        cut_off.is(Unhealthy, "the quorum has leader 1 and no majority");
        for error in ABSENT.into_iter().chain([(|| answered(6)) as fn() -> AskError]) {
            case()
                .no_quorum(error())
                .is(Unhealthy, &format!("no quorum answers: {}", error()));
        }
        case()
            .no_quorum(answered(35))
            .is(JoiningCluster, "the node loads the metadata log");
        case()
            .no_quorum(answered(31))
            .is(Unknown, "the agent may not see the quorum");
        // What the agent is not let ask, or asks wrongly, says nothing of the quorum.
        for error in UNFITTING {
            case().no_quorum(error()).is(Unknown, &error().to_string());
        }
        // It is still of its cluster.
        let lost = case().no_quorum(silent());
        assert_eq!(lost.cluster_id().unwrap().as_deref(), Some(CLUSTER));
    }
    // The worst comes first: a broker that is fenced because there is no quorum.
    let both = node(OfBroker).before(SERVED).member(|member| member.fenced = true);
    both.no_quorum(silent()).is(Unhealthy, "no quorum answers");
}

#[test]
fn a_broker_is_healthy_once_it_is_registered_and_unfenced() {
    for kind in [OfBroker, Combined] {
        let fenced = || node(kind).member(|member| member.fenced = true);
        fenced().is(JoiningCluster, "the broker is not unfenced yet");
        fenced()
            .before(UNFENCED)
            .is(Unhealthy, "the controllers do not hear from it");
        // 3.9 leaves out who is fenced: there is no way to tell.
        let unlisted = || node(kind).unlisted(false);
        unlisted().is(JoiningCluster, "not unfenced yet, or not registered: this release");
        unlisted()
            .before(UNFENCED)
            .is(Unhealthy, "is fenced, or not registered any more");
        assert_eq!(unlisted().cluster_id().unwrap().as_deref(), Some(CLUSTER));
    }
}

#[test]
fn a_broker_that_is_not_registered_is_in_no_cluster_unless_it_votes() {
    for before in [Before::default(), VOTED] {
        let gone = |kind| node(kind).unlisted(true).before(before);
        for outside in [
            gone(OfBroker),
            gone(Combined).voters(&[(1, 1), (3, 3)]).observers(&[(ID, 2)]),
            gone(Combined).voters(&[(1, 1)]),
        ] {
            outside.is(NotInCluster, "no broker 2 is registered");
            assert_eq!(outside.cluster_id().unwrap(), None);
        }
        let votes = gone(Combined);
        votes.is(
            LeavingCluster,
            "no broker 2 is registered; its controller still is a voter",
        );
        assert_eq!(votes.cluster_id().unwrap().as_deref(), Some(CLUSTER));
    }
}

#[test]
fn a_failed_directory_is_named() {
    let failed = |broker: &mut Broker| {
        broker.directories = Some(vec![log_directory("/data", false), log_directory("/more", true)]);
    };
    for kind in [OfBroker, Combined] {
        node(kind)
            .broker(failed)
            .is(Unhealthy, "log directories have failed: /more");
        let both = node(kind).broker(failed).broker(|broker| {
            broker.directories.as_mut().unwrap()[0].failed = true;
            broker.in_sync = Some(false);
        });
        both.before(SERVED).is(Unhealthy, "have failed: /data, /more");
        node(kind).broker(|broker| broker.directories = None).is(Healthy, "");
    }
}

#[test]
fn a_broker_in_sync_for_nothing_leaves_or_catches_up() {
    for kind in [OfBroker, Combined] {
        let behind = || node(kind).broker(|broker| broker.in_sync = Some(false));
        behind()
            .before(SERVED)
            .is(LeavingCluster, "handed over all its partitions");
        behind().before(UNFENCED).is(Unhealthy, "it catches up");
        behind().is(Unhealthy, "it catches up");
        node(kind)
            .broker(|broker| broker.in_sync = None)
            .before(SERVED)
            .is(Healthy, "");
    }
}

#[test]
fn a_broker_that_has_handed_over_is_fenced_in_the_end() {
    let why = "handed over all its partitions";
    for kind in [OfBroker, Combined] {
        let fenced = || node(kind).member(|member| member.fenced = true);
        for leaving in [
            fenced(),
            node(kind).unlisted(false),
            node(kind).broker(|broker| broker.in_sync = Some(false)),
        ] {
            leaving.before(HANDED_OVER).is(LeavingCluster, why);
        }
        // One that was in sync until then was not told to stop.
        fenced().before(SERVED).is(Unhealthy, "do not hear from it");
        node(OfBroker)
            .unlisted(true)
            .before(HANDED_OVER)
            .is(NotInCluster, "no broker 2");
        node(kind).before(HANDED_OVER).is(Healthy, "");
    }
    let stopped = node(Combined).no_broker(refused()).before(HANDED_OVER);
    stopped.is(LeavingCluster, "the broker has stopped");
}

#[test]
fn a_controller_without_a_vote_is_in_no_cluster_unless_its_broker_is() {
    let observes = |kind| node(kind).voters(&[(1, 1), (3, 3)]).observers(&[(ID, 2)]);
    let standing = "the controller is no voter: those are [1, 3]";
    observes(OfController).is(NotInCluster, standing);
    observes(OfController).before(VOTED).is(NotInCluster, standing);
    assert_eq!(observes(OfController).cluster_id().unwrap(), None);
    observes(OfController)
        .with(|facts| facts.joining = true)
        .is(JoiningCluster, standing);
    node(OfController).voters(&[(1, 1)]).is(NotInCluster, "those are [1]");

    observes(Combined).is(JoiningCluster, "its broker is registered");
    observes(Combined)
        .before(VOTED)
        .is(LeavingCluster, "its broker still is registered");
    observes(Combined)
        .before(VOTED)
        .with(|facts| facts.joining = true)
        .is(JoiningCluster, standing);
    assert_eq!(observes(Combined).cluster_id().unwrap().as_deref(), Some(CLUSTER));
    // A broker that only follows the metadata log is what it should be.
    observes(OfBroker).is(Healthy, "");
}

#[test]
fn a_voter_whose_disk_was_replaced_has_no_vote() {
    // Its old directory votes on; the new one observes.
    let wiped = |kind| node(kind).voters(&[(1, 1), (ID, 20), (3, 3)]).observers(&[(ID, 2)]);
    assert_eq!(wiped(OfController).vote(), Some(Vote::Observes));
    wiped(OfController).is(NotInCluster, "those are [1, 2, 3]");
    wiped(Combined).is(JoiningCluster, "its broker is registered");
    let leads = wiped(Combined).quorum(|quorum| quorum.leader = Some(ID));
    assert_eq!(
        leads.vote(),
        Some(Vote::Observes),
        "its old directory leads, not this one"
    );
    // Who may not read the directory cannot tell them apart.
    assert_eq!(wiped(Combined).stored(Storage::Unknown).vote(), Some(Vote::Votes));
}

#[test]
fn static_voters_are_known_by_their_ids() {
    for kind in [OfController, Combined] {
        let fixed = node(kind).quorum(|quorum| quorum.voters.iter_mut().for_each(|voter| voter.directory = None));
        fixed.is(Healthy, "");
        assert_eq!(fixed.vote(), Some(Vote::Votes));
        assert_eq!(fixed.replica().unwrap().id, ID);
    }
}

#[test]
fn a_voter_that_is_behind_catches_up() {
    let own = |quorum: &mut Quorum, change: fn(&mut Replica)| change(&mut quorum.voters[1]);
    for kind in [OfController, Combined] {
        let late = |change| node(kind).quorum(|quorum| own(quorum, change));
        late(|voter| voter.caught_up_ms = Some(44_000)).is(Unhealthy, "its copy of the metadata log is behind");
        late(|voter| voter.caught_up_ms = None).is(Unhealthy, "is behind");
        late(|voter| voter.caught_up_ms = Some(45_500)).is(Healthy, "");
        // Just after an election the leader knows of nobody how far he is.
        late(|voter| (voter.end, voter.caught_up_ms) = (None, None)).is(Healthy, "");
    }
    let leader = node(Combined).quorum(|quorum| {
        quorum.leader = Some(ID);
        own(quorum, |voter| voter.caught_up_ms = None);
    });
    leader.is(Healthy, "");
}

#[test]
fn who_it_is_is_known_from_its_disk_else_from_itself() {
    for kind in [OfBroker, OfController, Combined] {
        let unknown = || node(kind).with(|facts| facts.known_id = None);
        assert_eq!(unknown().id(), Some(ID));
        unknown().is(Healthy, "");
        assert_eq!(unknown().dead(refused).id(), None);
        assert_eq!(node(kind).dead(refused).id(), Some(ID));
        assert!(node(kind).versions().is_some() && node(kind).dead(refused).versions().is_none());
    }
    let untold = || Own::Untold("it does not tell".to_owned());
    let nobody = node(Combined).with(|facts| facts.known_id = None);
    let nobody = nobody.broker(|it| it.own = untold()).controller(|it| it.own = untold());
    assert_eq!((nobody.id(), nobody.vote(), nobody.replica()), (None, None, None));
    nobody.is(Healthy, "");
    assert_eq!(nobody.summary().as_deref(), Some("a controller"));
    // Its controller tells what its broker does not.
    let half = node(Combined).broker(|it| it.own = untold());
    assert!(half.configuration().is_some_and(|own| own.is_controller));
}

#[test]
fn where_it_stands_to_the_quorum_has_a_word() {
    let standing = |facts: &Facts| facts.vote().map(|vote| (vote.name(), vote.counts()));
    let leads = node(Combined).quorum(|quorum| quorum.leader = Some(ID));
    assert_eq!(standing(&leads), Some(("leader", true)));
    assert_eq!(standing(&node(Combined)), Some(("voter", true)));
    assert_eq!(standing(&node(OfBroker)), Some(("observer", false)));
    assert_eq!(standing(&node(OfBroker).observers(&[])), Some(("none", false)));
    assert_eq!(standing(&node(Combined).no_quorum(silent())), None);
    assert_eq!(node(OfBroker).replica().unwrap().id, ID);
    assert_eq!(node(OfBroker).observers(&[]).replica(), None);
}

#[test]
fn what_it_was_is_told_when_it_is_gone() {
    let summary = |facts: &Facts| facts.summary().unwrap_or_default();
    let leads = node(Combined).quorum(|quorum| quorum.leader = Some(ID));
    assert_eq!(summary(&leads), "an unfenced broker and the leader of the quorum");
    let fenced = node(Combined).member(|member| member.fenced = true);
    assert_eq!(summary(&fenced), "a fenced broker and a voter");
    assert_eq!(summary(&node(OfBroker)), "an unfenced broker");
    for quorum in [
        node(OfController).voters(&[]).observers(&[(ID, 2)]),
        node(OfController).voters(&[]),
    ] {
        assert_eq!(summary(&quorum), "a controller without a vote");
    }
    let lost = node(OfController).no_quorum(silent());
    assert_eq!(summary(&lost), "a controller");
    assert_eq!(node(Combined).dead(refused).summary(), None);
}

#[test]
fn errors_are_sorted_by_who_mends_them() {
    for error in ABSENT.into_iter().chain([undecided as fn() -> AskError]) {
        assert!(
            matches!(store_error(&error()), StoreError::Unreachable(_)),
            "{}",
            error()
        );
    }
    for error in [garbage, unfit] {
        assert!(matches!(store_error(&error()), StoreError::Garbled(_)), "{}", error());
    }
    let refusing = [no_tls, no_login, unsupported, refused_versions];
    for error in refusing.into_iter().chain([(|| answered(31)) as fn() -> AskError]) {
        let told = store_error(&error());
        assert!(matches!(&told, StoreError::Refused(_)), "{told}");
        assert!(told.to_string().contains(&error().to_string()), "{told}");
    }
    // Where both listeners fail, the broker's reason is told.
    let both = node(Combined).no_broker(garbage()).no_controller(refused());
    assert!(matches!(both.cluster_id(), Err(StoreError::Garbled(_))));
    assert!(node(Combined).unanswered().is_none());
}

//! A cluster of three nodes in this process, on free ports and in directories of their own.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::peers;
use crate::protocol::{Code, Fault, Membership, Request, Role, Status};
use crate::server::{Options, Running, start};

const DEADLINE: Duration = Duration::from_secs(20);

/// Returns what `condition` gives as soon as it gives something. Looks again every few milliseconds.
fn wait_until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + DEADLINE;
    loop {
        if let Some(result) = condition() {
            return result;
        }
        assert!(Instant::now() < until, "not in time: {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

struct Toy {
    options: Options,
    running: Option<Running>,
    _dir: TempDir,
}

impl Toy {
    fn new(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (name, listen) = (name.to_owned(), SocketAddr::from(([127, 0, 0, 1], 0)));
        let copy_delay = Duration::from_millis(20);
        let options = Options {
            name,
            dir: dir.path().join("node"),
            listen,
            copy_delay,
        };
        let mut toy = Self {
            options,
            running: None,
            _dir: dir,
        };
        toy.start();
        toy.options.listen = toy.running.as_ref().unwrap().address;
        toy
    }

    fn start(&mut self) {
        self.running = Some(start(self.options.clone()).unwrap());
    }

    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }

    fn address(&self) -> String {
        self.options.listen.to_string()
    }

    fn ask<T: serde::de::DeserializeOwned>(&self, request: Value) -> Result<T, Fault> {
        let request: Request = serde_json::from_value(request).unwrap();
        peers::ask(&self.address(), &request, DEADLINE)
    }

    fn status(&self) -> Status {
        self.ask(json!({"do": "status"})).unwrap()
    }

    fn write(&self, data: &str) -> Result<Value, Fault> {
        self.ask(json!({"do": "write", "data": data}))
    }

    fn change(&self, what: &str, node: &str) -> Result<Membership, Fault> {
        self.ask(json!({"do": what, "node": node}))
    }

    fn data(&self) -> Vec<String> {
        let read: Value = self.ask(json!({"do": "read", "from": 0})).unwrap();
        let entries = read["entries"].as_array().unwrap().iter();
        entries
            .filter_map(|entry| Some(entry["body"]["data"].as_str()?.to_owned()))
            .collect()
    }

    fn wait_for(&self, role: Role) {
        wait_until(&format!("{} is {role:?}", self.options.name), || {
            (self.status().role == role).then_some(())
        });
    }
}

impl Drop for Toy {
    fn drop(&mut self) {
        self.stop();
    }
}

/// `n1` leads, `n2` has joined and `n3` was added.
fn three() -> [Toy; 3] {
    let nodes = ["n1", "n2", "n3"].map(Toy::new);
    let _: Status = nodes[0].ask(json!({"do": "init", "cluster_id": "c"})).unwrap();
    assert_eq!(nodes[1].change("join", &nodes[0].address()).unwrap().config_version, 2);
    // Asked of a secondary, which passes it on.
    assert_eq!(nodes[1].change("add", &nodes[2].address()).unwrap().config_version, 3);
    nodes[0].wait_for(Role::Primary);
    nodes[1].wait_for(Role::Secondary);
    nodes[2].wait_for(Role::Secondary);
    nodes
}

#[test]
fn a_stopped_primary_is_replaced_and_comes_back_without_what_no_majority_held() {
    let mut nodes = three();
    nodes[0].write("a").unwrap();
    wait_until("a is everywhere", || {
        nodes.iter().all(|node| node.data() == ["a"]).then_some(())
    });
    let fault = nodes[1].write("refused").unwrap_err();
    assert_eq!(
        (fault.code, fault.primary.unwrap().name),
        (Code::NotPrimary, "n1".to_owned())
    );

    // Alone, the primary can take a write but not confirm it.
    nodes[1].stop();
    nodes[2].stop();
    assert_eq!(nodes[0].write("lost").unwrap_err().code, Code::NoQuorum);
    assert_eq!(nodes[0].data(), ["a"]);
    let longest = nodes[0].status().commit_offset;
    nodes[0].stop();

    nodes[1].start();
    nodes[2].start();
    let successor = wait_until("a successor", || {
        nodes[1..].iter().find(|node| node.status().role == Role::Primary)
    });
    successor.write("b").unwrap();
    let epoch = successor.status().epoch;
    nodes[0].start();
    nodes[0].wait_for(Role::Secondary);
    wait_until("all agree", || {
        nodes.iter().all(|node| node.data() == ["a", "b"]).then_some(())
    });
    let back = nodes[0].status();
    assert_eq!((back.epoch, back.lag, back.config_version), (epoch, Some(0), 3));
    assert!(longest > 0 && back.cluster_id.as_deref() == Some("c"));
}

#[test]
fn a_dead_member_is_removed_once_and_learns_it_when_it_returns() {
    let mut nodes = three();
    nodes[0].stop();
    let again = wait_until("a removal by the successor", || nodes[1].change("remove", "n1").ok());
    assert_eq!((again.changed, again.config_version), (true, 4));
    for node in ["n1", &nodes[0].address(), "never-known"] {
        let nothing = nodes[2].change("remove", node).unwrap();
        assert_eq!((nothing.changed, nothing.config_version), (false, 4));
    }
    nodes[0].start();
    nodes[0].wait_for(Role::None);
    assert_eq!(
        (nodes[0].status().cluster_id, nodes[0].status().commit_offset),
        (None, 0)
    );
    // And may come back.
    assert!(nodes[0].change("join", &nodes[1].address()).unwrap().changed);
    nodes[0].wait_for(Role::Secondary);
}

#[test]
fn a_primary_that_is_removed_hands_over_first_but_not_when_it_is_alone() {
    let nodes = three();
    nodes[0].write("a").unwrap();
    assert_eq!(nodes[0].change("remove", "n1").unwrap().config_version, 4);
    nodes[0].wait_for(Role::None);
    let leads = wait_until("a successor", || {
        nodes[1..].iter().find(|node| node.status().role == Role::Primary)
    });
    leads.write("b").unwrap();
    assert_eq!(leads.data(), ["a", "b"]);
    let last = leads.status().name;
    let other = if last == "n2" { "n3" } else { "n2" };
    assert_eq!(leads.change("remove", other).unwrap().members.len(), 1);
    assert_eq!(leads.change("remove", &last).unwrap_err().code, Code::LastMember);
}

#[test]
fn what_cannot_be_a_member_is_refused_and_nothing_changes() {
    let mut nodes = three();
    let fault = nodes[0].ask::<Status>(json!({"do": "init"})).unwrap_err();
    assert_eq!(
        (fault.code, fault.cluster_id.as_deref()),
        (Code::AlreadyInitialised, Some("c"))
    );
    let (other, twin) = (Toy::new("n4"), Toy::new("n2"));
    assert_eq!(
        nodes[0].change("add", &twin.address()).unwrap_err().code,
        Code::NameTaken
    );
    assert_eq!(
        other.change("add", &twin.address()).unwrap_err().code,
        Code::NotInCluster
    );
    let guarded = json!({"do": "add", "node": other.address(), "if_version": 2});
    assert_eq!(
        nodes[0].ask::<Membership>(guarded).unwrap_err().code,
        Code::VersionChanged
    );
    let _: Status = other.ask(json!({"do": "init", "cluster_id": "d"})).unwrap();
    assert_eq!(
        nodes[0].change("add", &other.address()).unwrap_err().code,
        Code::OtherCluster
    );
    assert_eq!(
        other.change("join", &nodes[0].address()).unwrap_err().code,
        Code::AlreadyInitialised
    );
    assert!(!nodes[0].change("add", &nodes[1].address()).unwrap().changed);
    nodes[2].stop();
    assert_eq!(
        nodes[0].change("add", &nodes[2].address()).unwrap_err().code,
        Code::Unreachable
    );
    // Without n3, removing n2 would leave the primary with a dead companion.
    assert_eq!(nodes[0].change("remove", "n2").unwrap_err().code, Code::NotReady);
    assert_eq!(nodes[0].status().config_version, 3);
}

#[test]
fn a_change_that_was_passed_on_and_not_answered_is_undecided_not_refused() {
    let deaf = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = deaf.local_addr().unwrap().to_string();
    let request = || serde_json::from_value(json!({"do": "remove", "node": "n2"})).unwrap();
    let pass_on = |request: Request| peers::pass_on::<Membership>(&address, &request, DEADLINE);
    let closes = thread::spawn(move || drop(deaf.accept()));
    assert_eq!(pass_on(request()).unwrap_err().code, Code::Unanswered);
    closes.join().unwrap();
    assert_eq!(
        pass_on(request()).unwrap_err().code,
        Code::Unreachable,
        "nobody listens any more"
    );
}

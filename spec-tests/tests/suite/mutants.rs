//! Every check can fail, and fails alone: each mutant is caught by the checks that its fault breaks, and by no other.

mod lawful;
mod table;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use spec_tests::dialect::Dialect;
use spec_tests::gather::Crash;
use spec_tests::verdict::{Level, Outcome, Report};
use spec_tests::{Settings, Suite, check};

use crate::mutant::child::Child;
use crate::mutant::{Agent, Fault, Options, Role};
use lawful::LAWFUL;
use table::{CAUGHT, Caught, Stage, UNSEEN};

/// Mutants that are looked at together: they mostly wait, but for those that are put under load.
const AT_ONCE: [usize; 2] = [24, 4];

/// Has these judged, together.
pub fn judged_at(agents: &[Agent], level: Level) -> Report {
    let addresses: Vec<_> = agents.iter().map(|agent| agent.address.clone()).collect();
    let settings = Settings {
        level,
        ..Settings::default()
    };
    run(&addresses, settings)
}

fn run(agents: &[String], settings: Settings) -> Report {
    let agents = agents.iter().map(|agent| agent.parse().unwrap()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(Suite::new(agents, settings).run(|_| {}, std::future::pending()))
        .unwrap()
}

/// Has an agent with this fault judged where the fault can show; the right agent where there is none.
fn judged(fault: Option<Fault>, stage: Stage) -> Report {
    let faults: Vec<_> = fault.into_iter().collect();
    let options = |role| Options {
        faults: faults.clone(),
        role,
        ..Options::default()
    };
    let at = |level| Settings {
        level,
        ..Settings::default()
    };
    match stage {
        Stage::Looks | Stage::Copy => {
            let role = if stage == Stage::Copy {
                Role::Secondary
            } else {
                Role::Primary
            };
            let agent = Agent::start(options(role));
            run(std::slice::from_ref(&agent.address), at(Level::Read))
        }
        Stage::Cluster | Stage::ClusterActs | Stage::OneOfCluster => {
            let first = Options {
                node_id: "node-1".to_owned(),
                ..options(Role::Primary)
            };
            let mut others = first.clone();
            if stage == Stage::OneOfCluster {
                others.faults.clear();
            }
            let agents: Vec<_> = [first.clone(), others.peer("node-2"), others.peer("node-3")]
                .into_iter()
                .map(Agent::start)
                .collect();
            let addresses: Vec<_> = agents.iter().map(|agent| agent.address.clone()).collect();
            let acts = stage == Stage::ClusterActs;
            run(&addresses, at(if acts { Level::Actions } else { Level::Read }))
        }
        Stage::Acts => {
            let agent = Agent::start(options(Role::Primary));
            run(std::slice::from_ref(&agent.address), at(Level::Actions))
        }
        Stage::Removes => {
            let agent = Agent::start(options(Role::Primary));
            let settings = Settings {
                absent_node: Some("no-such-node".to_owned()),
                ..at(Level::Actions)
            };
            run(std::slice::from_ref(&agent.address), settings)
        }
        Stage::Stress => {
            let agent = Agent::start(options(Role::Primary));
            run(std::slice::from_ref(&agent.address), at(Level::Stress))
        }
        Stage::Crash => {
            let child = Child::start(&faults);
            let settings = Settings {
                crash: Some(Crash {
                    kill: child.kill_command(),
                    restart: child.restart_command(),
                }),
                ..at(Level::Stress)
            };
            run(std::slice::from_ref(&child.address), settings)
        }
    }
}

/// What broke, by dialect.
fn broken(report: &Report, dialect: Dialect) -> BTreeSet<&'static str> {
    let of = report.checks.iter().filter(|judged| judged.dialect == dialect);
    let broken = of.filter(|judged| matches!(judged.outcome, Outcome::Broken { .. }));
    broken.map(|judged| judged.id).collect()
}

/// Does this for each, so many at a time, and collects of which something is said, and what.
fn each<T: Sync>(all: &[T], at_once: usize, say: impl Fn(&T) -> Option<String> + Sync) -> Vec<(&T, String)> {
    let (next, said) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Some(words) = say(one) {
                        said.lock().unwrap().push((one, words));
                    }
                }
            });
        }
    });
    said.into_inner().unwrap()
}

#[test]
fn the_right_agent_is_conformant_wherever_a_mutant_is_tried() {
    let stages = [
        Stage::Looks,
        Stage::Copy,
        Stage::Cluster,
        Stage::ClusterActs,
        Stage::Acts,
        Stage::Removes,
        Stage::Stress,
        Stage::Crash,
    ];
    let wrong = each(&stages, AT_ONCE[1], |stage| {
        let report = judged(None, *stage);
        (!report.is_conformant()).then(|| format!("{stage:?}:\n{}", spec_tests::report::text(&report, false)))
    });
    // No second try: what is said of the right agent once would be said of a vendor's, too.
    let wrong: Vec<_> = wrong.into_iter().map(|(_, words)| words).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_mutant_is_caught_by_the_checks_that_it_breaks_and_by_no_other() {
    // One alone, by its name, for who works at it.
    let only = std::env::var("MUTANT").ok();
    let wanted = |caught: &&Caught| only.as_ref().is_none_or(|only| *only == format!("{:?}", caught.fault));
    let (loaded, light): (Vec<_>, Vec<_>) = CAUGHT
        .iter()
        .filter(wanted)
        .partition(|caught| matches!(caught.stage, Stage::Stress | Stage::Crash));
    let say = |caught: &&Caught| {
        let report = judged(Some(caught.fault), caught.stage);
        let found = Dialect::ALL.map(|dialect| broken(&report, dialect));
        let expected = [caught.v1, caught.unstable].map(|ids| ids.iter().copied().collect());
        (found != expected).then(|| {
            let Caught { fault, stage, .. } = caught;
            format!("{fault:?} at {stage:?}: {found:?}, and not {expected:?}")
        })
    };
    let mut doubtful = each(&light, AT_ONCE[0], say);
    doubtful.extend(each(&loaded, AT_ONCE[1], say));
    // Many at a time make a machine busy, and an agent late: each of these is done once more, alone, and that counts.
    let wrong: Vec<_> = doubtful.into_iter().filter_map(|(caught, _)| say(caught)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_check_has_a_mutant_and_every_mutant_has_its_place() {
    let caught: BTreeSet<_> = CAUGHT
        .iter()
        .flat_map(|caught| [caught.v1, caught.unstable].concat())
        .collect();
    let without: Vec<_> = check::all()
        .map(|check| check.id)
        .filter(|id| !caught.contains(id))
        .collect();
    assert!(without.is_empty(), "checks that nothing shows to fail: {without:?}");
    for (fault, _) in Fault::ALL {
        let seen = CAUGHT.iter().filter(|caught| caught.fault == *fault).count();
        let unseen = UNSEEN.iter().filter(|(unseen, _)| unseen == fault).count();
        let lawful = LAWFUL.iter().filter(|(lawful, ..)| lawful == fault).count();
        assert_eq!(seen + unseen + lawful, 1, "{fault:?}");
    }
}

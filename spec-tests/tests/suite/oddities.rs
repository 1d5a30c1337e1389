//! No lawful agent is accused: what is usual is no rule.

use spec_tests::verdict::{Conclusion, Level, Outcome, Report};

use crate::mutant::{Agent, Fault, Oddity, Options};
use crate::mutants::judged_at;

/// Lawful agents, and what cannot be said of them.
struct Odd {
    what: &'static str,
    /// One for each node of a cluster.
    nodes: &'static [&'static [Oddity]],
    level: Level,
    /// Checks that must not have run: without any of them, all have to hold.
    unseen: &'static [&'static str],
}

const PLAIN: &[Oddity] = &[];

const fn one(what: &'static str, node: &'static [&'static [Oddity]], level: Level) -> Odd {
    Odd {
        what,
        nodes: node,
        level,
        unseen: &[],
    }
}

const fn cluster(what: &'static str, nodes: &'static [&'static [Oddity]], unseen: &'static [&'static str]) -> Odd {
    Odd {
        what,
        nodes,
        level: Level::Read,
        unseen,
    }
}

const OF_SHARDS: &[&str] = &["cluster.shards", "cluster.primary", "cluster.shard_ids"];

const ALL: &[Odd] = &[
    one("an official name", &[&[Oddity::OfficialName]], Level::Read),
    one("an Allow of two lines", &[&[Oddity::AllowByLine]], Level::Read),
    one("a bare 404", &[&[Oddity::BareNotFound]], Level::Read),
    one("shards in any order", &[&[Oddity::Shuffled]], Level::Read),
    one("1000.0", &[&[Oddity::Fractions]], Level::Read),
    one(
        "an offset that another's follows",
        &[&[Oddity::FollowsAnother]],
        Level::Read,
    ),
    one("an offset that cannot be read", &[&[Oddity::Unreadable]], Level::Read),
    one("an answer that is late once", &[&[Oddity::LateOnce]], Level::Read),
    one("a node that joins meanwhile", &[&[Oddity::Joins]], Level::Read),
    one("a node that goes to another cluster", &[&[Oddity::Moves]], Level::Read),
    one("nulls", &[&[Oddity::Nulls]], Level::Actions),
    one("a clock that is ahead", &[&[Oddity::ForeignClock]], Level::Actions),
    cluster(
        "a fresh cluster",
        &[&[Oddity::Outside], &[Oddity::Outside], &[Oddity::Outside]],
        OF_SHARDS,
    ),
    cluster(
        "a primary that is not well",
        &[&[Oddity::Unwell], PLAIN, PLAIN],
        OF_SHARDS,
    ),
    cluster(
        "a primary that cannot be asked",
        &[&[Oddity::Silent], PLAIN, PLAIN],
        OF_SHARDS,
    ),
    cluster(
        "a node that has yet to join",
        &[PLAIN, PLAIN, &[Oddity::Outside]],
        OF_SHARDS,
    ),
    cluster("a failover", &[&[Oddity::HandsOver], &[Oddity::TakesOver], PLAIN], &[]),
    cluster("a node without a shard", &[PLAIN, PLAIN, &[Oddity::Bare]], &[]),
    cluster(
        "a shard whose primary's agent was not named",
        &[PLAIN, PLAIN, &[Oddity::FurtherCopy]],
        &["cluster.primary", "cluster.shard_ids"],
    ),
];

fn start(nodes: &[&[Oddity]], faults: &[Fault]) -> Vec<Agent> {
    let first = Options {
        faults: faults.to_vec(),
        ..Options::default()
    };
    let options = nodes.iter().enumerate().map(|(number, oddities)| Options {
        oddities: oddities.to_vec(),
        ..match number {
            0 => first.clone(),
            number => first.peer(&format!("node-{}", number + 1)),
        }
    });
    options.map(Agent::start).collect()
}

/// What is said against a report: that something is broken, or was seen that cannot be, or was not that can.
fn wrong(report: &Report, unseen: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    for judged in &report.checks {
        let lawful = match &judged.outcome {
            Outcome::Broken { .. } => false,
            Outcome::NotRun { .. } => !unseen.is_empty(),
            _ => !unseen.contains(&judged.id),
        };
        if !lawful {
            wrong.push(format!("{} in {}: {:?}", judged.id, judged.dialect, judged.outcome));
        }
    }
    let conclusion = if unseen.is_empty() {
        Conclusion::Conformant
    } else {
        Conclusion::Partial
    };
    let others = report
        .verdicts
        .iter()
        .filter(|verdict| verdict.conclusion != conclusion);
    wrong.extend(others.map(ToString::to_string));
    wrong
}

#[test]
fn no_lawful_agent_is_accused() {
    let mut all = Vec::new();
    for Odd {
        what,
        nodes,
        level,
        unseen,
    } in ALL
    {
        let report = judged_at(&start(nodes, &[]), *level);
        all.extend(
            wrong(&report, unseen)
                .into_iter()
                .map(|wrong| format!("{what}: {wrong}")),
        );
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn an_id_that_a_client_gives_to_all_agents_is_the_client_s_deed() {
    let report = judged_at(&start(&[PLAIN, PLAIN], &[Fault::SameActionEverywhere]), Level::Actions);
    assert_eq!(wrong(&report, &[]), Vec::<String>::new());
}

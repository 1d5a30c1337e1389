//! Reports to try the formats on, among them one whose agent means ill.

use crate::dialect::Dialect;
use crate::verdict::{Accepted, BaselineFault, Finding, Judged, Level, Outcome, Report, Severity, Unseen, Verdict};

/// What an agent may say to whoever reads a report: markup, the end of a section, terminal sequences, text that turns around.
pub(crate) const HOSTILE: &str =
    "<script>alert('x')</script>]]>\u{1b}[2J\u{1b}]0;gone\u{7}\u{9b}31m\u{0}\u{202e}\"&amp;";

pub(crate) fn judged(id: &'static str, severity: Severity, outcome: Outcome) -> Judged {
    Judged {
        id,
        rule: "a rule, in our words",
        severity,
        level: Level::Read,
        dialect: Dialect::V1,
        places: vec!["Agents > Attributes, row `a`"],
        reference: "docs/wire.md#the-node",
        outcome,
        accepted: None,
    }
}

pub(crate) fn broken() -> Outcome {
    Outcome::Broken {
        findings: vec![Finding {
            agent: "http://127.0.0.1:8000".to_owned(),
            expected: "one of the seven".to_owned(),
            got: "\"WELL\"".to_owned(),
            curl: vec!["curl -i 'http://127.0.0.1:8000/api/v1/info/node'".to_owned()],
        }],
    }
}

pub(crate) fn accepted(judged: Judged) -> Judged {
    Judged {
        accepted: Some(Accepted {
            reason: "mended in 2.1".to_owned(),
            expires: "2026-12-31".to_owned(),
        }),
        ..judged
    }
}

pub(crate) fn report(checks: Vec<Judged>) -> Report {
    Report {
        schema: 1,
        suite: "0.0.0",
        agents: vec!["http://127.0.0.1:8000".to_owned()],
        began: "2026-01-02T03:04:05Z".to_owned(),
        took_ms: 1234,
        cut_short: None,
        unreachable: None,
        unseen: Vec::new(),
        verdicts: vec![Verdict::of(Dialect::V1, Level::Read, &checks)],
        checks,
        differences: Vec::new(),
        baseline_faults: Vec::new(),
    }
}

/// One of a run that came to nothing.
pub(crate) fn unreachable() -> Report {
    let mut report = report(Vec::new());
    report.verdicts.clear();
    report.unreachable = Some("the agent at http://127.0.0.1:8000 cannot be asked: no connection".to_owned());
    report
}

/// One of each outcome, and of each thing that can go wrong.
pub(crate) fn every() -> Report {
    let reason = |reason: &str| reason.to_owned();
    let not_run = Outcome::NotRun {
        reason: reason("GET /api/v1/info/store has no good answer"),
    };
    let not_asked = Outcome::NotAsked {
        reason: reason("it takes more than one agent: --agent URL --agent URL"),
    };
    let idle = Outcome::Idle {
        reason: reason("no shard is on the node"),
    };
    let mut report = report(vec![
        judged("node.id", Severity::Must, Outcome::Held { seen: 3 }),
        judged("node.status", Severity::Must, broken()),
        accepted(judged("node.agent_version", Severity::Should, broken())),
        judged("store.cluster_id", Severity::Must, not_run),
        judged("cluster.id", Severity::Must, not_asked),
        judged("shards.unique", Severity::Wire, idle),
    ]);
    report.cut_short = Some("Ctrl-C".to_owned());
    report.unseen.push(Unseen {
        dialect: Dialect::Unstable,
        agents: report.agents.clone(),
        reason: "GET /api/unstable/info/node is answered with 404".to_owned(),
    });
    report
        .differences
        .push("run 2 differs from the first: v1 node.id: held, then broken".to_owned());
    report.baseline_faults.push(BaselineFault {
        entry: "info.prompt of v1".to_owned(),
        fault: "it is not needed: the check holds".to_owned(),
    });
    report
}

/// One whose every text from outside is [`HOSTILE`].
pub(crate) fn hostile() -> Report {
    let text = || HOSTILE.to_owned();
    let finding = Finding {
        agent: text(),
        expected: text(),
        got: text(),
        curl: vec![text()],
    };
    let mut report = report(vec![
        judged(
            "node.id",
            Severity::Must,
            Outcome::Broken {
                findings: vec![finding],
            },
        ),
        judged("node.status", Severity::Must, Outcome::NotRun { reason: text() }),
        judged("info.prompt", Severity::Must, Outcome::NotAsked { reason: text() }),
        judged("store.cluster_id", Severity::Must, Outcome::Idle { reason: text() }),
        Judged {
            accepted: Some(Accepted {
                reason: text(),
                expires: text(),
            }),
            ..judged("shards.unique", Severity::Must, broken())
        },
    ]);
    report.agents.push(text());
    report.cut_short = Some(text());
    report.unreachable = Some(text());
    report.differences.push(text());
    report.unseen.push(Unseen {
        dialect: Dialect::Unstable,
        agents: vec![text()],
        reason: text(),
    });
    report.baseline_faults.push(BaselineFault {
        entry: text(),
        fault: text(),
    });
    report
}

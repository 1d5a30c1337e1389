//! From what checks found to what is said of an agent.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::dialect::Dialect;

/// How deep a run goes. Each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Only looks: nothing is changed.
    Read,
    /// Schedules actions of the kinds `agent.replicante.io/test.*`, which change nothing but the agent's own records.
    Actions,
    /// Adds load, hostile requests and, where commands for it are given, crashes.
    Stress,
}

impl Level {
    /// All, from the lowest.
    pub const ALL: [Self; 3] = [Self::Read, Self::Actions, Self::Stress];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Actions => "actions",
            Self::Stress => "stress",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much a rule binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The specification demands it.
    Must,
    /// The specification recommends it, or expects it.
    Should,
    /// The contract of the dialect asks for it.
    Wire,
}

impl Severity {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Wire => "wire",
        }
    }
}

/// One way in which a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// Which agent.
    pub agent: String,
    /// What was expected.
    pub expected: String,
    /// What came, trimmed, secrets masked.
    pub got: String,
    /// A line of curl to see it again; several where it takes more than one.
    pub curl: Vec<String>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// The rule holds, seen this many times.
    Held {
        /// How often it was seen to hold.
        seen: usize,
    },
    /// Nothing that the rule speaks of is there, and need not be: an optional attribute, say.
    Idle {
        /// What is not there.
        reason: String,
    },
    /// The rule is broken.
    Broken {
        /// How; never empty.
        findings: Vec<Finding>,
    },
    /// Seeing it takes something that the run was not given: a second agent, say. It does not count.
    NotAsked {
        /// What it takes.
        reason: String,
    },
    /// It could not be seen whether the rule holds.
    NotRun {
        /// Why.
        reason: String,
    },
}

/// A check of one dialect, with what it found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Judged {
    /// The check's id.
    pub id: &'static str,
    /// Its rule, in our words.
    pub rule: &'static str,
    /// How much the rule binds.
    pub severity: Severity,
    /// The lowest level at which it can be seen.
    pub level: Level,
    /// In which dialect it was looked at.
    pub dialect: Dialect,
    /// Where in the specification the rule stands; none for what only the contract of the dialect says.
    pub places: Vec<&'static str>,
    /// Where the right answer is written down.
    pub reference: &'static str,
    /// What was found.
    pub outcome: Outcome,
    /// Why it may be broken for now, where a baseline says so and it is.
    pub accepted: Option<Accepted>,
}

/// Why a rule may be broken for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Accepted {
    /// In the words of the baseline.
    pub reason: String,
    /// The last day, in UTC, as `YYYY-MM-DD`.
    pub expires: String,
}

/// An entry of a baseline that does not do what it was written for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BaselineFault {
    /// Which: the check, and the dialect where one is named.
    pub entry: String,
    /// What is wrong with it.
    pub fault: String,
}

/// What is said of an agent, or of a cluster of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Every rule that counts was seen to hold.
    Conformant,
    /// No demand was seen broken that is not accepted, and something could not be looked at, a recommendation is not
    /// followed, or what is broken is accepted.
    Partial,
    /// A demand of the specification, or of the dialect, is broken.
    NotConformant,
}

impl Conclusion {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Conformant => "conformant",
            Self::Partial => "partial",
            Self::NotConformant => "not conformant",
        }
    }
}

/// The verdict on one dialect at one level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verdict {
    /// Which dialect.
    pub dialect: Dialect,
    /// At which level.
    pub level: Level,
    /// What is said.
    pub conclusion: Conclusion,
    /// Checks that held, idle ones included.
    pub held: usize,
    /// Checks that are broken and not accepted: demands, recommendations, contract.
    pub broken: [usize; 3],
    /// Checks that are broken, which a baseline accepts.
    pub accepted: usize,
    /// Checks that could not be looked at.
    pub not_run: usize,
    /// Those of them that are demands.
    pub not_run_must: usize,
    /// Checks for which the run was not given what they take; they do not count.
    pub not_asked: usize,
}

impl Verdict {
    /// What follows from the checks of one dialect up to a level.
    ///
    /// A broken MUST, or a broken contract, is not conformant. A broken SHOULD, or anything that could not be looked at, is
    /// partial: a MUST that did not run never yields conformant. What a baseline accepts is partial too, whatever it binds:
    /// it is broken all the same.
    pub fn of(dialect: Dialect, level: Level, judged: &[Judged]) -> Self {
        let mut verdict = Self {
            dialect,
            level,
            conclusion: Conclusion::Conformant,
            held: 0,
            broken: [0; 3],
            accepted: 0,
            not_run: 0,
            not_run_must: 0,
            not_asked: 0,
        };
        let counts = judged
            .iter()
            .filter(|judged| judged.dialect == dialect && judged.level <= level);
        for judged in counts {
            match &judged.outcome {
                Outcome::Held { .. } | Outcome::Idle { .. } => verdict.held += 1,
                Outcome::NotAsked { .. } => verdict.not_asked += 1,
                Outcome::Broken { .. } if judged.accepted.is_some() => verdict.accepted += 1,
                Outcome::Broken { .. } => verdict.broken[judged.severity as usize] += 1,
                Outcome::NotRun { .. } => {
                    verdict.not_run += 1;
                    verdict.not_run_must += usize::from(judged.severity == Severity::Must);
                }
            }
        }
        let [must, should, wire] = verdict.broken;
        verdict.conclusion = if must + wire > 0 {
            Conclusion::NotConformant
        } else if should + verdict.accepted + verdict.not_run > 0 || verdict.held == 0 {
            Conclusion::Partial
        } else {
            Conclusion::Conformant
        };
        verdict
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dialect,
            level,
            conclusion,
            held,
            broken: [must, should, wire],
            accepted,
            not_run,
            not_run_must,
            not_asked,
        } = self;
        write!(
            f,
            "{dialect}, level {level}: {} ({held} held; broken: {must} MUST, {should} SHOULD, {wire} wire; {accepted} accepted; \
             {not_run} not run, {not_run_must} of them MUST; {not_asked} not asked for)",
            conclusion.words()
        )
    }
}

/// A dialect that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unseen {
    /// Which.
    pub dialect: Dialect,
    /// At which agents.
    pub agents: Vec<String>,
    /// Why.
    pub reason: String,
}

/// Everything that a run has found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Report {
    /// Version of this document's shape: a number more with each change that a reader has to know of.
    pub schema: u32,
    /// Version of the suite.
    pub suite: &'static str,
    /// Which agents.
    pub agents: Vec<String>,
    /// When it began, RFC 3339.
    pub began: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Whether it was ended before its end, and by what.
    pub cut_short: Option<String>,
    /// Why there is nothing to report, where an agent cannot be asked at all.
    pub unreachable: Option<String>,
    /// Dialects that were not looked at.
    pub unseen: Vec<Unseen>,
    /// One for each dialect and level.
    pub verdicts: Vec<Verdict>,
    /// Every check of every dialect.
    pub checks: Vec<Judged>,
    /// In what later runs of the same came to something else, where there were any.
    pub differences: Vec<String>,
    /// What is wrong with the baseline, where one was given.
    pub baseline_faults: Vec<BaselineFault>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(severity: Severity, level: Level, outcome: Outcome) -> Judged {
        Judged {
            id: "x",
            rule: "",
            severity,
            level,
            dialect: Dialect::V1,
            places: Vec::new(),
            reference: "",
            outcome,
            accepted: None,
        }
    }

    fn held() -> Outcome {
        Outcome::Held { seen: 1 }
    }

    fn broken() -> Outcome {
        Outcome::Broken { findings: Vec::new() }
    }

    fn not_run() -> Outcome {
        Outcome::NotRun { reason: String::new() }
    }

    #[test]
    fn a_verdict_never_says_more_than_was_seen() {
        use Severity::{Must, Should, Wire};
        let of = |judged: &[Judged]| Verdict::of(Dialect::V1, Level::Actions, judged).conclusion;
        let one = |severity, outcome| {
            of(&[
                judged(Must, Level::Read, held()),
                judged(severity, Level::Actions, outcome),
            ])
        };
        assert_eq!(one(Must, held()), Conclusion::Conformant);
        assert_eq!(one(Must, not_run()), Conclusion::Partial);
        assert_eq!(one(Wire, not_run()), Conclusion::Partial);
        assert_eq!(one(Should, broken()), Conclusion::Partial);
        assert_eq!(one(Must, broken()), Conclusion::NotConformant);
        assert_eq!(one(Wire, broken()), Conclusion::NotConformant);
        assert_eq!(of(&[]), Conclusion::Partial, "nothing was seen");
        let above = judged(Must, Level::Stress, broken());
        assert_eq!(
            of(&[judged(Must, Level::Read, held()), above]),
            Conclusion::Conformant,
            "it counts from its level on"
        );
        let accepted = Judged {
            accepted: Some(Accepted {
                reason: String::new(),
                expires: String::new(),
            }),
            ..judged(Must, Level::Read, broken())
        };
        assert_eq!(
            of(&[judged(Must, Level::Read, held()), accepted]),
            Conclusion::Partial,
            "what is accepted is broken all the same"
        );
        let idle = Outcome::Idle { reason: String::new() };
        assert_eq!(one(Should, idle), Conclusion::Conformant);
    }
}

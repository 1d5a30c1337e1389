//! A whole run: gather, judge, report.

mod absent;
mod masked;
mod present;

use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::task::JoinSet;

use crate::check::{self, Case, Check, Judge};
use crate::client::{Address, Client, Credentials, Limits, Run, Tls};
use crate::dialect::Dialect;
use crate::gather::{self, Evidence, Plan, Seen};
use crate::manifest;
use crate::verdict::{Judged, Level, Outcome, Report, Verdict};
use masked::{masked, masked_error};
use present::Present;

/// Longer than any run.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long a run that is cut short may take to put together what it has.
const CLOSING: Duration = Duration::from_secs(5);

/// What a run is to do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How deep.
    pub level: Level,
    /// Only these dialects, present or not; those that are present where it is empty.
    pub dialects: Vec<Dialect>,
    /// How long to look again and again, for what must not change.
    pub observe: Duration,
    /// For one request.
    pub timeout: Duration,
    /// For the whole run.
    pub deadline: Duration,
    /// What goes with every request, to whichever agent.
    pub credentials: Credentials,
    /// What goes with requests to one agent besides, in the agents' order; those beyond have nothing of their own.
    pub own: Vec<Credentials>,
    /// For agents whose addresses begin with `https`.
    pub tls: Option<Tls>,
    /// A node that is not in the cluster, to be removed twice; nothing is asked of the cluster without one.
    pub absent_node: Option<String>,
    /// Commands that bring the agent down and up again, at level `stress`.
    pub crash: Option<gather::Crash>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            level: Level::Read,
            dialects: Vec::new(),
            observe: Duration::ZERO,
            timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(600),
            credentials: Credentials::default(),
            own: Vec::new(),
            tls: None,
            absent_node: None,
            crash: None,
        }
    }
}

/// Why there is nothing to report.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SuiteError {
    /// An agent does not answer at all.
    #[error("the agent at {agent} cannot be asked: {reason}")]
    Unreachable {
        /// Which.
        agent: String,
        /// Why.
        reason: String,
    },
    /// An agent answers, and has neither dialect.
    #[error("the agent at {agent} has nothing under /api/v1 or /api/unstable: {reason}")]
    NoDialect {
        /// Which.
        agent: String,
        /// What it answers.
        reason: String,
    },
    /// An agent was named twice, and two nodes of a cluster have two agents.
    #[error("the agent at {agent} was named twice")]
    Twice {
        /// Which.
        agent: String,
    },
    /// No agent was named.
    #[error("no agent was named")]
    NoAgent,
    /// The node that is to be removed for not being there is there.
    #[error("--absent-node {node}: the agent at {agent} says that this is its own node, and it would be removed")]
    PresentNode {
        /// Which node.
        node: String,
        /// Whose it is.
        agent: String,
    },
}

/// A run over one agent, or over those of a cluster.
#[derive(Debug, Clone)]
pub struct Suite {
    agents: Vec<Address>,
    settings: Settings,
}

impl Suite {
    /// Over these agents.
    pub fn new(agents: Vec<Address>, settings: Settings) -> Self {
        Self { agents, settings }
    }

    /// Runs to the end, or until `cut` says why not. `progress` is told what is done.
    ///
    /// **Errors**: where an agent cannot be asked at all. Whatever else goes wrong is in the report.
    pub async fn run(&self, progress: impl Fn(&str), cut: impl Future<Output = String>) -> Result<Report, SuiteError> {
        let (began, began_at) = (Instant::now(), now());
        let run = Run::default();
        let clients = self.clients(&run)?;
        let mut end = std::pin::pin!(async {
            tokio::select! {
                reason = cut => reason,
                () = tokio::time::sleep(self.settings.deadline) => {
                    format!("its deadline of {} s", self.settings.deadline.as_secs_f64())
                }
            }
        });
        let secrets = self.secrets();
        let (present, cut_early) = tokio::select! {
            present = self.present(&clients) => (present.map_err(|error| masked_error(error, &secrets))?, None),
            reason = &mut end => (Present::default(), Some(reason)),
        };
        let mut evidence = Vec::new();
        let plan = self.plan(began, &present.all);
        let cut_short = if cut_early.is_some() {
            cut_early
        } else {
            // Large, and once.
            let mut gathering = Box::pin(self.gather(&clients, &plan, &mut evidence, &progress));
            tokio::select! {
                () = &mut gathering => None,
                reason = &mut end => {
                    // What was told so far is put together: nothing more is asked. An agent that is being started again
                    // is waited for.
                    run.end();
                    tokio::select! {
                        () = &mut gathering => {}
                        () = async {
                            drop(plan.down.lock().await);
                            tokio::time::sleep(CLOSING).await;
                        } => {}
                    }
                    Some(reason)
                }
            }
        };
        // Whenever a run ends, an agent that it has killed is started again first.
        drop(plan.down.lock().await);
        let (mut judged, mut verdicts) = (Vec::new(), Vec::new());
        let levels = Level::ALL.into_iter().filter(|level| *level <= self.settings.level);
        for dialect in Dialect::ALL {
            let not_all = present.some.iter().find(|(some, _)| *some == dialect);
            if let Some((_, reason)) = not_all {
                judged.extend(self.judge(dialect, |_| Outcome::NotRun { reason: reason.clone() }));
            } else if present.all.contains(&dialect) {
                let of = evidence.iter().find(|evidence| evidence.dialect == dialect);
                judged.extend(self.judge(dialect, |check| {
                    let Some(of) = of else {
                        let reason = "the run was over before anything was asked".to_owned();
                        return Outcome::NotRun { reason };
                    };
                    let mut judge = Judge::of(check.id);
                    (check.judge)(&Case::from(of), &mut judge);
                    let outcome = judge.outcome();
                    let whole = of.agents.iter().all(|seen| has_been_asked_for(seen, check));
                    if whole || matches!(outcome, Outcome::Broken { .. }) {
                        return masked(outcome, &secrets);
                    }
                    let reason = "the run was over before every agent was asked".to_owned();
                    Outcome::NotRun { reason }
                }));
            } else {
                continue;
            }
            verdicts.extend(levels.clone().map(|level| (dialect, level)));
        }
        // By level first: what a deeper one says rests on those before it.
        verdicts.sort_by_key(|(_, level)| *level);
        let verdicts = verdicts.into_iter();
        Ok(Report {
            began: began_at,
            took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            cut_short,
            unseen: present.unseen,
            verdicts: verdicts
                .map(|(dialect, level)| Verdict::of(dialect, level, &judged))
                .collect(),
            checks: judged,
            ..self.nothing()
        })
    }

    /// The report of a run that came to nothing, and took so long.
    pub fn failed(&self, error: &SuiteError, took: Duration) -> Report {
        Report {
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            unreachable: Some(error.to_string()),
            ..self.nothing()
        }
    }

    /// A report in which nothing is yet.
    fn nothing(&self) -> Report {
        Report {
            schema: 1,
            suite: env!("CARGO_PKG_VERSION"),
            agents: self.agents.iter().map(ToString::to_string).collect(),
            began: now(),
            took_ms: 0,
            cut_short: None,
            unreachable: None,
            unseen: Vec::new(),
            verdicts: Vec::new(),
            checks: Vec::new(),
            differences: Vec::new(),
            baseline_faults: Vec::new(),
        }
    }

    /// Everything that no report may tell.
    fn secrets(&self) -> Credentials {
        let own = self.settings.own.iter();
        own.fold(self.settings.credentials.clone(), Credentials::and)
    }

    fn clients(&self, run: &Run) -> Result<Vec<Client>, SuiteError> {
        if self.agents.is_empty() {
            return Err(SuiteError::NoAgent);
        }
        let before = |(number, agent): &(usize, &Address)| self.agents[..*number].contains(agent);
        if let Some((_, agent)) = self.agents.iter().enumerate().find(before) {
            let agent = agent.to_string();
            return Err(SuiteError::Twice { agent });
        }
        let limits = Limits {
            time: self.settings.timeout,
            ..Limits::default()
        };
        let common = &self.settings.credentials;
        let own = self.settings.own.iter().map(|own| common.clone().and(own));
        let credentials = own.chain(std::iter::repeat_with(|| common.clone()));
        let client = |(address, credentials): (&Address, _)| {
            Client::new(address.clone(), Arc::new(credentials), limits)
                .with_tls(self.settings.tls.clone())
                .within(run.clone())
        };
        Ok(self.agents.iter().zip(credentials).map(client).collect())
    }

    /// What there is to look at.
    async fn present(&self, clients: &[Client]) -> Result<Present, SuiteError> {
        let present = present::present(clients, &self.settings.dialects).await?;
        if let Some(node) = &self.settings.absent_node {
            absent::absent(clients, &present.all, node).await?;
        }
        Ok(present)
    }

    /// Asks everything that the plan has; once the run is over, nothing more.
    async fn gather(&self, clients: &[Client], plan: &Plan, evidence: &mut Vec<Evidence>, progress: &impl Fn(&str)) {
        for dialect in &plan.dialects {
            progress(&format!("{dialect}: looks at {} agent(s)", clients.len()));
            // All at once, so that what they tell of each other is of the same time.
            let mut looking = JoinSet::new();
            for (number, client) in clients.iter().enumerate() {
                let (client, plan, dialect) = (client.clone(), plan.clone(), *dialect);
                looking.spawn(async move { (number, gather::look(&client, dialect, &plan).await) });
            }
            let mut seen = looking.join_all().await;
            seen.sort_by_key(|(number, _)| *number);
            let mut agents: Vec<Seen> = seen.into_iter().map(|(_, seen)| seen).collect();
            for (client, seen) in clients.iter().zip(&mut agents) {
                Box::pin(deeper(client, *dialect, plan, seen, progress)).await;
            }
            evidence.push(Evidence {
                dialect: *dialect,
                agents,
            });
            if clients.iter().any(|client| client.run().is_over()) {
                return;
            }
        }
    }

    fn plan(&self, began: Instant, dialects: &[Dialect]) -> Plan {
        // So much of the time is left for what does not depend on others.
        let until = self.settings.deadline.saturating_sub(self.settings.deadline / 4);
        Plan {
            level: self.settings.level,
            dialects: dialects.to_vec(),
            observe: self.settings.observe,
            absent_node: self.settings.absent_node.clone(),
            crash: self.settings.crash.clone(),
            down: Arc::default(),
            until: began.checked_add(until).unwrap_or(began + FOREVER),
        }
    }

    /// Every check of one dialect, up to the level of the run.
    fn judge(&self, dialect: Dialect, outcome: impl Fn(&Check) -> Outcome) -> Vec<Judged> {
        let applies = |check: &&Check| check.dialects.contains(&dialect) && check.level <= self.settings.level;
        let judged = check::all().filter(applies).map(|check| Judged {
            id: check.id,
            rule: check.rule,
            severity: check.severity,
            level: check.level,
            dialect,
            places: manifest::places_of(check.id),
            reference: check.reference,
            outcome: self.not_asked(check).unwrap_or_else(|| outcome(check)),
            accepted: None,
        });
        judged.collect()
    }

    /// What the run was not given that this check takes, if anything.
    fn not_asked(&self, check: &Check) -> Option<Outcome> {
        let reason = if check.agents > self.agents.len() {
            "it takes more than one agent: --agent URL --agent URL"
        } else if check.id.starts_with("crash.") && self.settings.crash.is_none() {
            "no commands were given: --kill-command and --restart-command"
        } else if check.id == "cluster.remove" && self.settings.absent_node.is_none() {
            "it was not asked for: --cluster-actions --absent-node ID"
        } else {
            return None;
        };
        Some(Outcome::NotAsked {
            reason: reason.to_owned(),
        })
    }
}

impl Report {
    /// Whether all verdicts are that every rule that counts was seen to hold.
    pub fn is_conformant(&self) -> bool {
        let conformant = |verdict: &Verdict| verdict.conclusion == crate::verdict::Conclusion::Conformant;
        let whole = self.cut_short.is_none() && self.differences.is_empty() && !self.verdicts.is_empty();
        whole && self.verdicts.iter().all(conformant)
    }

    /// For a vendor's own test.
    ///
    /// # Panics
    ///
    /// With what failed, unless all verdicts are conformant.
    pub fn assert_conformant(&self) {
        assert!(self.is_conformant(), "{}", crate::report::text(self, false));
    }
}

/// Whether the run came to what this check looks at.
fn has_been_asked_for(seen: &Seen, check: &Check) -> bool {
    match check.level {
        _ if check.id == "cluster.remove" => seen.removed.is_some(),
        Level::Read => true,
        Level::Actions => seen.acted.is_some(),
        Level::Stress => seen.stressed.is_some(),
    }
}

/// What one agent is asked beyond looking at it, as far as the run comes.
async fn deeper(client: &Client, dialect: Dialect, plan: &Plan, seen: &mut Seen, progress: &impl Fn(&str)) {
    let goes_on = || !client.run().is_over();
    let address = client.address();
    if plan.level >= Level::Actions && goes_on() {
        progress(&format!("{dialect}: schedules actions on {address}"));
        gather::act(client, dialect, plan, seen).await;
    }
    if plan.level >= Level::Stress && goes_on() {
        progress(&format!("{dialect}: puts {address} under stress"));
        gather::stress(client, dialect, plan, seen).await;
    }
    if let Some(node) = &plan.absent_node
        && plan.level >= Level::Actions
        && goes_on()
    {
        progress(&format!("{dialect}: removes {node} by way of {address}"));
        gather::remove(client, dialect, plan, node, seen).await;
    }
}

/// The time, for people.
#[expect(
    clippy::disallowed_methods,
    reason = "no clock decides anything here: a report says when it was made"
)]
fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

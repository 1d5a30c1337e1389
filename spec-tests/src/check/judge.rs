//! What a check is given, and how it says what it found.

use crate::client::{Exchange, Fault, trimmed};
use crate::dialect::Dialect;
use crate::gather::{Evidence, Scheduled, Seen, Told, is_later};
use crate::model::Record;
use crate::verdict::{Finding, Outcome};

/// Everything that was gathered in one dialect.
pub struct Case<'a> {
    /// Which dialect.
    pub dialect: Dialect,
    /// What each agent told.
    pub agents: &'a [Seen],
}

impl<'a> From<&'a Evidence> for Case<'a> {
    fn from(evidence: &'a Evidence) -> Self {
        Self {
            dialect: evidence.dialect,
            agents: &evidence.agents,
        }
    }
}

/// The most findings that one check tells: what is wrong a thousand times is told a few.
const MOST: usize = 8;

/// Collects what a check found.
#[derive(Default)]
pub struct Judge {
    check: &'static str,
    seen: usize,
    findings: Vec<Finding>,
    idle: Option<String>,
    unasked: Option<String>,
    blind: Option<String>,
}

impl Judge {
    /// For the check with this id.
    pub fn of(check: &'static str) -> Self {
        Self {
            check,
            ..Self::default()
        }
    }

    /// The rule was seen to hold once more.
    pub fn holds(&mut self) {
        self.seen += 1;
    }

    /// The rule is broken: `got` is what this exchange told instead of what was expected.
    pub fn broken(&mut self, exchange: &Exchange, expected: impl Into<String>, got: impl Into<String>) {
        self.broken_by(&[exchange], expected, got);
    }

    /// The rule is broken, as several exchanges show together.
    ///
    /// What an agent refuses for want of credentials is not seen, whatever was expected of it; nor is what an agent would say
    /// that is gone, which is told by [`Judge::gone`] alone.
    pub fn broken_by(&mut self, exchanges: &[&Exchange], expected: impl Into<String>, got: impl Into<String>) {
        for exchange in exchanges {
            match &exchange.outcome {
                Err(Fault::Connect(reason)) => {
                    return self.blind(format!("{} cannot be asked any more: {reason}", exchange.agent));
                }
                Err(fault) if fault.is_ours() => return self.unseen(exchange, fault),
                _ => {}
            }
        }
        if exchanges.iter().any(|exchange| self.is_shut_out(exchange)) {
            return;
        }
        self.finding(exchanges, &expected.into(), &got.into());
    }

    fn finding(&mut self, exchanges: &[&Exchange], expected: &str, got: &str) {
        let mut curl: Vec<String> = Vec::new();
        for exchange in exchanges {
            if !curl.contains(&exchange.curl) && curl.len() < 4 {
                curl.push(exchange.curl.clone());
            }
        }
        let finding = Finding {
            agent: exchanges
                .first()
                .map(|exchange| exchange.agent.clone())
                .unwrap_or_default(),
            // As much of either as explains it: an agent's own words may be in both.
            expected: trimmed(expected, 400),
            got: trimmed(got, 400),
            curl,
        };
        let known = self.findings.iter().any(|known| {
            known.agent == finding.agent && known.expected == finding.expected && known.got == finding.got
        });
        if !known && self.findings.len() < MOST {
            self.findings.push(finding);
        }
    }

    /// The agent is gone: after the first of these exchanges, as the second shows.
    pub fn gone(&mut self, after: &Exchange, seen: &Exchange) {
        if let Err(fault) = &seen.outcome
            && fault.is_ours()
        {
            return self.unseen(seen, fault);
        }
        let came = seen.came();
        self.finding(&[after, seen], "an agent that goes on to answer", &came);
    }

    /// Holds or not, by what `right` says.
    pub fn expect(&mut self, right: bool, exchange: &Exchange, expected: &str) {
        if right {
            self.holds();
        } else {
            self.broken(exchange, expected, exchange.came());
        }
    }

    fn unseen(&mut self, exchange: &Exchange, fault: &Fault) {
        let Exchange { request, .. } = exchange;
        self.blind(format!("{} {} is not judged: {fault}", request.method, request.path));
    }

    /// Whether this answer is for who has no, or other, credentials: then it cannot be seen what it would have been.
    pub fn is_shut_out(&mut self, exchange: &Exchange) -> bool {
        let answer = exchange.outcome.as_ref();
        let shut_out = answer.is_ok_and(|answer| matches!(answer.status, 401 | 403));
        if shut_out {
            // The same of every request, so that a report says it once.
            self.blind("the agent refuses this to who has no, or other, credentials: --token-file FILE");
        }
        shut_out
    }

    /// Whether this answer says "later", for as long as it was asked: then it cannot be seen what it would have been.
    pub fn is_put_off(&mut self, exchange: &Exchange) -> bool {
        let put_off = is_later(exchange);
        if put_off {
            let Exchange { request, .. } = exchange;
            self.blind(format!(
                "the agent asks whoever sends {} {} to come again later",
                request.method, request.path
            ));
        }
        put_off
    }

    /// Nothing is there that the rule speaks of, and need not be.
    pub fn idle(&mut self, reason: impl Into<String>) {
        self.idle.get_or_insert_with(|| reason.into());
    }

    /// Seeing it takes a deeper run.
    pub fn unasked(&mut self, reason: impl Into<String>) {
        self.unasked.get_or_insert_with(|| reason.into());
    }

    /// It cannot be seen whether the rule holds.
    pub fn blind(&mut self, reason: impl Into<String>) {
        self.blind.get_or_insert_with(|| reason.into());
    }

    /// The outcome.
    pub fn outcome(self) -> Outcome {
        if !self.findings.is_empty() {
            return Outcome::Broken {
                findings: self.findings,
            };
        }
        match (self.blind, self.unasked, self.idle) {
            // What could not be seen of one agent is not made up for by what was seen of another.
            (Some(reason), _, _) => Outcome::NotRun { reason },
            (None, _, _) if self.seen > 0 => Outcome::Held { seen: self.seen },
            (None, Some(reason), _) => Outcome::NotAsked { reason },
            (None, None, Some(reason)) => Outcome::Idle { reason },
            (None, None, None) => Outcome::NotRun {
                reason: "nothing was told that shows it".to_owned(),
            },
        }
    }
}

/// The value of a good answer, once the misfits in it that are this check's were told. An answer that could not be read is
/// another check's; for this one it means that there is nothing to see.
pub(super) fn value<'t, T>(judge: &mut Judge, told: &'t Told<T>) -> Option<&'t T> {
    let Some(read) = &told.read else {
        if let Err(fault) = &told.exchange.outcome
            && fault.is_ours()
        {
            judge.unseen(&told.exchange, fault);
            return None;
        }
        if !judge.is_shut_out(&told.exchange) {
            let Exchange { request, .. } = &told.exchange;
            judge.blind(format!("{} {} has no good answer", request.method, request.path));
        }
        return None;
    };
    let check = judge.check;
    for misfit in read.misfits.iter().filter(|misfit| misfit.check == check) {
        let place = if misfit.at.is_empty() { "the body" } else { &misfit.at };
        judge.broken(
            &told.exchange,
            format!("{} at {place}", misfit.expected),
            format!("{} at {place}", misfit.got),
        );
    }
    Some(&read.value)
}

/// The record that an accepted action had when it was last looked at. Told as not to be seen where it was not accepted.
pub(super) fn last<'s>(judge: &mut Judge, scheduled: &'s Scheduled) -> Option<(&'s Told<Record>, &'s Record)> {
    if !scheduled.is_accepted() {
        if !judge.is_shut_out(&scheduled.answer) {
            judge.blind(format!("an action of the kind {} was not accepted", scheduled.kind));
        }
        return None;
    }
    let told = scheduled.last()?;
    value(judge, told).map(|record| (told, record))
}

//! Which dialects the agents have.
//!
//! A dialect is absent where the agent, or what stands before it, says so. Where asking goes wrong it is there, and is
//! looked at: what is broken is never taken for what is missing.

use super::SuiteError;
use crate::client::{Answer, Client, Fault, Request};
use crate::dialect::{Dialect, problem};
use crate::verdict::Unseen;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Present {
    /// Those to look at: that all agents have, unless some are insisted on.
    pub(super) all: Vec<Dialect>,
    /// Those that some agents have and others have not, and which others.
    pub(super) some: Vec<(Dialect, String)>,
    /// What is not looked at.
    pub(super) unseen: Vec<Unseen>,
}

/// Asks every agent in each dialect.
///
/// **Errors**: where an agent answers nothing, or has neither dialect.
pub(super) async fn present(clients: &[Client], insisted: &[Dialect]) -> Result<Present, SuiteError> {
    let mut lacking: Vec<Unseen> = Vec::new();
    for client in clients {
        let agent = client.address().to_string();
        let mut faults = Vec::new();
        let mut reasons = Vec::new();
        for dialect in Dialect::ALL {
            match client.ask(Request::get(dialect.path("info/node"))).await.outcome {
                Ok(answer) if is_absent(dialect, &answer) => {
                    let path = dialect.path("info/node");
                    reasons.push((dialect, format!("GET {path} is answered with {}", answer.status)));
                }
                Ok(_) => {}
                Err(fault) => faults.push(fault),
            }
        }
        if let (Some(reason), true) = (faults.first().map(Fault::to_string), faults.len() == Dialect::ALL.len()) {
            return Err(SuiteError::Unreachable { agent, reason });
        }
        if reasons.len() == Dialect::ALL.len() && insisted.is_empty() {
            let reasons: Vec<_> = reasons.into_iter().map(|(_, reason)| reason).collect();
            return Err(SuiteError::NoDialect {
                agent,
                reason: reasons.join(", "),
            });
        }
        for (dialect, reason) in reasons {
            let alike = |unseen: &&mut Unseen| unseen.dialect == dialect && unseen.reason == reason;
            match lacking.iter_mut().find(alike) {
                Some(unseen) => unseen.agents.push(agent.clone()),
                None => lacking.push(Unseen {
                    dialect,
                    agents: vec![agent.clone()],
                    reason,
                }),
            }
        }
    }
    Ok(if insisted.is_empty() {
        of_all(clients.len(), lacking)
    } else {
        insisted_on(clients, insisted)
    })
}

fn of_all(agents: usize, unseen: Vec<Unseen>) -> Present {
    let mut present = Present::default();
    for dialect in Dialect::ALL {
        let of: Vec<&Unseen> = unseen.iter().filter(|unseen| unseen.dialect == dialect).collect();
        match of.iter().map(|unseen| unseen.agents.len()).sum::<usize>() {
            0 => present.all.push(dialect),
            number if number < agents => {
                let without = of
                    .iter()
                    .map(|unseen| format!("at {}: {}", unseen.agents.join(", "), unseen.reason));
                let without: Vec<_> = without.collect();
                let reason = format!("not all agents have {dialect}: {}", without.join("; "));
                present.some.push((dialect, reason));
            }
            _ => {}
        }
    }
    present.unseen = unseen;
    present
}

fn insisted_on(clients: &[Client], insisted: &[Dialect]) -> Present {
    let others = Dialect::ALL.into_iter().filter(|dialect| !insisted.contains(dialect));
    Present {
        all: insisted.to_vec(),
        some: Vec::new(),
        unseen: others
            .map(|dialect| Unseen {
                dialect,
                agents: clients.iter().map(|client| client.address().to_string()).collect(),
                reason: "it was not asked for".to_owned(),
            })
            .collect(),
    }
}

/// Whether there is no such path: 404, or what a gateway says of paths that it does not pass on. What has the form of a problem
/// of this dialect was said by who speaks it.
fn is_absent(dialect: Dialect, answer: &Answer) -> bool {
    match answer.status {
        404 => true,
        300..=399 | 403 | 405 => problem(dialect, answer, &[answer.status]).is_err(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacks(dialect: Dialect, agents: &[&str]) -> Unseen {
        Unseen {
            dialect,
            agents: agents.iter().map(|agent| (*agent).to_owned()).collect(),
            reason: "404".to_owned(),
        }
    }

    #[test]
    fn a_dialect_is_looked_at_where_all_have_it_and_told_of_where_some_have() {
        let found = of_all(2, vec![lacks(Dialect::Unstable, &["a"])]);
        assert_eq!(found.all, [Dialect::V1]);
        assert_eq!(
            found.some,
            [(Dialect::Unstable, "not all agents have unstable: at a: 404".to_owned())]
        );
        let found = of_all(2, vec![lacks(Dialect::Unstable, &["a", "b"])]);
        assert_eq!((found.all.len(), found.some.len(), found.unseen.len()), (1, 0, 1));
    }

    #[test]
    fn only_what_says_so_is_absent() {
        let answer = |status, media: &str, body: &str| Answer {
            status,
            headers: vec![("content-type".to_owned(), media.to_owned())],
            body: body.as_bytes().to_vec(),
        };
        let problem = |status| {
            let body = format!(r#"{{"type":"about:blank","title":"no","status":{status},"detail":"no","code":"no"}}"#);
            answer(status, "application/problem+json", &body)
        };
        for status in [302, 403, 404, 405] {
            assert!(
                is_absent(Dialect::V1, &answer(status, "text/html", "<h1>no</h1>")),
                "{status}"
            );
        }
        for status in [400, 401, 500, 503] {
            assert!(!is_absent(Dialect::V1, &answer(status, "text/html", "")), "{status}");
        }
        assert!(!is_absent(Dialect::V1, &problem(403)), "the agent itself refuses");
        assert!(
            is_absent(Dialect::Unstable, &problem(403)),
            "that is the other dialect's form"
        );
        assert!(is_absent(Dialect::V1, &problem(404)));
    }
}

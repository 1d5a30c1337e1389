//! What is known before anything is gathered: which dialects there are, and whether a node is there that must not be.

use super::{Suite, SuiteError};
use crate::client::{Answer, Client, Request};
use crate::dialect::Dialect;

impl Suite {
    /// The dialects to look at: those that every agent has, unless some are insisted on.
    pub(super) async fn present(&self, clients: &[Client]) -> Result<Vec<Dialect>, SuiteError> {
        let mut present = Dialect::ALL.to_vec();
        for client in clients {
            let mut has = Vec::new();
            let mut fault = None;
            let mut may_have = Vec::new();
            let agent = client.address().to_string();
            for dialect in Dialect::ALL {
                match client.ask(Request::get(dialect.path("info/node"))).await.outcome {
                    Ok(Answer { status: 404, .. }) => {}
                    Ok(answer) => {
                        self.absent(dialect, &answer, &agent)?;
                        let list = if shows(&answer) { &mut has } else { &mut may_have };
                        list.push(dialect);
                    }
                    Err(error) => fault = Some(error),
                }
            }
            if has.is_empty() {
                has = may_have;
            }
            match fault {
                // What answers nothing at all cannot be asked; what answers one dialect is asked in that one.
                Some(error) if has.is_empty() => {
                    return Err(SuiteError::Unreachable {
                        agent,
                        reason: error.to_string(),
                    });
                }
                None if has.is_empty() && self.settings.dialects.is_empty() => {
                    return Err(SuiteError::NoDialect { agent });
                }
                _ => present.retain(|dialect| has.contains(dialect)),
            }
        }
        if self.settings.dialects.is_empty() {
            Ok(present)
        } else {
            Ok(self.settings.dialects.clone())
        }
    }

    /// Whether the node that is to be removed is another than that of this agent.
    fn absent(&self, dialect: Dialect, answer: &Answer, agent: &str) -> Result<(), SuiteError> {
        let (Some(absent), Ok(body)) = (&self.settings.absent_node, answer.json()) else {
            return Ok(());
        };
        let node = dialect.node(&body).value;
        if [node.id.value(), node.member_address.value()].contains(&Some(absent)) {
            return Err(SuiteError::PresentNode {
                node: absent.clone(),
                agent: agent.to_owned(),
            });
        }
        Ok(())
    }
}

/// Whether this answer to who asks for the node is one of an agent that has the dialect. Others may come from whatever
/// stands before it.
fn shows(answer: &Answer) -> bool {
    matches!(answer.status, 401 | 429 | 500..=599) || (answer.is_good() && answer.json().is_ok())
}

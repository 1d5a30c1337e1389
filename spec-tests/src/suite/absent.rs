//! Whether a node that is to be removed for not being there is there after all.

use super::SuiteError;
use crate::client::{Client, Request};
use crate::dialect::Dialect;

/// Asks every agent in each dialect whether the node is its own.
///
/// **Errors**: where it is. It would be removed.
pub(super) async fn absent(clients: &[Client], dialects: &[Dialect], node: &str) -> Result<(), SuiteError> {
    for client in clients {
        for dialect in dialects {
            let answer = client.ask(Request::get(dialect.path("info/node"))).await.outcome;
            let Some(body) = answer.ok().and_then(|answer| answer.json().ok()) else {
                continue;
            };
            let own = dialect.node(&body).value;
            let names = [own.id.value(), own.member_address.value()];
            if names.into_iter().flatten().any(|name| name == node) {
                return Err(SuiteError::PresentNode {
                    node: node.to_owned(),
                    agent: client.address().to_string(),
                });
            }
        }
    }
    Ok(())
}

//! The server's id, where neither the agent's configuration nor a session tells it.
//!
//! A session tells the lowest eight bits of it, and nothing where they are 0; where the server shows its ensemble to
//! nobody, there is none. Then the `AdminServer` may say it, or the word `conf`: most servers allow neither.

use std::time::Duration;

use crate::admin;
use crate::config::Server;
use crate::words;

/// Asks the server for its id. A standalone one says 0, whatever its myid.
pub(crate) async fn ask(server: &Server, within: Duration) -> Option<u64> {
    let half = within / 2;
    if let Some(address) = &server.admin_server {
        match admin::ask(address, "configuration", half).await {
            Ok(told) => {
                return told
                    .get("server_id")
                    .and_then(serde_json::Value::as_u64)
                    .filter(|id| *id > 0);
            }
            Err(error) => tracing::debug!(%address, error, "the AdminServer does not tell the server's id"),
        }
    }
    match words::ask(&server.address, "conf", half).await {
        Ok(answer) => from_conf(&answer),
        Err(error) => {
            tracing::debug!(%error, "the word conf does not tell the server's id");
            None
        }
    }
}

/// Lines of a name, an equals sign and a value.
fn from_conf(answer: &str) -> Option<u64> {
    let value = answer.lines().find_map(|line| line.strip_prefix("serverId="));
    value?.trim().parse().ok().filter(|id| *id > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_one_line_of_many() {
        assert_eq!(from_conf("clientPort=2181\nserverId=256\ninitLimit=10\n"), Some(256));
        for none in ["serverId=0\n", "serverId=\n", "serverId=x\n", "myserverId=1\n", ""] {
            assert_eq!(from_conf(none), None, "{none:?}");
        }
    }
}

//! Logging in on a connection: `SaslHandshake`, then `SaslAuthenticate` as often as the mechanism has messages.

use std::time::Duration;

use agent_sdk::config::Credentials;
use bytes::Bytes;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;

use super::call::Call;
use super::code::Code;
use super::connection::{Connection, Lifetime};
use super::deadline::Deadline;
use super::error::{Awaiting, Fault};
use super::login::{self, Login, LoginError, Mechanism};
use super::scram::{Hash, Scram, ScramError};

/// What a broker says of a refusal is shown up to this many characters.
const SHOWN: usize = 200;

/// Logs in.
pub(super) async fn log_in(
    connection: Connection,
    login: &Login,
    deadline: Deadline,
) -> Result<(Connection, Lifetime), Fault> {
    let credentials = Credentials::read(&login.file).map_err(LoginError::from)?;
    let connection = agree(connection, login.mechanism, deadline).await?;
    let hash = match login.mechanism {
        Mechanism::Plain => {
            let (connection, answer) = say(connection, login::plain(&credentials), deadline).await?;
            return Ok((connection, answer.lifetime));
        }
        Mechanism::ScramSha256 => Hash::Sha256,
        Mechanism::ScramSha512 => Hash::Sha512,
    };
    let scram = Scram::new(hash, credentials);
    let (connection, challenge) = say(connection, scram.first().into(), deadline).await?;
    let challenge = text(&challenge.message)?.to_owned();
    // A million iterations keep a thread busy for a second.
    let proving = tokio::task::spawn_blocking(move || scram.prove(&challenge));
    let awaiting = Awaiting::Answer(SaslAuthenticateRequest::NAME);
    let proven = deadline.bound(awaiting, proving).await?;
    // It is lost only with the runtime, and nobody waits for it then.
    let proven = proven.unwrap_or(Err(ScramError::Malformed)).map_err(LoginError::from)?;
    let (connection, last) = say(connection, proven.message().into(), deadline).await?;
    proven.verify(text(&last.message)?).map_err(LoginError::from)?;
    Ok((connection, last.lifetime))
}

/// Agrees on the mechanism.
async fn agree(connection: Connection, mechanism: Mechanism, deadline: Deadline) -> Result<Connection, Fault> {
    let name = StrBytes::from_static_str(mechanism.name());
    let request = SaslHandshakeRequest::default().with_mechanism(name);
    let (connection, answer) = connection.call(&request, deadline).await?;
    match Code(answer.error_code) {
        Code::NONE => Ok(connection),
        Code::UNSUPPORTED_SASL_MECHANISM => {
            let offered: Vec<_> = answer.mechanisms.iter().map(|name| shown(name)).collect();
            let offered = offered.join(", ").chars().take(SHOWN).collect();
            let asked = mechanism;
            Err(LoginError::Mechanism { asked, offered }.into())
        }
        Code::ILLEGAL_SASL_STATE => Err(LoginError::None("PLAINTEXT or SSL").into()),
        code => Err(Fault::Answered {
            api: SaslHandshakeRequest::NAME,
            code,
        }),
    }
}

struct Said {
    message: Bytes,
    lifetime: Lifetime,
}

async fn say(connection: Connection, message: Vec<u8>, deadline: Deadline) -> Result<(Connection, Said), Fault> {
    let request = SaslAuthenticateRequest::default().with_auth_bytes(message.into());
    let (connection, answer) = connection.call(&request, deadline).await?;
    match Code(answer.error_code) {
        Code::NONE => {
            // 0 stands for no end.
            let lifetime = u64::try_from(answer.session_lifetime_ms).ok().filter(|ms| *ms > 0);
            let said = Said {
                message: answer.auth_bytes,
                lifetime: lifetime.map(Duration::from_millis),
            };
            Ok((connection, said))
        }
        Code::SASL_AUTHENTICATION_FAILED => {
            let said = answer.error_message.as_deref().unwrap_or_default();
            Err(LoginError::Refused(shown(said)).into())
        }
        code => Err(Fault::Answered {
            api: SaslAuthenticateRequest::NAME,
            code,
        }),
    }
}

fn text(message: &[u8]) -> Result<&str, LoginError> {
    std::str::from_utf8(message).map_err(|_| ScramError::Malformed.into())
}

/// What a stranger says, in one line of a bounded length.
fn shown(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests;

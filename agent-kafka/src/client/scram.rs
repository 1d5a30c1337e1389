//! SCRAM as a client speaks it (RFC 5802, and RFC 7677 for SHA-256): four texts, no I/O.
//!
//! Passwords are taken as they are, without `SASLprep`: so does Kafka.

use agent_sdk::config::Credentials;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::digest::{Digest, FixedOutput, Update};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};
use thiserror::Error;

/// Fewer make a stolen proof cheap to guess from (Kafka itself refuses to store fewer); more are a way to keep the
/// agent busy for seconds.
const ITERATIONS: std::ops::RangeInclusive<u32> = 4_096..=1_000_000;

/// No channel binding: the header of the first message again, in Base64.
const NO_BINDING: &str = "c=biws";

/// Why the broker's side of it is wrong. None of these has anything of the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ScramError {
    /// No text of SCRAM.
    #[error("what the broker says is not SCRAM")]
    Malformed,
    /// It asks for an extension.
    #[error("the broker asks for an extension of SCRAM that the agent does not know")]
    Extension,
    /// Its nonce does not continue the client's.
    #[error("the broker answers somebody else's login: its nonce does not continue the agent's")]
    Nonce,
    /// Its iterations are not within the bounds.
    #[error("the broker asks for {0} iterations: fewer than 4,096 are unsafe, more than 1,000,000 are not made")]
    Iterations(u32),
    /// It says that the login failed, in the terms of the RFC.
    #[error("the broker refuses the credentials")]
    Refused,
    /// It does not know the password.
    #[error("the broker cannot prove that it knows the password: it is not who it says it is")]
    Signature,
}

/// Which hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha512,
}

/// A login that has begun.
pub(super) struct Scram {
    hash: Hash,
    credentials: Credentials,
    nonce: String,
    /// The first message, without its header.
    bare: String,
}

/// A login that is proven from this side; what the broker has to prove.
pub(super) struct Proven {
    message: String,
    signature: Expected,
}

/// The computation of the broker's signature, which compares in constant time.
enum Expected {
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

/// What the broker's first message says.
struct Challenge<'a> {
    nonce: &'a str,
    salt: Vec<u8>,
    iterations: u32,
}

impl Scram {
    /// Begins with a nonce that nobody can guess.
    pub(super) fn new(hash: Hash, credentials: Credentials) -> Self {
        let [one, two] = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(uuid::Uuid::simple);
        Self::with_nonce(hash, credentials, format!("{one}{two}"))
    }

    pub(super) fn with_nonce(hash: Hash, credentials: Credentials, nonce: String) -> Self {
        let user = credentials.user().replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={user},r={nonce}");
        Self {
            hash,
            credentials,
            nonce,
            bare,
        }
    }

    /// The first message.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// The answer to the broker's first message. Takes up to a second of a processor, by the number of iterations.
    pub(super) fn prove(self, challenge: &str) -> Result<Proven, ScramError> {
        let Challenge {
            nonce,
            salt,
            iterations,
        } = Challenge::read(challenge)?;
        if nonce.len() <= self.nonce.len() || !nonce.starts_with(&self.nonce) {
            return Err(ScramError::Nonce);
        }
        if !ITERATIONS.contains(&iterations) {
            return Err(ScramError::Iterations(iterations));
        }
        let unproven = format!("{NO_BINDING},r={nonce}");
        let signed = format!("{},{challenge},{unproven}", self.bare);
        let password = self.credentials.password().as_bytes();
        let (proof, signature) = match self.hash {
            Hash::Sha256 => {
                let salted = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, &salt, iterations);
                let (proof, mac) = sign::<Hmac<Sha256>, Sha256>(&salted, signed.as_bytes())?;
                (proof, Expected::Sha256(mac))
            }
            Hash::Sha512 => {
                let salted = pbkdf2::pbkdf2_hmac_array::<Sha512, 64>(password, &salt, iterations);
                let (proof, mac) = sign::<Hmac<Sha512>, Sha512>(&salted, signed.as_bytes())?;
                (proof, Expected::Sha512(mac))
            }
        };
        Ok(Proven {
            message: format!("{unproven},p={}", BASE64.encode(proof)),
            signature,
        })
    }
}

impl Proven {
    /// The second message.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether the broker's last message proves that it knows the password as well.
    pub(super) fn verify(self, last: &str) -> Result<(), ScramError> {
        if last.starts_with("e=") {
            return Err(ScramError::Refused);
        }
        let verifier = last.split(',').next().and_then(|field| field.strip_prefix("v="));
        let signature = BASE64.decode(verifier.ok_or(ScramError::Malformed)?);
        let signature = signature.map_err(|_| ScramError::Malformed)?;
        let verified = match self.signature {
            Expected::Sha256(mac) => mac.verify_slice(&signature),
            Expected::Sha512(mac) => mac.verify_slice(&signature),
        };
        verified.map_err(|_| ScramError::Signature)
    }
}

impl<'a> Challenge<'a> {
    fn read(text: &'a str) -> Result<Self, ScramError> {
        let mut fields = text.split(',');
        let mut field = |name| {
            let field = fields.next().ok_or(ScramError::Malformed)?;
            field.strip_prefix(name).ok_or(if field.starts_with("m=") {
                ScramError::Extension
            } else {
                ScramError::Malformed
            })
        };
        let [nonce, salt, iterations] = [field("r=")?, field("s=")?, field("i=")?];
        Ok(Self {
            nonce,
            salt: BASE64.decode(salt).map_err(|_| ScramError::Malformed)?,
            iterations: iterations.parse().map_err(|_| ScramError::Malformed)?,
        })
    }
}

/// The client's proof, and the computation of the server's signature (RFC 5802, section 3).
fn sign<M, D>(salted: &[u8], message: &[u8]) -> Result<(Vec<u8>, M), ScramError>
where
    M: Mac + KeyInit + Update + FixedOutput,
    D: Digest,
{
    let keyed = |key: &[u8], message: &[u8]| {
        // A key of any length will do for HMAC.
        let mac = <M as KeyInit>::new_from_slice(key).map_err(|_| ScramError::Malformed)?;
        Ok(mac.chain(message))
    };
    let client_key = keyed(salted, b"Client Key")?.finalize_fixed();
    let signature = keyed(&D::digest(&client_key), message)?.finalize_fixed();
    let proof = client_key
        .iter()
        .zip(&signature)
        .map(|(key, mask)| key ^ mask)
        .collect();
    let server_key = keyed(salted, b"Server Key")?.finalize_fixed();
    Ok((proof, keyed(&server_key, message)?))
}

#[cfg(test)]
mod tests;

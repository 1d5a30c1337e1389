//! Who may do what.
//!
//! There are two roles: `read` looks, `act` also schedules, cancels and plans. A client shows a bearer token (RFC 6750)
//! or comes without one and has what `api.anonymous` gives. Whoever shows a token that is not known is refused even
//! where nobody would need one, so that a mistyped token is noticed. Tokens are held as SHA-256 digests and compared in
//! constant time: neither memory nor timing tells a token.

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::problem::{Code, Problem};
use crate::config::Anonymous;

/// What a client may do. Each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Ask whether the agent lives and records.
    None,
    /// Look.
    Read,
    /// Look, schedule, cancel and plan.
    Act,
}

impl From<Anonymous> for Role {
    fn from(anonymous: Anonymous) -> Self {
        match anonymous {
            Anonymous::None => Self::None,
            Anonymous::Read => Self::Read,
            Anonymous::Act => Self::Act,
        }
    }
}

/// The bearer tokens that are known.
#[derive(Default)]
pub struct Tokens {
    known: Vec<([u8; 32], Role)>,
}

impl Tokens {
    /// No token: everybody is anonymous.
    pub const fn new() -> Self {
        Self { known: Vec::new() }
    }

    /// The same with one token more. Only its digest is kept.
    #[must_use]
    pub fn with(mut self, token: &str, role: Role) -> Self {
        self.known.push((digest(token.as_bytes()), role));
        self
    }

    /// The role of a token. Every known one is looked at, whichever fits.
    fn role(&self, token: &[u8]) -> Option<Role> {
        let shown = digest(token);
        let mut role = None;
        for (known, its) in &self.known {
            if bool::from(known.ct_eq(&shown)) {
                role = Some(*its);
            }
        }
        role
    }
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Decides what a request may do.
pub(super) struct Access {
    tokens: Tokens,
    anonymous: Role,
}

impl Access {
    /// Tokens have their roles, everybody else has `anonymous`.
    pub(super) fn new(tokens: Tokens, anonymous: Anonymous) -> Self {
        Self {
            tokens,
            anonymous: anonymous.into(),
        }
    }

    /// Lets a request pass that may do what it needs.
    pub(super) fn check(&self, needed: Role, headers: &HeaderMap) -> Result<(), Problem> {
        if needed == Role::None {
            return Ok(());
        }
        let mut shown = headers.get_all(header::AUTHORIZATION);
        let role = match (shown.next(), shown.next()) {
            (None, _) => None,
            (Some(value), None) => {
                let role = bearer(value).and_then(|token| self.tokens.role(token));
                Some(role.ok_or_else(|| unauthenticated("the token is not known", r#"Bearer error="invalid_token""#))?)
            }
            (Some(_), Some(_)) => {
                return Err(unauthenticated(
                    "credentials are given twice",
                    r#"Bearer error="invalid_request""#,
                ));
            }
        };
        match role {
            role if role.unwrap_or(self.anonymous) >= needed => Ok(()),
            None => Err(unauthenticated("a token is needed for this", "Bearer")),
            Some(_) => Err(Problem::new(Code::Forbidden, "this token's role does not allow it")),
        }
    }
}

fn unauthenticated(detail: &'static str, challenge: &'static str) -> Problem {
    Problem::new(Code::Unauthenticated, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// The token of `Bearer TOKEN`; the scheme is written in any case.
fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn outcome(access: &Access, needed: Role, values: &[&str]) -> u16 {
        access
            .check(needed, &headers(values))
            .map_or_else(|problem| problem.code().status().as_u16(), |()| 200)
    }

    #[test]
    fn every_role_by_every_credential() {
        use Role::{Act, None, Read};
        for (anonymous, none, read, act) in [
            (Anonymous::None, 200, 401, 401),
            (Anonymous::Read, 200, 200, 401),
            (Anonymous::Act, 200, 200, 200),
        ] {
            let tokens = Tokens::new().with("reads", Read).with("acts", Act);
            let access = Access::new(tokens, anonymous);
            let row = |values: &[&str]| [None, Read, Act].map(|needed| outcome(&access, needed, values));
            assert_eq!(row(&[]), [none, read, act]);
            assert_eq!(row(&["Bearer reads"]), [200, 200, 403]);
            assert_eq!(row(&["bearer  acts"]), [200, 200, 200]);
            for wrong in [
                "Bearer actS",
                "Bearer act",
                "Bearer acts.",
                "Bearer ",
                "Bearer",
                "acts",
                "Basic acts",
            ] {
                assert_eq!(row(&[wrong]), [200, 401, 401], "{wrong}");
            }
            assert_eq!(row(&["Bearer acts", "Bearer acts"]), [200, 401, 401]);
        }
    }
}

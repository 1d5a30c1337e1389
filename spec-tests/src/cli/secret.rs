//! Tokens and headers: taken from where no list of processes shows them, and told in no fault.

use std::fs;
use std::path::Path;

use thiserror::Error;

use crate::client::Credentials;

/// The variable that holds a token.
pub(super) const VARIABLE: &str = "SPEC_TESTS_TOKEN";

/// Headers that make a request what it is; the suite writes them itself.
const OWN: [&str; 5] = [
    "host",
    "connection",
    "content-length",
    "content-type",
    "transfer-encoding",
];

/// What is wrong with them. No value is ever told.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum SecretError {
    #[error("--token-file {path}: it cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("{0}: a token is one line of visible ASCII characters, and it is not")]
    Token(String),
    #[error("--header, the {0}. of them: it has to be 'Name: value', in ASCII and without control characters")]
    Header(usize),
    #[error("--header {0}: the suite writes this one itself")]
    Own(String),
    #[error("--header {0}: it is there twice, or a token is given as well; there can be one")]
    Twice(String),
}

/// All that goes with each request: a token of the file, or else of the variable, and headers.
pub(super) fn credentials(
    file: Option<&Path>,
    variable: Option<&str>,
    headers: &[String],
) -> Result<Credentials, SecretError> {
    let mut credentials = Credentials::default();
    let mut names = Vec::new();
    let token = match (file, variable) {
        (Some(path), _) => Some(from_file(path)?),
        // A variable that is empty is as good as none: it is how some CI systems say that a secret is not there.
        (None, Some(token)) if !token.is_empty() => Some(checked(token, VARIABLE)?),
        (None, _) => None,
    };
    if let Some(token) = token {
        credentials = credentials.with_token(&token);
        names.push("authorization".to_owned());
    }
    for (number, header) in headers.iter().enumerate() {
        let (name, value) = split(header).ok_or(SecretError::Header(number + 1))?;
        if OWN.contains(&name.as_str()) {
            return Err(SecretError::Own(name));
        }
        if names.contains(&name) {
            return Err(SecretError::Twice(name));
        }
        credentials = credentials.with_header(&name, value);
        names.push(name);
    }
    Ok(credentials)
}

fn from_file(path: &Path) -> Result<String, SecretError> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| SecretError::Unreadable {
        path: shown.clone(),
        reason: error.to_string(),
    })?;
    checked(text.trim_end_matches(['\r', '\n']), &format!("--token-file {shown}"))
}

fn checked(token: &str, source: &str) -> Result<String, SecretError> {
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SecretError::Token(source.to_owned()));
    }
    Ok(token.to_owned())
}

/// A header's name in lower case, and its value.
fn split(header: &str) -> Option<(String, &str)> {
    let (name, value) = header.split_once(':')?;
    let value = value.trim();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_shown = |byte: u8| byte == b' ' || byte == b'\t' || byte.is_ascii_graphic();
    let is_right = !name.is_empty() && name.bytes().all(is_token) && value.bytes().all(is_shown);
    is_right.then(|| (name.to_ascii_lowercase(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(variable: Option<&str>, headers: &[&str]) -> String {
        let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
        credentials(None, variable, &headers).unwrap_err().to_string()
    }

    #[test]
    fn a_file_goes_before_the_variable() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, "from-the-file\n").unwrap();
        let credentials = credentials(Some(&path), Some("from-the-variable"), &["X-Team: canary".to_owned()]).unwrap();
        assert_eq!(
            credentials.masked("from-the-file from-the-variable canary"),
            "*** from-the-variable ***"
        );
        fs::write(&path, "two\nlines\n").unwrap();
        assert!(super::credentials(Some(&path), None, &[]).is_err());
    }

    #[test]
    fn an_empty_variable_is_none() {
        assert!(credentials(None, Some(""), &[]).is_ok());
    }

    #[test]
    fn faults_name_the_option_and_no_value() {
        for (fault, told) in [
            (fault(Some("canary canary"), &[]), "SPEC_TESTS_TOKEN"),
            (fault(None, &["a: b", "canary"]), "--header, the 2. of them"),
            (
                fault(None, &["X-Key: canary\r\nhost: canary"]),
                "--header, the 1. of them",
            ),
            (fault(None, &["Content-Length: canary"]), "--header content-length"),
            (
                fault(Some("canary"), &["Authorization: canary"]),
                "--header authorization",
            ),
            (fault(None, &["x-key: canary", "X-Key: canary"]), "--header x-key"),
        ] {
            assert!(fault.contains(told) && !fault.contains("canary"), "{fault}");
        }
    }
}

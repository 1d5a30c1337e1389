//! Tokens and headers: taken from where no list of processes shows them, and told in no fault.

use std::fs;
use std::path::{Path, PathBuf};

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
    #[error("--token-file is there {files} times, and there are {agents} agents: one file for all, or one for each")]
    Number { files: usize, agents: usize },
    #[error("{0}: a token is one line of visible ASCII characters, and it is not")]
    Token(String),
    #[error("--header, the {0}. of them: it has to be 'Name: value', in ASCII and without control characters")]
    Header(usize),
    #[error("--header {0}: the suite writes this one itself")]
    Own(String),
    #[error("--header {0}: it is there twice, or a token is given as well; there can be one")]
    Twice(String),
}

/// What goes with requests.
#[derive(Debug)]
pub(super) struct Secrets {
    /// To all agents.
    pub(super) common: Credentials,
    /// To each agent besides, in their order.
    pub(super) own: Vec<Credentials>,
}

/// Reads tokens, from files or else from the variable, and headers.
pub(super) fn secrets(
    files: &[PathBuf],
    variable: Option<&str>,
    headers: &[String],
    agents: usize,
) -> Result<Secrets, SecretError> {
    let mut common = Credentials::default();
    let mut names = Vec::new();
    if files.len() > 1 && files.len() != agents {
        return Err(SecretError::Number {
            files: files.len(),
            agents,
        });
    }
    let tokens = match variable {
        // A variable that is empty is as good as none: it is how some CI systems say that a secret is not there.
        Some(token) if files.is_empty() && !token.is_empty() => vec![checked(token, VARIABLE)?],
        _ => files.iter().map(|path| from_file(path)).collect::<Result<_, _>>()?,
    };
    if !tokens.is_empty() {
        names.push("authorization".to_owned());
    }
    let own = match tokens.as_slice() {
        [] => Vec::new(),
        [token] => {
            common = common.with_token(token);
            Vec::new()
        }
        several => several
            .iter()
            .map(|token| Credentials::default().with_token(token))
            .collect(),
    };
    for (number, header) in headers.iter().enumerate() {
        let (name, value) = split(header).ok_or(SecretError::Header(number + 1))?;
        if OWN.contains(&name.as_str()) {
            return Err(SecretError::Own(name));
        }
        if names.contains(&name) {
            return Err(SecretError::Twice(name));
        }
        common = common.with_header(&name, value);
        names.push(name);
    }
    Ok(Secrets { common, own })
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
        secrets(&[], variable, &headers, 1).unwrap_err().to_string()
    }

    #[test]
    fn a_file_goes_before_the_variable() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, "from-the-file\n").unwrap();
        let files = [path.clone()];
        let read = secrets(&files, Some("from-the-variable"), &["X-Team: canary".to_owned()], 3).unwrap();
        let text = "from-the-file from-the-variable canary";
        assert_eq!(read.common.masked(text), "*** from-the-variable ***");
        fs::write(&path, "two\nlines\n").unwrap();
        assert!(secrets(&files, None, &[], 1).is_err());
    }

    #[test]
    fn each_agent_may_have_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let files = ["first", "second"].map(|name| {
            let path = directory.path().join(name);
            fs::write(&path, name).unwrap();
            path
        });
        let read = secrets(&files, None, &[], 2).unwrap();
        assert_eq!(read.common.masked("first second"), "first second");
        assert_eq!(read.own[1].masked("first second"), "first ***");
        assert!(
            secrets(&files, None, &[], 3).is_err(),
            "which of them would go to the third?"
        );
    }

    #[test]
    fn an_empty_variable_is_none() {
        assert!(secrets(&[], Some(""), &["authorization: mine".to_owned()], 1).is_ok());
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

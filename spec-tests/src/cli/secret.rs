//! Tokens and headers: what is secret is taken from where no list of processes shows it, and none is told in a fault.

use std::ffi::OsString;
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
    #[error("{0}: it cannot be read: {1}")]
    Unreadable(String, String),
    #[error("--token-file is there {files} times, and there are {agents} agents: one file for all, or one for each")]
    Number { files: usize, agents: usize },
    #[error("{0}: a token is one line of visible ASCII characters, and it is not")]
    Token(String),
    #[error("{0}: it has to be 'Name: value', in ASCII and without control characters")]
    Header(String),
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

/// What was given, and not read yet.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    pub(super) token_files: &'a [PathBuf],
    pub(super) variable: Option<OsString>,
    pub(super) headers: &'a [String],
    pub(super) header_files: &'a [PathBuf],
}

impl Given<'_> {
    /// Reads tokens, from files or else from the variable, and headers.
    pub(super) fn read(self, agents: usize) -> Result<Secrets, SecretError> {
        let Given {
            token_files,
            variable,
            headers,
            header_files,
        } = self;
        if token_files.len() > 1 && token_files.len() != agents {
            return Err(SecretError::Number {
                files: token_files.len(),
                agents,
            });
        }
        let tokens = match variable {
            // A variable that is empty is as good as none: it is how some CI systems say that a secret is not there.
            Some(token) if token_files.is_empty() && !token.is_empty() => {
                vec![checked(token.to_str().unwrap_or_default(), VARIABLE)?]
            }
            _ => token_files.iter().map(|path| token(path)).collect::<Result<_, _>>()?,
        };
        let mut names = Vec::new();
        if !tokens.is_empty() {
            names.push("authorization".to_owned());
        }
        let bearer = |token: &String| Credentials::default().with_token(token);
        let (mut common, own) = match tokens.as_slice() {
            [] => (Credentials::default(), Vec::new()),
            [token] => (bearer(token), Vec::new()),
            several => (Credentials::default(), several.iter().map(bearer).collect()),
        };
        for (source, header) in lines(headers, header_files)? {
            let fault = || SecretError::Header(source.clone());
            let (name, value) = header.split_once(':').ok_or_else(fault)?;
            let name = name.to_ascii_lowercase();
            if OWN.contains(&name.as_str()) {
                return Err(SecretError::Own(name));
            }
            if names.contains(&name) {
                return Err(SecretError::Twice(name));
            }
            common = common.with_header(&name, value.trim()).map_err(|_| fault())?;
            names.push(name);
        }
        Ok(Secrets { common, own })
    }
}

/// Every header as it was given, and where.
fn lines(given: &[String], files: &[PathBuf]) -> Result<Vec<(String, String)>, SecretError> {
    let named = |(number, header): (usize, &String)| (format!("--header, the {}. of them", number + 1), header.clone());
    let mut lines: Vec<_> = given.iter().enumerate().map(named).collect();
    for path in files {
        let source = format!("--header-file {}", path.display());
        let text = from_file(path, &source)?;
        let of = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines.extend(of.map(|(number, line)| (format!("{source}, line {}", number + 1), line.to_owned())));
    }
    Ok(lines)
}

fn token(path: &Path) -> Result<String, SecretError> {
    let source = format!("--token-file {}", path.display());
    let text = from_file(path, &source)?;
    checked(text.trim_end_matches(['\r', '\n']), &source)
}

fn from_file(path: &Path, source: &str) -> Result<String, SecretError> {
    fs::read_to_string(path).map_err(|error| SecretError::Unreadable(source.to_owned(), error.to_string()))
}

fn checked(token: &str, source: &str) -> Result<String, SecretError> {
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SecretError::Token(source.to_owned()));
    }
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(
        files: &[PathBuf],
        variable: Option<&str>,
        headers: &[&str],
        agents: usize,
    ) -> Result<Secrets, SecretError> {
        let given = Given {
            token_files: files,
            variable: variable.map(OsString::from),
            headers: &headers.iter().map(|header| (*header).to_owned()).collect::<Vec<_>>(),
            header_files: &[],
        };
        given.read(agents)
    }

    fn fault(variable: Option<&str>, headers: &[&str]) -> String {
        secrets(&[], variable, headers, 1).unwrap_err().to_string()
    }

    #[test]
    fn a_file_goes_before_the_variable() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, "from-the-file\n").unwrap();
        let files = [path.clone()];
        let read = secrets(&files, Some("from-the-variable"), &["X-Team-Key: canary"], 3).unwrap();
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
    fn headers_come_from_files_as_well() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("headers");
        let read = |text: &str| {
            fs::write(&path, text).unwrap();
            let given = Given {
                header_files: std::slice::from_ref(&path),
                ..Given::default()
            };
            given.read(1)
        };
        let secrets = read("X-Key: canary\r\n\nCookie: sid=other\n").unwrap();
        assert_eq!(secrets.common.masked("canary other"), "*** ***");
        let fault = read("X-Key: canary\ncanary\n").unwrap_err().to_string();
        assert!(
            fault.contains("headers, line 2") && !fault.contains("canary"),
            "{fault}"
        );
    }

    #[test]
    fn a_variable_that_is_no_text_is_a_fault() {
        use std::os::unix::ffi::OsStringExt;
        let given = Given {
            variable: Some(OsString::from_vec(vec![0xff])),
            ..Given::default()
        };
        assert!(given.read(1).unwrap_err().to_string().contains(VARIABLE));
    }

    #[test]
    fn an_empty_variable_is_none() {
        assert!(secrets(&[], Some(""), &["authorization: mine"], 1).is_ok());
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

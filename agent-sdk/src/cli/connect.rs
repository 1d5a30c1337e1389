//! Finding the agent: its configuration, its address, its token.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::args::Args;
use super::{Endpoint, Exit, Failure, Program};
use crate::client::{Client, ClientError};
use crate::ledger::is_held;

/// A client, and what to say when it is turned away.
pub(super) struct Connection {
    pub(super) client: Client,
    /// Why there is no token to show.
    hint: Option<String>,
    name: &'static str,
}

/// The configuration file: the one that is named, else the first that is there.
pub(super) fn file(args: &Args, program: &dyn Program) -> Result<PathBuf, Failure> {
    if let Some(file) = &args.config {
        return Ok(file.clone());
    }
    let tried = [
        PathBuf::from("agent.yaml"),
        Path::new("/etc").join(program.name()).join("agent.yaml"),
    ];
    match tried.iter().find(|file| file.exists()) {
        Some(file) => Ok(file.clone()),
        None => Err(Failure::new(
            Exit::Configuration,
            format!(
                "no configuration: AGENT_CONFIG is not set, and there is neither ./agent.yaml nor {}. Name one with \
                 --config, or make one with `{} config example`",
                tried[1].display(),
                program.name()
            ),
        )),
    }
}

/// A client of the agent that is meant.
pub(super) fn connect(args: &Args, program: &dyn Program) -> Result<Connection, Failure> {
    let (url, local) = if let Some(url) = &args.url {
        (url.clone(), None)
    } else {
        let endpoint = program.endpoint(&file(args, program)?)?;
        (url_of(&endpoint)?, Some(endpoint))
    };
    let client = Client::new(&url).map_err(|error| Failure::new(Exit::of(&error), error.to_string()))?;
    let (token, hint) = match (&args.token_file, local) {
        (Some(file), _) => (Some(read(file).map_err(|error| unreadable(file, &error))?), None),
        // The local token is for the local agent only: another address could be anybody's.
        (None, None) => (None, Some("no token was shown: name one with --token-file".to_owned())),
        (None, Some(endpoint)) => {
            let file = endpoint.state_directory.join("token");
            match read(&file) {
                // Nobody but the agent can hold the state directory. While it does not run, whoever listens in its place
                // must not be given its token.
                Ok(_) if !is_held(&endpoint.state_directory) => {
                    let directory = endpoint.state_directory.display();
                    (
                        None,
                        Some(format!(
                            "no token was shown: no agent holds {directory}, so it is not the one that answers"
                        )),
                    )
                }
                Ok(token) => (Some(token), None),
                Err(error) => {
                    let why = match error.kind() {
                        ErrorKind::NotFound => "is not there".to_owned(),
                        ErrorKind::PermissionDenied => "may only be read by the agent's user".to_owned(),
                        _ => format!("cannot be read: {error}"),
                    };
                    (None, Some(format!("no token was shown: {} {why}", file.display())))
                }
            }
        }
    };
    let client = match token {
        Some(token) => client.with_token(token),
        None => client,
    };
    Ok(Connection {
        client,
        hint,
        name: program.name(),
    })
}

impl Connection {
    /// The program's name.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// An error as it is told, with what can be done about it.
    pub(super) fn failure(&self, error: &ClientError) -> Failure {
        let exit = Exit::of(error);
        let mut message = error.to_string();
        match (exit, error) {
            (Exit::Unreachable, ClientError::Unreachable { cause, .. }) => {
                let base = self.client.base();
                message = format!(
                    "no agent answers at {base}: {cause}. Does it run? `{} run` starts it",
                    self.name
                );
            }
            (Exit::Denied, _) => {
                if let Some(hint) = &self.hint {
                    message = format!("{message}; {hint}");
                }
            }
            _ => {}
        }
        Failure { exit, message }
    }
}

fn url_of(endpoint: &Endpoint) -> Result<String, Failure> {
    let ip = match endpoint.bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    if endpoint.bind.port() == 0 {
        return Err(Failure::new(
            Exit::Configuration,
            "api.bind has port 0, so the agent took a free one: name its address with --url",
        ));
    }
    Ok(format!("http://{}", SocketAddr::new(ip, endpoint.bind.port())))
}

fn read(file: &Path) -> std::io::Result<String> {
    let token = std::fs::read_to_string(file)?.trim().to_owned();
    if token.is_empty() || token.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(std::io::Error::other("it holds no token"));
    }
    Ok(token)
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("the token file {} cannot be read: {error}", file.display()),
    )
}

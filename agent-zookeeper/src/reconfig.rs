//! Changing the ensemble: one request, one answer, and what each answer calls for.
//!
//! The server checks in this order, and its codes hide each other: reconfiguration disabled (-123), standalone (-6),
//! another change in progress (-14), another version (-103), arguments (-8), the new quorum (-13), authority (-102). An
//! answer that is none of these does not say whether the change was made: it is read back, never sent again blindly.

use agent_sdk::action::{ActionError, Fault};
use zookeeper_client::Error;

/// What to do about the answer to a change.
#[derive(Debug)]
pub enum Verdict {
    /// It failed, in a way that is known.
    Failed(ActionError),
    /// Whether it was made is not known: only reading tells.
    Undecided(String),
}

/// How authority is given, for whoever reads the error.
const AUTHORITY: &str = "changing the ensemble needs the user super (put super:PASSWORD into the agent's \
    store.credentials_file, and start every server with -Dzookeeper.DigestAuthenticationProvider.superDigest=super:DIGEST), \
    or an ACL that lets the agent's user write /zookeeper/config";

/// How reconfiguration is switched on.
pub const SWITCH_ON: &str = "set reconfigEnabled=true in zoo.cfg of every server and restart them one after another";

/// How a server is made fit for ensembles.
pub const NOT_STANDALONE: &str = "set standaloneEnabled=false and reconfigEnabled=true in its zoo.cfg, give it a \
    dynamicConfigFile with its own server line, and restart it";

/// What an answer calls for. `with_credentials`: the request had some.
pub fn verdict(error: &Error, with_credentials: bool) -> Verdict {
    let given = if with_credentials {
        "the credentials in store.credentials_file do not give it: their password is wrong, or the user has no such right"
    } else {
        "the agent has no credentials: store.credentials_file is not set"
    };
    match error {
        Error::ReconfigDisabled => last(
            "reconfig_disabled",
            format!("the ensemble's servers do not allow changes (reconfigEnabled=false): {SWITCH_ON}"),
        ),
        Error::Unimplemented => last("standalone", format!("the server is standalone: {NOT_STANDALONE}")),
        Error::NoAuth => last(
            "no_authority",
            format!("the ensemble refused the change: {AUTHORITY}; {given}"),
        ),
        Error::AuthFailed => last(
            "no_authority",
            format!("the server refused the agent's credentials: {AUTHORITY}; {given}"),
        ),
        Error::BadArguments(_) | Error::MarshallingError => last(
            "refused_arguments",
            "the server refused the change as malformed (-8): a server line without a client part, an address that \
             cannot be read, or the removal of the last member",
        ),
        Error::BadVersion => retry(
            "changed_meanwhile",
            "somebody else changed the ensemble meanwhile; it is read anew",
        ),
        Error::UnexpectedErrorCode(IN_PROGRESS) => {
            retry("change_in_progress", "another change of the ensemble is in progress")
        }
        Error::UnexpectedErrorCode(NO_NEW_QUORUM) => retry(
            "no_new_quorum",
            format!(
                "the ensemble as it would be has no quorum in step (-13): too few of its voters are connected; an observer \
                 whose vote it needs has to be removed and added again. The server says this also before it looks at \
                 authority: {AUTHORITY}; {}",
                if with_credentials {
                    "the agent sent its credentials"
                } else {
                    given
                }
            ),
        ),
        Error::NotReadOnly => retry("no_quorum", "the server is cut off from a quorum"),
        Error::Throttled => retry("throttled", "the server is overloaded and takes no request"),
        Error::QuotaExceeded | Error::InvalidAcl | Error::NoNode => {
            last("refused", format!("the server refused the change: {error}"))
        }
        // The connection, the session or the library's own deadline: the list of those is open.
        error => Verdict::Undecided(error.to_string()),
    }
}

const IN_PROGRESS: i32 = -14;
const NO_NEW_QUORUM: i32 = -13;

fn last(code: &'static str, message: impl Into<String>) -> Verdict {
    Verdict::Failed(ActionError::Final(Fault::new(code, message)))
}

fn retry(code: &'static str, message: impl Into<String>) -> Verdict {
    Verdict::Failed(ActionError::Retry(Fault::new(code, message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How it ends, with the code and whether the message says this.
    fn told(error: &Error, credentials: bool, says: &str) -> (&'static str, String) {
        let (end, fault) = match verdict(error, credentials) {
            Verdict::Failed(ActionError::Retry(fault)) => ("retry", fault),
            Verdict::Failed(ActionError::Final(fault)) => ("final", fault),
            Verdict::Failed(error) => panic!("{error}"),
            Verdict::Undecided(reason) => return ("undecided", reason),
        };
        assert!(fault.to_string().contains(says), "{fault} does not say {says}");
        (end, fault.code().to_owned())
    }

    #[test]
    fn every_code_has_its_consequence() {
        let code = |error, says| told(error, false, says);
        assert_eq!(
            code(&Error::ReconfigDisabled, "reconfigEnabled=true"),
            ("final", "reconfig_disabled".into())
        );
        assert_eq!(
            code(&Error::Unimplemented, "standaloneEnabled=false"),
            ("final", "standalone".into())
        );
        assert_eq!(
            code(&Error::BadVersion, "read anew"),
            ("retry", "changed_meanwhile".into())
        );
        assert_eq!(
            code(&Error::BadArguments(&"x"), "client part"),
            ("final", "refused_arguments".into())
        );
        assert_eq!(
            code(&Error::MarshallingError, ""),
            ("final", "refused_arguments".into())
        );
        assert_eq!(
            code(&Error::UnexpectedErrorCode(-14), ""),
            ("retry", "change_in_progress".into())
        );
        assert_eq!(code(&Error::Throttled, ""), ("retry", "throttled".into()));
    }

    #[test]
    fn authority_is_named_also_where_it_hides() {
        assert_eq!(
            told(&Error::NoAuth, false, "is not set"),
            ("final", "no_authority".into())
        );
        assert_eq!(
            told(&Error::NoAuth, true, "password is wrong"),
            ("final", "no_authority".into())
        );
        let hidden = Error::UnexpectedErrorCode(-13);
        assert_eq!(told(&hidden, false, "superDigest"), ("retry", "no_new_quorum".into()));
        assert_eq!(told(&hidden, true, "superDigest"), ("retry", "no_new_quorum".into()));
    }

    #[test]
    fn what_is_not_known_is_read_back() {
        for error in [
            Error::ConnectionLoss,
            Error::SessionExpired,
            Error::ClientClosed,
            Error::Timeout,
            Error::NoHosts,
            Error::SessionMoved,
            Error::UnexpectedErrorCode(-999),
            Error::UnexpectedError("x".into()),
        ] {
            assert_eq!(told(&error, true, "").0, "undecided", "{error}");
        }
    }
}

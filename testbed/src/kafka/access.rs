//! What the user of a secured cluster is let do.

use super::security::USER;
use super::{Error, Tools};

/// What a rule is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resource<'a> {
    /// The cluster itself: quorum, configurations of brokers, reassignments, log directories.
    Cluster,
    /// A topic by its name; `*` stands for all.
    Topic(&'a str),
    /// A consumer group by its id; `*` stands for all.
    Group(&'a str),
}

impl Resource<'_> {
    /// As `kafka-acls.sh` takes it.
    fn arguments(&self) -> Vec<&str> {
        match self {
            Self::Cluster => vec!["--cluster"],
            Self::Topic(name) => vec!["--topic", name],
            Self::Group(id) => vec!["--group", id],
        }
    }
}

impl Tools<'_> {
    /// Lets the user of the [credentials](super::Cluster::credentials_file) do something (`Describe`, `Alter`,
    /// `AlterConfigs`, …, `All`). The controllers know when this returns; a broker, a moment later.
    ///
    /// # Errors
    /// As [`Tools::run`]; the cluster has to be secured.
    pub fn grant(&self, operation: &str, resource: Resource<'_>) -> Result<(), Error> {
        let (brokers, principal) = (self.brokers(), format!("User:{USER}"));
        let mut arguments = vec!["--bootstrap-server", &brokers, "--add"];
        arguments.extend(["--allow-principal", &principal, "--operation", operation]);
        arguments.extend(resource.arguments());
        self.run("kafka-acls.sh", &arguments, "").map(drop)
    }
}

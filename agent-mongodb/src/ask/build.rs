//! `buildInfo`: the release that runs.

use agent_sdk::spec::StoreVersion;
use mongodb::bson::{Document, doc};

use crate::client::{Fault, Link, Read};

/// What an answer means.
pub fn version(answer: &Document) -> Option<StoreVersion> {
    let mut version = StoreVersion::parse(answer.text("version")?)?;
    version.checkout = answer.text("gitVersion").map(str::to_owned);
    Some(version)
}

/// Asks.
pub async fn ask(link: &Link) -> Result<Option<StoreVersion>, Fault> {
    link.ask_again(doc! { "buildInfo": 1 })
        .await
        .map(|answer| version(&answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_its_commit() {
        let answer = doc! { "version": "6.0.5", "gitVersion": "c9a99c120371d4d4c52cbb15dac34a36ce8d3b1d" };
        let version = version(&answer).unwrap();
        assert_eq!(version.number.to_string(), "6.0.5");
        assert!(version.checkout.unwrap().starts_with("c9a99c"));
        assert_eq!(super::version(&doc! { "version": 6 }), None);
    }
}

//! Versions of the agent and of the store, in `SemVer` (Attributes → Agent Version, Data Store Node Version).

use semver::{BuildMetadata, Prerelease, Version};

/// The version of the agent's program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentVersion {
    /// Release number.
    pub number: Version,
    /// Revision of the source that the program was built from, where known.
    pub checkout: Option<String>,
    /// Whether that source had changes of its own, where known.
    pub taint: Option<String>,
}

/// The version of a store's process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreVersion {
    /// Release number; parts that the store does not have are zero.
    pub number: Version,
    /// Revision of the store's source, where it tells.
    pub checkout: Option<String>,
    /// The store's own words, where they say more.
    pub extra: Option<String>,
}

impl StoreVersion {
    /// What is said when nobody knows the version.
    pub const fn unknown() -> Self {
        Self {
            number: Version::new(0, 0, 0),
            checkout: None,
            extra: None,
        }
    }

    /// Reads the version at the beginning of a store's own words, such as `4.4`, `3.9.5-rc1` or `v7.0.1`.
    ///
    /// Missing parts are zero and parts beyond the third are left out; `None` when the text begins with no number.
    pub fn parse(words: &str) -> Option<Self> {
        let text = words.trim().trim_start_matches('v');
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        let mut parts = digits.split('.').map(|part| {
            if part.is_empty() {
                None
            } else {
                part.parse::<u64>().ok()
            }
        });
        let major = parts.next()??;
        let minor = parts.next().flatten().unwrap_or(0);
        let patch = parts.next().flatten().unwrap_or(0);
        let mut number = Version::new(major, minor, patch);
        let (pre, build) = rest.split_once('+').unwrap_or((rest, ""));
        if let Some(pre) = pre.strip_prefix('-') {
            let word = pre.split([',', ' ']).next().unwrap_or_default();
            number.pre = Prerelease::new(word).unwrap_or(Prerelease::EMPTY);
        }
        number.build = BuildMetadata::new(build).unwrap_or(BuildMetadata::EMPTY);
        Some(Self {
            number,
            checkout: None,
            extra: None,
        })
    }

    /// The same version with the revision of the store's source.
    #[must_use]
    pub fn with_checkout(mut self, checkout: impl Into<String>) -> Self {
        self.checkout = Some(checkout.into());
        self
    }

    /// The same version with the store's own words.
    #[must_use]
    pub fn with_extra(mut self, extra: impl Into<String>) -> Self {
        self.extra = Some(extra.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_parts_are_zero_and_further_ones_are_left_out() {
        let number = |words| StoreVersion::parse(words).map(|version| version.number.to_string());
        assert_eq!(number("4.4").as_deref(), Some("4.4.0"));
        assert_eq!(number("v7").as_deref(), Some("7.0.0"));
        assert_eq!(number("3.9.5-rc1").as_deref(), Some("3.9.5-rc1"));
        assert_eq!(number("1.2.3.4").as_deref(), Some("1.2.3"));
        assert_eq!(number("8.0.1+meta").as_deref(), Some("8.0.1+meta"));
        assert_eq!(number("latest"), None);
        assert_eq!(number(""), None);
    }
}

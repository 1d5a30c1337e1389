//! From a file and the environment to a configuration that holds.
//!
//! The file is YAML. A variable `AGENT__API__BIND` takes the place of `api.bind`: `AGENT__`, then the path in upper case
//! with `__` between the keys; its text is read as a YAML value, so that lists and sections can be given as well.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::error::is_secret;
use super::schema::{Place, out_of_range, schema};
use super::tree::{Content, Origin, Tree};
use super::{Config, ConfigError, ConfigFault, Validated};

/// What the names of all overriding variables begin with.
const PREFIX: &str = "AGENT__";

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Reads and checks a configuration, overrides from this process' environment included.
///
/// **Errors** name the key, its line or variable, and what would be right.
pub fn load<S: DeserializeOwned + JsonSchema>(file: &Path) -> Result<Validated<S>, ConfigError> {
    let text = read(file).map_err(|cause| ConfigError::Unreadable {
        file: file.to_owned(),
        cause,
    })?;
    parse(file, &text, std::env::vars_os())
}

fn read(file: &Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(file)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(std::io::Error::other("it is longer than 1 MiB"));
    }
    Ok(text)
}

/// The same with the text and the variables given. `file` is only named in errors.
pub fn parse<S: DeserializeOwned + JsonSchema>(
    file: &Path,
    text: &str,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Validated<S>, ConfigError> {
    let schema = schema::<S>().to_value();
    let invalid = |faults| ConfigError::Invalid {
        file: file.to_owned(),
        faults,
    };
    let mut tree = Tree::parse(text, None).map_err(|malformed| {
        let origin = if malformed.line == 0 {
            Origin::Nowhere
        } else {
            Origin::Line(malformed.line)
        };
        invalid(vec![ConfigFault {
            key: String::new(),
            origin,
            detail: format!("no YAML: {}", malformed.detail),
        }])
    })?;
    for (name, value) in overrides(variables) {
        override_one(&mut tree, Place::root(&schema), &name, value).map_err(|fault| invalid(vec![fault]))?;
    }
    let config = typed::<S>(&tree, &schema).map_err(|fault| invalid(vec![fault]))?;
    let located = |(key, detail): (String, String)| ConfigFault {
        origin: tree.origin_of(&key),
        key,
        detail,
    };
    let wrong: Vec<_> = out_of_range(Place::root(&schema), &tree.to_value())
        .into_iter()
        .map(located)
        .collect();
    if !wrong.is_empty() {
        return Err(invalid(wrong));
    }
    config.validate().map_err(|faults| {
        invalid(
            faults
                .into_iter()
                .map(|ConfigFault { key, detail, .. }| located((key, detail)))
                .collect(),
        )
    })
}

fn typed<S: DeserializeOwned + JsonSchema>(tree: &Tree, schema: &serde_json::Value) -> Result<Config<S>, ConfigFault> {
    serde_path(tree).map_err(|(key, origin, mut detail)| {
        let meaning = Place::root(schema).at(&key).and_then(Place::description);
        if let Some(meaning) = meaning.filter(|_| !key.is_empty()) {
            detail = format!("{detail}. It is: {}", meaning.lines().collect::<Vec<_>>().join(" "));
        }
        ConfigFault { key, origin, detail }
    })
}

fn serde_path<T: DeserializeOwned>(tree: &Tree) -> Result<T, (String, Origin, String)> {
    T::deserialize(tree).map_err(|misfit| {
        let path = misfit.path();
        let detail = if misfit.foreign && is_secret(&path) {
            "it does not fit (its value is not shown)".to_owned()
        } else {
            misfit.detail
        };
        (path, misfit.origin.unwrap_or(Origin::Nowhere), detail)
    })
}

/// Variables that override, in the names' order, so that `AGENT__NODE` goes before `AGENT__NODE__ID`.
fn overrides(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<(Arc<str>, OsString)> {
    let mut found: Vec<(Arc<str>, OsString)> = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .map(|(name, value)| (Arc::from(name), value))
        .collect();
    found.sort();
    found
}

fn override_one(tree: &mut Tree, root: Place<'_>, name: &Arc<str>, value: OsString) -> Result<(), ConfigFault> {
    let origin = Origin::Variable(Arc::clone(name));
    let fault = |key: &str, detail: String| ConfigFault {
        key: key.to_owned(),
        origin: origin.clone(),
        detail,
    };
    let text = value
        .into_string()
        .map_err(|_| fault("", "its value is no UTF-8".to_owned()))?;
    let mut parsed = Tree::parse(&text, Some(name)).map_err(|malformed| {
        let why = if is_secret(name) {
            String::new()
        } else {
            format!(" ({})", malformed.detail)
        };
        fault(
            "",
            format!("its value is no YAML{why}: put text with special characters in quotes"),
        )
    })?;
    parsed.origin = origin.clone();

    let (mut here, mut place, mut path) = (tree, Some(root), String::new());
    for part in name[PREFIX.len()..].split("__") {
        if part.is_empty() {
            return Err(fault(
                &path,
                "its name has an empty part: write AGENT__SECTION__KEY".to_owned(),
            ));
        }
        let key = known(here, place, part);
        place = place.and_then(|place| place.child(&key));
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&key);
        here = here
            .entry(&key, &origin)
            .ok_or_else(|| fault(&path, "it is inside of a value that has no keys".to_owned()))?;
    }
    *here = parsed;
    Ok(())
}

/// The key that a part of a variable's name means: one that is there or that the schema knows, whatever its case.
fn known(tree: &Tree, place: Option<Place<'_>>, part: &str) -> String {
    let there = match &tree.content {
        Content::Map(entries) => entries
            .iter()
            .map(|entry| entry.key.as_str())
            .find(|key| key.eq_ignore_ascii_case(part)),
        _ => None,
    };
    let in_schema = || {
        place?
            .properties()
            .map(|(key, _)| key)
            .find(|key| key.eq_ignore_ascii_case(part))
    };
    there
        .or_else(in_schema)
        .map_or_else(|| part.to_ascii_lowercase(), str::to_owned)
}

//! What `mongod` is started with. Pure: who the node is comes in, arguments come out.

use std::collections::BTreeSet;
use std::path::Path;

use super::security::Files;

/// Of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own<'a> {
    pub(super) port: u16,
    pub(super) data: &'a Path,
    /// `None` for a server alone.
    pub(super) set_name: Option<&'a str>,
    pub(super) security: Option<Files<'a>>,
    /// These win: an option of ours that is among them is left out, for `mongod` takes no option twice.
    pub(super) more: &'a [String],
}

/// For tests with a few thousand documents: a cache of the default size would take half of the memory, three times, and
/// the write-ahead log 300 MB of disk each. Diagnostic data would be written once a second for nobody, and a log with every
/// connection in it is read by nobody.
const LEAN: &[&str] = &[
    "--wiredTigerCacheSizeGB=0.25",
    "--wiredTigerEngineConfigString=log=(file_max=16MB,prealloc=false)",
    "--quiet",
    "--setParameter=diagnosticDataCollectionEnabled=false",
];

/// In MB. The default is a share of the disk.
const OPLOG: u32 = 64;

/// All arguments of a node.
pub(super) fn mongod(own: Own<'_>) -> Vec<String> {
    let Own {
        port,
        data,
        set_name,
        security,
        more,
    } = own;
    let mut all = vec![
        format!("--dbpath={}", data.display()),
        format!("--port={port}"),
        "--bind_ip=127.0.0.1".to_owned(),
        "--nounixsocket".to_owned(),
    ];
    all.extend(LEAN.iter().copied().map(str::to_owned));
    if let Some(name) = set_name {
        all.extend([format!("--replSet={name}"), format!("--oplogSize={OPLOG}")]);
    }
    all.extend(security.into_iter().flat_map(Files::arguments));
    let theirs: BTreeSet<_> = more.iter().filter_map(|argument| name(argument)).collect();
    all.retain(|ours| name(ours).is_none_or(|name| name == "--setParameter" || !theirs.contains(name)));
    all.extend_from_slice(more);
    all
}

/// `--port=1` → `--port`.
fn name(argument: &str) -> Option<&str> {
    let option = argument.starts_with("--").then_some(argument)?;
    Some(option.split_once('=').map_or(option, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(set_name: Option<&str>, more: &[&str]) -> Vec<String> {
        let more: Vec<_> = more.iter().map(ToString::to_string).collect();
        mongod(Own {
            port: 7,
            data: Path::new("/d"),
            set_name,
            security: None,
            more: &more,
        })
    }

    #[test]
    fn a_member_knows_its_set_and_a_server_alone_knows_none() {
        let member = arguments(Some("rs0"), &[]);
        assert!(member.contains(&"--replSet=rs0".to_owned()) && member.contains(&"--oplogSize=64".to_owned()));
        let alone = arguments(None, &[]);
        assert!(alone.contains(&"--port=7".to_owned()) && !alone.iter().any(|it| it.contains("replSet")));
    }

    #[test]
    fn what_is_added_takes_the_place_of_ours() {
        let all = arguments(Some("rs0"), &["--oplogSize", "990", "--setParameter=a=1"]);
        let oplog: Vec<_> = all.iter().filter(|it| it.starts_with("--oplogSize")).collect();
        assert_eq!(oplog, ["--oplogSize"]);
        assert_eq!(all.iter().filter(|it| it.starts_with("--setParameter")).count(), 2);
        assert_eq!(all[all.len() - 3..], ["--oplogSize", "990", "--setParameter=a=1"]);
    }
}

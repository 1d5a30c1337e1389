//! The suite shares no code with what it judges: a mistake made in both would be seen by neither.

#![allow(
    clippy::unwrap_used,
    reason = "where cargo cannot be asked, the test has failed and says where"
)]

use std::path::Path;
use std::process::Command;

/// Every package of this repository that `package` is built, or tested, from.
fn own_packages(package: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", package])
        .args(["--edges", "normal,build,dev"])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p}"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    // A package from a folder is followed by the folder, one from the registry by nothing.
    let mut packages: Vec<_> = String::from_utf8(tree.stdout)
        .unwrap()
        .lines()
        .filter(|line| line.contains(&format!("({}", root.display())))
        .filter_map(|line| line.split(' ').next().map(str::to_owned))
        .collect();
    packages.sort();
    packages.dedup();
    packages
}

#[test]
fn it_is_built_and_tested_without_agent_sdk() {
    assert_eq!(own_packages("spec-tests"), ["spec-tests"]);
    // One that does use it is seen to.
    assert!(own_packages("agent-zookeeper").contains(&"agent-sdk".to_owned()));
}

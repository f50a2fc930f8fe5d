// SPDX-License-Identifier: GPL-2.0

use super::run;
use std::fs;

#[test]
fn pages_and_completions() {
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path()).expect("all files");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect(name);
    assert!(read("man/mptcp-rs-endpoint-add.1").contains("\\-\\-signal"));
    assert!(read("man/mptcp-rs.1").contains("ip(8)"));
    for name in ["_mptcp-rs", "mptcp-rs.bash", "mptcp-rs.fish"] {
        let completion = read(&format!("completion/{name}"));
        assert!(completion.contains("fullmesh"), "{name}");
    }
}

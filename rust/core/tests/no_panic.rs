// SPDX-License-Identifier: GPL-2.0

//! Inside the kernel a panic is the end of the machine. This compiles the crate as the kernel does,
//! overflow checks on, together with entry points that call all of it, and demands that no way
//! leads into a panic.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Parts of mangled names of what a panic goes through. Division of 128-bit numbers is one of
/// them, because the kernel's build has panics in the place of the functions that it calls.
const PANIC_PATHS: [&str; 8] = [
    "core9panicking",
    "unwrap_failed",
    "expect_failed",
    "slice5index",
    "len_mismatch_fail",
    "panic_const",
    "__udivti3",
    "__umodti3",
];

/// Compiles `source` to an object file beside the other outputs of `name` and returns its path.
fn compile(name: &str, source: &Path, more: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_panic");
    std::fs::create_dir_all(&folder).expect("the target folder is writable");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let object = folder.join(format!("{name}.o"));
    let output = Command::new(rustc)
        .args(["--edition", "2021", "--crate-type", "lib"])
        .args(["--crate-name", name])
        .args(["-Copt-level=2", "-Coverflow-checks=y", "-Cpanic=abort"])
        .args(["-Cdebug-assertions=n", "-Ccodegen-units=1"])
        .args(["-Csymbol-mangling-version=v0", "--cap-lints", "allow"])
        .arg(format!("--emit=obj={}", object.display()))
        .arg(format!(
            "--emit=metadata={}/lib{name}.rmeta",
            folder.display()
        ))
        .arg("-L")
        .arg(&folder)
        .args(more)
        .arg(source)
        .output()
        .expect("the compiler can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{name} does not compile:\n{errors}"
    );
    object
}

/// The ways into a panic that an object file names.
fn panics_of(object: &Path) -> Vec<&'static str> {
    let bytes = std::fs::read(object).expect("the object file was written");
    let named = |path: &&str| {
        bytes
            .windows(path.len())
            .any(|window| window == path.as_bytes())
    };
    PANIC_PATHS.into_iter().filter(named).collect()
}

#[test]
fn nothing_leads_into_a_panic() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let core = compile("mptcp_core", &home.join("src/mptcp_core.rs"), &[]);
    assert!(panics_of(&core).is_empty(), "{:?}", panics_of(&core));

    let entry = home.join("tests/no_panic/entry_points.rs");
    let entry = compile("entry_points", &entry, &["--extern", "mptcp_core"]);
    assert!(panics_of(&entry).is_empty(), "{:?}", panics_of(&entry));
}

#[test]
fn a_panic_would_be_noticed() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, body) in [
        ("adds", "(a: u32, b: u32) -> u32 { a + b }"),
        ("indexes", "(a: &[u8], b: usize) -> u8 { a[b] }"),
        ("slices", "(a: &[u8], b: usize) -> &[u8] { &a[b..] }"),
        (
            "divides",
            "(a: u128, b: u64) -> u128 { a / (b as u128 | 1) }",
        ),
        ("unwraps", "(a: Option<u8>) -> u8 { a.unwrap() }"),
        (
            "copies",
            "(a: &mut [u8], b: &[u8]) { a.copy_from_slice(b) }",
        ),
    ] {
        let source = folder.join(format!("{name}.rs"));
        let text = format!("#![no_std]\n#[no_mangle]\npub fn {name}{body}\n");
        std::fs::write(&source, text).expect("the target folder is writable");
        let object = compile(name, &source, &[]);
        assert!(!panics_of(&object).is_empty(), "{name} was not noticed");
    }
}

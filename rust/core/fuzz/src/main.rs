// SPDX-License-Identifier: GPL-2.0

//! Lets libFuzzer choose the inputs of the checks in `tests/oracle`. The environment variable
//! `FUZZ_TARGET` names the check.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use targets::{Check, TARGETS};

#[path = "../../tests/oracle/connection.rs"]
mod connection;
#[path = "../../tests/oracle/handshake.rs"]
mod handshake;
#[path = "../../tests/oracle/input.rs"]
mod input;
#[path = "../../tests/oracle/mappings.rs"]
mod mappings;
#[path = "../../tests/oracle/options.rs"]
mod options;
#[path = "../../tests/oracle/paths.rs"]
mod paths;
#[path = "../../tests/oracle/reassembly.rs"]
mod reassembly;
#[path = "../../tests/oracle/targets.rs"]
mod targets;

static CHECK: LazyLock<Check> = LazyLock::new(|| {
    let wanted = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(name, _)| *name == wanted);
    match found {
        Some((_, check)) => *check,
        None => panic!(
            "FUZZ_TARGET must be one of {:?}",
            TARGETS.map(|(name, _)| name)
        ),
    }
});

fuzz_target!(|input: &[u8]| CHECK(input));

// SPDX-License-Identifier: GPL-2.0

//! The core compared, step by step, with slow models that keep an account of every byte in the
//! collections of the standard library.
//!
//! Each check takes any bytes and reads its choices from them, so the same checks serve random
//! inputs here, the kept inputs in `corpus/`, and the fuzzer (`rust/core/fuzz`).

mod connection;
mod handshake;
mod input;
mod mappings;
mod options;
mod paths;
mod reassembly;
mod targets;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::path::Path;
use targets::TARGETS;

#[test]
fn models_and_core_agree_on_random_inputs() {
    let bytes = proptest::collection::vec(any::<u8>(), 0..400);
    let config = ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    for (name, check) in TARGETS {
        let result = TestRunner::new(config.clone()).run(&bytes, |input| {
            check(&input);
            Ok(())
        });
        if let Err(error) = result {
            panic!("{name}: {error}");
        }
    }
}

#[test]
fn models_and_core_agree_on_kept_inputs() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/corpus");
    for (name, check) in TARGETS {
        let file = corpus.join(name).with_extension("hex");
        let kept = std::fs::read_to_string(&file).expect("every check has kept inputs");
        let inputs: Vec<&str> = kept.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(!inputs.is_empty(), "{} has no input", file.display());
        for input in inputs {
            check(&from_hex(input));
        }
    }
}

fn from_hex(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len())
        .step_by(2)
        .map(|at| digits.get(at..at + 2));
    let byte = |pair: Option<&str>| u8::from_str_radix(pair?, 16).ok();
    pairs
        .map(|pair| byte(pair).expect("pairs of hexadecimal digits"))
        .collect()
}

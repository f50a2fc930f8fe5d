// SPDX-License-Identifier: GPL-2.0

//! Makes a failing scenario simpler as long as it fails.

use crate::scenario::{Scenario, Simplification, SIMPLIFICATIONS};
use crate::world::{run, Failure};

/// A failing scenario, made simple.
#[derive(Debug)]
pub struct Shrunk {
    /// The scenario.
    pub scenario: Scenario,
    /// How it was made from the one of its seed.
    pub steps: Vec<Simplification>,
    /// How it fails.
    pub failure: Failure,
}

impl Shrunk {
    /// The command that runs it again.
    pub fn command(&self) -> String {
        let mut command = format!(
            "cargo run --release -p mptcp_simulator -- --seed {} --log",
            self.scenario.seed
        );
        if !self.steps.is_empty() {
            let names: Vec<_> = self.steps.iter().map(|step| step.name).collect();
            command += &format!(" --simplify {}", names.join(","));
        }
        command
    }
}

/// The simplest form of the scenario of a seed; `None` if it does not fail.
pub fn shrink(seed: u64) -> Option<Shrunk> {
    simplest(Scenario::random(seed))
}

/// The simplest form of a scenario; `None` if it does not fail.
pub fn simplest(scenario: Scenario) -> Option<Shrunk> {
    let failure = run(&scenario).err()?;
    let mut shrunk = Shrunk {
        scenario,
        steps: Vec::new(),
        failure,
    };
    while simplify(&mut shrunk) {}
    Some(shrunk)
}

fn simplify(shrunk: &mut Shrunk) -> bool {
    for step in SIMPLIFICATIONS {
        let simpler = step.of(&shrunk.scenario);
        if simpler == shrunk.scenario {
            continue;
        }
        let same = |failure: &Failure| failure.kind() == shrunk.failure.kind();
        if let Some(failure) = run(&simpler).err().filter(same) {
            shrunk.scenario = simpler;
            shrunk.steps.push(step);
            shrunk.failure = failure;
            return true;
        }
    }
    false
}

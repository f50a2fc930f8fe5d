// SPDX-License-Identifier: GPL-2.0

//! Runs scenarios by their seeds, one with its log or many in a row.

use clap::Parser;
use mptcp_simulator::scenario::{Scenario, Simplification};
use mptcp_simulator::shrink::shrink;
use mptcp_simulator::world::{run, run_logged};
use std::process::ExitCode;

/// Simulates connections over hostile networks.
#[derive(Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long)]
    seed: u64,
    /// How many seeds, from the first on.
    #[arg(long, default_value_t = 1)]
    scenarios: u64,
    /// Prints every event.
    #[arg(long)]
    log: bool,
    /// Makes the scenario simpler, by these steps in this order.
    #[arg(long, value_delimiter = ',', value_parser = simplification)]
    simplify: Vec<Simplification>,
}

fn simplification(name: &str) -> Result<Simplification, String> {
    Simplification::named(name).ok_or_else(|| format!("there is no simplification '{name}'"))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.log || !arguments.simplify.is_empty() {
        return replay(&arguments);
    }
    let mut failed = 0;
    for seed in arguments.seed..arguments.seed.saturating_add(arguments.scenarios) {
        let Err(failure) = run(&Scenario::random(seed)) else {
            continue;
        };
        failed += 1;
        println!("seed {seed}: {failure:?}");
        if let Some(shrunk) = shrink(seed) {
            println!("    simplest: {:?}", shrunk.failure);
            println!("    {}", shrunk.command());
        }
    }
    println!("{} scenarios, {failed} failed", arguments.scenarios);
    match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn replay(arguments: &Arguments) -> ExitCode {
    let first = Scenario::random(arguments.seed);
    let steps = arguments.simplify.iter();
    let scenario = steps.fold(first, |scenario, step| step.of(&scenario));
    println!("{scenario:#?}");
    let outcome = match arguments.log {
        true => run_logged(&scenario, &mut |line| println!("{line}")),
        false => run(&scenario),
    };
    println!("{outcome:#?}");
    match outcome {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

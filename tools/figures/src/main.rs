// SPDX-License-Identifier: GPL-2.0

//! `goodput`: draws the goodput of each path over time, from lines of JSON to SVG.

mod plot;
mod samples;

use anyhow::{
    Context,
    Result, //
};
use clap::Parser;
use plot::Figure;
use std::{
    fs,
    io::{
        self,
        Read, //
    },
    path::PathBuf,
    process::ExitCode, //
};

/// Draws the goodput of each path over time
///
/// Reads lines such as {"time": 1500, "path": "Wi-Fi", "bytes": 123456} from standard input: milliseconds since the
/// start, and the bytes that the path carried until then. `mptcp-rs --json top` prints such lines.
#[derive(Parser)]
#[command(name = "goodput")]
struct Arguments {
    /// SVG file to write
    output: PathBuf,
    /// What stands above the figure
    #[arg(long, default_value = "Goodput")]
    title: String,
    /// Time over which a rate is averaged, in milliseconds
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    step: u64,
    /// A time to mark and what happened then, as MILLISECONDS:WORDS; may be given again
    #[arg(long = "mark", value_name = "MILLISECONDS:WORDS", value_parser = mark)]
    marks: Vec<(u64, String)>,
}

fn mark(text: &str) -> Result<(u64, String), String> {
    let (time, words) = text.split_once(':').ok_or("there is no colon")?;
    let time = time
        .parse()
        .map_err(|_| format!("{time:?} is no time in milliseconds"))?;
    Ok((time, words.to_owned()))
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .context("standard input cannot be read")?;
    let paths = samples::rates(&samples::parse(&text)?, arguments.step);
    let figure = Figure {
        title: &arguments.title,
        marks: &arguments.marks,
    };
    let drawing = figure.draw(&paths)?;
    fs::write(&arguments.output, drawing)
        .with_context(|| format!("{} cannot be written", arguments.output.display()))
}

// SPDX-License-Identifier: GPL-2.0

//! `mptcp-rs`: shows and steers Multipath TCP connections.

mod arguments;
mod connections;
mod counters;
mod device;
mod endpoint;
mod generate;
mod limits;
mod monitor;
mod output;
mod scheduler;
mod stack;
mod steering;
mod subflow;
mod top;
mod words;

use anyhow::Result;
use arguments::{
    Arguments,
    Subject, //
};
use clap::{
    CommandFactory,
    Parser, //
};
use mptcp_netlink::PathManager;
use output::Output;
use stack::Stack;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words = words::to_options(&Arguments::command(), std::env::args_os());
    let arguments = Arguments::parse_from(words);
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let out = Output::new(arguments.json);
    let family = arguments.family.as_deref();
    let path_manager = || PathManager::open(family);
    let stack = Stack::choose(family);
    match arguments.subject {
        Subject::Endpoint { action } => endpoint::run(action, &mut path_manager()?, &out),
        Subject::Limits { action } => limits::run(action, &mut path_manager()?, &out),
        Subject::Monitor => monitor::run(path_manager()?, &out),
        Subject::Subflow { action } => subflow::run(action, &mut path_manager()?),
        Subject::Announce(announce) => subflow::announce(&announce, &mut path_manager()?),
        Subject::Remove(remove) => subflow::remove(&remove, &mut path_manager()?),
        Subject::Connections => connections::show(stack, &out),
        Subject::Subflows { token } => connections::show_subflows(stack, token, &out),
        Subject::Counters(selection) => counters::show(stack, &selection, &out),
        Subject::Scheduler { action } => scheduler::run(action, stack, &out),
        Subject::Top(options) => top::run(&options, stack, &out),
        Subject::Steering { action } => steering::run(action, &out),
        Subject::Generate { folder } => generate::run(&folder),
    }
}

// SPDX-License-Identifier: GPL-2.0

//! `scheduler`: which subflow sends the next data of new connections.

use crate::{
    arguments::SchedulerAction,
    output::Output,
    stack::Stack, //
};
use anyhow::{
    bail,
    Context,
    Result, //
};
use serde_json::json;
use std::fs;

pub(crate) fn run(action: Option<SchedulerAction>, stack: Stack, out: &Output) -> Result<()> {
    let chosen = stack.setting("scheduler");
    let available = stack.setting("available_schedulers");
    let read = |path| {
        fs::read_to_string(path)
            .with_context(|| format!("there is no choice of schedulers: {}", chosen.display()))
    };
    let names = read(&available)?;
    let names: Vec<_> = names.split_whitespace().collect();
    match action {
        Some(SchedulerAction::Show) | None => {
            let current = read(&chosen)?;
            let current = current.trim();
            out.one(
                || format!("scheduler {current} available {}", names.join(" ")),
                || json!({ "scheduler": current, "available": names }),
            )
        }
        Some(SchedulerAction::Set { name }) => {
            if !names.contains(&name.as_str()) {
                bail!(
                    "there is no scheduler {name}: choose of {}",
                    names.join(", ")
                );
            }
            fs::write(&chosen, &name)
                .with_context(|| format!("{} cannot be written", chosen.display()))
        }
    }
}

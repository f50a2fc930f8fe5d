// SPDX-License-Identifier: GPL-2.0

//! `steering`: which processor receives what, and the kernel's settings that steering needs.

mod processors;
mod queues;
mod setup;

use crate::{
    arguments::SteeringAction,
    output::{
        self,
        Output, //
    }, //
};
use anyhow::Result;
use queues::{
    Files,
    Queue, //
};
use serde_json::{
    json,
    Map,
    Value, //
};

pub(crate) fn run(action: Option<SteeringAction>, out: &Output) -> Result<()> {
    let files = Files::system();
    match action {
        Some(SteeringAction::Show) | None => show(&files, out),
        Some(SteeringAction::Setup { devices }) => report(setup::set_up(&files, &devices)?, out),
        Some(SteeringAction::Undo) => report(setup::undo(&files)?, out),
    }
}

fn show(files: &Files, out: &Output) -> Result<()> {
    let module = module_state(files);
    let entries = files.read_number(queues::FLOW_ENTRIES).unwrap_or_default();
    let queues = queues::all(files)?;
    out.lines(
        || {
            let table = [format!("rps_sock_flow_entries {entries}")];
            let queues = queues.iter().map(Queue::line);
            let state = module.lines().map(str::to_owned);
            state
                .chain(table)
                .chain(queues)
                .collect::<Vec<_>>()
                .into_iter()
        },
        || {
            let mut fields = module_fields(&module);
            fields.insert("rps_sock_flow_entries".to_owned(), json!(entries));
            let queues = queues.iter().map(Queue::to_json);
            fields.insert("queues".to_owned(), queues.collect());
            fields.into()
        },
    )
}

/// What the module says of its steering; nothing where it is not loaded.
fn module_state(files: &Files) -> String {
    files.read("proc/net/mptcp_rs/steering").unwrap_or_default()
}

/// `name value` lines become fields; the table after them becomes a list of processors.
fn module_fields(state: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut lines = state.lines();
    let mut headings = Vec::new();
    for line in lines.by_ref() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(name), Some(value), None) => {
                fields.insert(name.to_owned(), output::value_of(value));
            }
            _ => {
                headings = line.split_whitespace().collect();
                break;
            }
        }
    }
    let processors = lines.map(|line| {
        let values = line.split_whitespace().map(output::value_of);
        let names = headings.iter().map(|name| (*name).to_owned());
        Value::Object(names.zip(values).collect())
    });
    let processors: Vec<_> = processors.collect();
    if !processors.is_empty() {
        fields.insert("processors".to_owned(), processors.into());
    }
    fields
}

/// Prints what was changed.
fn report(changes: Vec<setup::Change>, out: &Output) -> Result<()> {
    out.list(&changes, setup::Change::line, setup::Change::to_json)
}

#[cfg(test)]
mod tests;

// SPDX-License-Identifier: GPL-2.0

//! `connections` and `subflows`: the module's table of them.

mod table;

use crate::{
    arguments::Token,
    output::Output,
    stack::Stack, //
};
use anyhow::{
    bail,
    Context,
    Result, //
};
use std::fs;
use table::{
    Connection,
    Row, //
};

pub(crate) fn show(stack: Stack, out: &Output) -> Result<()> {
    let connections = table::group(read(stack)?);
    out.list(&connections, Connection::lines, Connection::to_json)
}

pub(crate) fn show_subflows(stack: Stack, token: Option<Token>, out: &Output) -> Result<()> {
    let mut rows = read(stack)?;
    rows.retain(|row| token.is_none_or(|token| row.token() == Some(token.0)));
    out.list(&rows, Row::line, Row::to_json)
}

fn read(stack: Stack) -> Result<Vec<Row>> {
    if stack == Stack::Kernel {
        bail!("the module is not loaded, and connections of the kernel's own Multipath TCP are listed by `ss -M`");
    }
    let path = Stack::module_file("connections");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read: is the module loaded?", path.display()))?;
    Ok(table::parse(&text))
}

// SPDX-License-Identifier: GPL-2.0

//! `limits`: how many addresses and subflows a connection may have. Output as of `ip mptcp limits`.

use crate::{
    arguments::LimitsAction,
    output::Output, //
};
use anyhow::Result;
use mptcp_netlink::{
    Limits,
    PathManager, //
};
use serde_json::{
    Map,
    Value, //
};

pub(crate) fn run(
    action: Option<LimitsAction>,
    path_manager: &mut PathManager,
    out: &Output,
) -> Result<()> {
    match action {
        Some(LimitsAction::Set(set)) => Ok(path_manager.set_limits(Limits {
            add_addr_accepted: set.add_addr_accepted,
            subflows: set.subflows,
        })?),
        Some(LimitsAction::Show) | None => {
            let fields = fields(path_manager.limits()?);
            let words = fields
                .iter()
                .map(|(name, value)| format!("{name} {value} "));
            let line = words.collect::<Vec<_>>().concat();
            out.one(|| line, || fields.into())
        }
    }
}

fn fields(limits: Limits) -> Map<String, Value> {
    let addresses = ("add_addr_accepted", limits.add_addr_accepted);
    [addresses, ("subflows", limits.subflows)]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
        .collect()
}

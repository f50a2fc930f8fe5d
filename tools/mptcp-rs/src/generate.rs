// SPDX-License-Identifier: GPL-2.0

//! `generate`: man pages and shell completions, made from the grammar; for those who build a package.

use crate::arguments::Arguments;
use anyhow::{
    Context,
    Result, //
};
use clap::CommandFactory;
use clap_complete::Shell;
use std::{
    fs,
    path::{
        Path,
        PathBuf, //
    }, //
};

/// Writes `man/*.1` and `completion/*` into a folder.
pub(crate) fn run(folder: &Path) -> Result<()> {
    let completion = make_folder(folder.join("completion"))?;
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut Arguments::command(), "mptcp-rs", &completion)
            .with_context(|| format!("the completion of {shell} cannot be written"))?;
    }
    let man = make_folder(folder.join("man"))?;
    clap_mangen::generate_to(Arguments::command(), man).context("the man pages cannot be written")
}

fn make_folder(folder: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests;

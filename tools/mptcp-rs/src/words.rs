// SPDX-License-Identifier: GPL-2.0

//! The words of ip(8): an option of a command is known without its dashes too.

use clap::{
    Arg,
    Command, //
};
use std::ffi::OsString;

/// Puts dashes before the words that name an option of the command in which they stand. The value of an option
/// is left alone, whatever word it is.
pub(crate) fn to_options(
    root: &Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let mut command = root;
    let mut arguments = arguments.into_iter();
    let mut words: Vec<OsString> = arguments.next().into_iter().collect();
    while let Some(word) = arguments.next() {
        if let Some(inner) = find_subcommand(command, &word) {
            command = inner;
            words.push(word);
            continue;
        }
        let option = find_option(root, command, &word);
        match option {
            Some(_) if !word.to_string_lossy().starts_with('-') => {
                let mut dashed = OsString::from("--");
                dashed.push(word);
                words.push(dashed);
            }
            _ => words.push(word),
        }
        if option.is_some_and(|option| option.get_action().takes_values()) {
            words.extend(arguments.next());
        }
    }
    words
}

/// The subcommand of this name, or the only one whose name begins so.
fn find_subcommand<'a>(command: &'a Command, word: &OsString) -> Option<&'a Command> {
    let word = word.to_str()?;
    let mut begin = command.get_subcommands().filter(|inner| {
        inner
            .get_name_and_visible_aliases()
            .iter()
            .any(|name| name.starts_with(word))
    });
    match (begin.next(), begin.next()) {
        (Some(only), None) => Some(only),
        _ => command.find_subcommand(word),
    }
}

/// The option that a word names: one of the command with dashes or without, or a common one with dashes.
fn find_option<'a>(root: &'a Command, command: &'a Command, word: &OsString) -> Option<&'a Arg> {
    let word = word.to_str()?;
    let own = command.get_arguments();
    match word.strip_prefix("--") {
        Some(name) => own
            .chain(root.get_arguments())
            .find(|option| option.get_long() == Some(name)),
        None => own
            .filter(|option| !option.is_global_set())
            .find(|option| option.get_long() == Some(word)),
    }
}

#[cfg(test)]
mod tests;

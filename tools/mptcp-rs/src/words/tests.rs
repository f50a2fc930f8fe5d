// SPDX-License-Identifier: GPL-2.0

use super::to_options;
use crate::arguments::Arguments;
use clap::CommandFactory;
use std::ffi::OsString;

/// What becomes of a command line, words apart by spaces.
fn read(line: &str) -> String {
    let words = std::iter::once("mptcp-rs").chain(line.split(' '));
    let options = to_options(&Arguments::command(), words.map(OsString::from));
    let options: Vec<_> = options
        .iter()
        .skip(1)
        .map(|word| word.to_string_lossy())
        .collect();
    options.join(" ")
}

#[test]
fn words_become_options() {
    assert_eq!(
        read("endpoint add 10.0.0.1 dev eth0 id 3 signal"),
        "endpoint add 10.0.0.1 --dev eth0 --id 3 --signal"
    );
    assert_eq!(
        read("limits set subflows 2 add_addr_accepted 4"),
        "limits set --subflows 2 --add_addr_accepted 4"
    );
}

#[test]
fn options_stay() {
    let line = "--json endpoint add 10.0.0.1 --dev eth0 --signal";
    assert_eq!(read(line), line);
}

#[test]
fn short_commands_are_known() {
    assert_eq!(read("e a 10.0.0.1 signal"), "e a 10.0.0.1 --signal");
    assert_eq!(read("endpoint del id 3"), "endpoint del --id 3");
}

#[test]
fn ambiguous_commands_are_not() {
    assert_eq!(read("s add signal"), "s add signal");
}

#[test]
fn a_whole_name_is_clear_though_another_begins_so() {
    assert_eq!(
        read("subflow del token 1 local 10.0.0.1:1 remote 10.0.0.2:2"),
        "subflow del --token 1 --local 10.0.0.1:1 --remote 10.0.0.2:2"
    );
    assert_eq!(read("subflows token 1"), "subflows --token 1");
}

#[test]
fn values_are_left_alone() {
    assert_eq!(
        read("endpoint add 10.0.0.1 dev id id 3"),
        "endpoint add 10.0.0.1 --dev id --id 3"
    );
    assert_eq!(
        read("endpoint add --dev signal 10.0.0.1"),
        "endpoint add --dev signal 10.0.0.1"
    );
    assert_eq!(read("--family endpoint limits"), "--family endpoint limits");
}

#[test]
fn common_options_need_their_dashes() {
    assert_eq!(read("endpoint show json"), "endpoint show json");
}

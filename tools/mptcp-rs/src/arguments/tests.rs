// SPDX-License-Identifier: GPL-2.0

use super::{
    Arguments,
    EndpointAction,
    Subject,
    Token, //
};
use crate::words::to_options;
use clap::{
    CommandFactory,
    Parser, //
};
use std::ffi::OsString;

fn parse(line: &str) -> Result<Arguments, String> {
    let words = std::iter::once("mptcp-rs").chain(line.split(' '));
    let words = to_options(&Arguments::command(), words.map(OsString::from));
    Arguments::try_parse_from(words).map_err(|error| error.to_string())
}

fn refusal(line: &str) -> String {
    parse(line)
        .err()
        .unwrap_or_else(|| panic!("{line} was not refused"))
}

#[test]
fn grammar_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn endpoint_with_everything() {
    let parsed =
        parse("endpoint add fd00::1 dev eth0 id 255 port 80 signal backup").expect("valid");
    let Subject::Endpoint {
        action: Some(EndpointAction::Add(add)),
    } = parsed.subject
    else {
        panic!("not an endpoint to add");
    };
    assert_eq!(add.address.to_string(), "fd00::1");
    assert_eq!(
        (add.dev.as_deref(), add.id, add.port),
        (Some("eth0"), Some(255), Some(80))
    );
    assert!(add.signal && add.backup && !add.subflow && !add.fullmesh);
}

#[test]
fn endpoints_that_cannot_be() {
    assert!(refusal("endpoint add 10.0.0.1 port 80").contains("--signal"));
    assert!(refusal("endpoint add 10.0.0.1 signal fullmesh").contains("--fullmesh"));
    assert!(refusal("endpoint add 10.0.0.1 id 0").contains("not in 1..=255"));
    assert!(refusal("endpoint add 10.0.0.256").contains("invalid IP address"));
    assert!(refusal("endpoint change id 3 port 80").contains("--port"));
    assert!(refusal("endpoint change backup").contains("<ADDRESS>"));
    assert!(refusal("endpoint change id 3 backup nobackup").contains("--nobackup"));
    assert!(refusal("endpoint delete").contains("--id"));
    assert!(refusal("limits set").contains("--subflows"));
    assert!(refusal("limits set subflows -1").contains("-1"));
}

#[test]
fn nothing_shows_the_list() {
    for line in [
        "endpoint",
        "limits",
        "scheduler",
        "connections",
        "counters",
        "subflows",
    ] {
        parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

#[test]
fn tokens_are_hexadecimal() {
    for (text, token) in [
        ("1a2b", Some(0x1a2b)),
        ("0xFFFFFFFF", Some(u32::MAX)),
        ("0", Some(0)),
    ] {
        assert_eq!(text.parse().ok(), token.map(Token), "{text}");
    }
    for text in ["", "0x", "100000000", "xyz", "-1"] {
        assert!(text.parse::<Token>().is_err(), "{text}");
    }
}

#[test]
fn ends_of_a_subflow() {
    assert!(parse("subflow backup token 1 local [fd00::1]:5 remote [fd00::2]:6 off").is_ok());
    assert!(refusal("subflow del token 1 local 10.0.0.1 remote 10.0.0.2:6").contains("--local"));
}

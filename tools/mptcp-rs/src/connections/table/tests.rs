// SPDX-License-Identifier: GPL-2.0

use super::{
    group,
    parse,
    Connection,
    Row, //
};
use proptest::prelude::*;

const TEXT: &str = "\
local remote token mode state snd_una subflows
10.0.1.1:40000 10.0.1.2:80 0000abcd Mptcp Established 7 2
[fd00::1]:40001 [fd00::2]:80 0000ef01 Mptcp FinWait1 9 1
10.0.2.1:40002 10.0.2.2:80 0000abcd Mptcp Established 7 2
";

#[test]
fn subflows_of_a_connection_come_together() {
    let connections = group(parse(TEXT));
    let lines: Vec<_> = connections.iter().map(Connection::lines).collect();
    assert_eq!(
        lines,
        [
            "token 0000abcd mode Mptcp state Established snd_una 7 subflows 2\n  \
             10.0.1.1:40000 10.0.1.2:80\n  10.0.2.1:40002 10.0.2.2:80",
            "token 0000ef01 mode Mptcp state FinWait1 snd_una 9 subflows 1\n  \
             [fd00::1]:40001 [fd00::2]:80",
        ]
    );
}

#[test]
fn connection_as_json() {
    let connections = group(parse(TEXT));
    assert_eq!(
        connections[1].to_json().to_string(),
        r#"{"token":"0000ef01","mode":"Mptcp","state":"FinWait1","snd_una":9,"subflows":1,"paths":[{"local":"[fd00::1]:40001","remote":"[fd00::2]:80"}]}"#
    );
}

#[test]
fn subflow_names_its_connection() {
    let rows = parse(TEXT);
    assert_eq!(rows[0].token(), Some(0xabcd));
    assert_eq!(rows[0].line(), "10.0.1.1:40000 10.0.1.2:80 token 0000abcd");
    assert_eq!(
        rows[0].to_json().to_string(),
        r#"{"local":"10.0.1.1:40000","remote":"10.0.1.2:80","token":"0000abcd"}"#
    );
}

#[test]
fn ends_as_the_path_sees_them() {
    let row = &parse("local remote\n[::ffff:10.0.0.1]:1 10.0.0.2:2\n")[0];
    let end = |text: &str| text.parse().expect("an end");
    assert_eq!(row.ends(), Some((end("10.0.0.1:1"), end("10.0.0.2:2"))));
    assert_eq!(parse("local remote\nhere there\n")[0].ends(), None);
}

#[test]
fn a_dash_is_no_value() {
    let row = &parse("local token cpu strayed\n10.0.0.1:1 12 - 3\n")[0];
    let json = r#"{"local":"10.0.0.1:1","token":"12","cpu":null,"strayed":3}"#;
    assert_eq!(row.to_json().to_string(), json);
    assert_eq!(row.line(), "10.0.0.1:1 token 12 cpu - strayed 3");
}

#[test]
fn nothing_is_no_connection() {
    assert!(group(parse("")).is_empty());
    assert!(group(parse("local remote token\n")).is_empty());
}

#[test]
fn columns_that_are_new_or_missing() {
    let rows =
        parse("local remote token weather\n10.0.0.1:1 10.0.0.2:2 1 fine\n10.0.0.1:3 10.0.0.2:4\n");
    let connections = group(rows);
    assert_eq!(
        connections[0].lines(),
        "token 1 weather fine\n  10.0.0.1:1 10.0.0.2:2"
    );
    assert_eq!(connections.len(), 2);
}

proptest! {
    #[test]
    fn any_text_is_read(text in "[ \na-f0-9:.]{0,200}") {
        let rows = parse(&text);
        let lines: Vec<_> = rows.iter().map(Row::line).collect();
        let connections = group(rows);
        prop_assert!(connections.len() <= lines.len());
        for connection in &connections {
            connection.lines();
            connection.to_json();
        }
    }
}

// SPDX-License-Identifier: GPL-2.0

use super::draw;
use crate::top::sample::{
    tests::report,
    Report, //
};
use ratatui::{
    backend::TestBackend,
    Terminal, //
};

/// What stands on a screen of 100 columns, a string a line.
fn screen(report: &Report, lines: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(100, lines)).expect("a terminal");
    terminal
        .draw(|frame| draw(frame, report))
        .expect("a screen");
    let text = terminal.backend().to_string();
    text.lines()
        .map(|line| line.trim_matches('"').trim_end().to_owned())
        .collect()
}

#[test]
fn a_connection_of_two_paths() {
    assert_eq!(
        screen(&report(), 6),
        [
            "connections 1, paths 2, out 2.0M, in 0; q ends",
            "connection / path                       state        out bit/s  in bit/s   rtt       queue      cpu",
            "000000ab                                Established  2.0M       0                    50",
            "  10.0.0.1:1-10.0.0.2:2                              1.0M       0          3.0ms     2          1",
            "  10.0.1.1:1-10.0.1.2:2                              1.0M       0          3.0ms     2          -",
            "",
        ]
    );
}

#[test]
fn screens_that_are_too_small() {
    for lines in 0..3 {
        let shown = screen(&report(), lines);
        assert_eq!(shown.len(), usize::from(lines));
    }
}

#[test]
fn nothing_to_show() {
    let shown = screen(&Report::default(), 3);
    assert_eq!(shown[0], "connections 0, paths 0, out 0, in 0; q ends");
}

// SPDX-License-Identifier: GPL-2.0

use super::{
    short,
    sum_of,
    Figure, //
};
use crate::samples::Rates;

fn rates(path: &str, points: &[(u64, u64)]) -> Rates {
    Rates {
        path: path.to_owned(),
        points: points.to_vec(),
    }
}

#[test]
fn a_line_for_each_path_and_their_sum() {
    let paths = [
        rates("Wi-Fi", &[(250, 1_000_000), (750, 0)]),
        rates("LTE", &[(250, 500_000), (750, 1_500_000)]),
    ];
    let marks = [(500, "Wi-Fi <lost>".to_owned())];
    let figure = Figure {
        title: "Handover",
        marks: &marks,
    };
    let drawing = figure.draw(&paths).expect("a figure");
    assert!(drawing.starts_with("<svg") && drawing.trim_end().ends_with("</svg>"));
    for words in [
        "Handover",
        "Wi-Fi",
        "LTE",
        "all paths",
        "0.5 s: Wi-Fi &lt;lost&gt;",
        "1.0 M",
    ] {
        assert!(drawing.contains(words), "no {words} in the figure");
    }
}

#[test]
fn one_path_has_no_sum() {
    let figure = Figure {
        title: "Alone",
        marks: &[],
    };
    let drawing = figure.draw(&[rates("only", &[(1, 1)])]).expect("a figure");
    assert!(!drawing.contains("all paths"));
}

#[test]
fn sums_at_each_time() {
    let paths = [rates("a", &[(1, 10), (2, 20)]), rates("b", &[(2, 5)])];
    assert_eq!(sum_of(&paths), [(1, 10), (2, 25)]);
}

#[test]
fn nothing_but_silence() {
    let figure = Figure {
        title: "",
        marks: &[],
    };
    assert!(figure.draw(&[rates("a", &[])]).is_ok());
}

#[test]
fn labels_of_the_axis() {
    assert_eq!(
        [0, 999, 1500, 12_500_000].map(short),
        ["0", "999", "1.5 k", "12.5 M"]
    );
}

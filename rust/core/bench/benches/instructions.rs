// SPDX-License-Identifier: GPL-2.0

//! Does the steps of a case so that something outside can count the instructions:
//! `instructions NAME STEPS`. Without arguments it lists the names.

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    let Some(wanted) = arguments.next() else {
        for case in mptcp_core_bench::all() {
            println!("{}", case.name);
        }
        return;
    };
    let steps = arguments.next().and_then(|word| word.parse().ok());
    let steps = steps.expect("usage: instructions NAME STEPS");
    let found = mptcp_core_bench::all()
        .into_iter()
        .find(|case| case.name == wanted);
    (found.expect("there is such a case").run)(steps);
}

// SPDX-License-Identifier: GPL-2.0

//! How long a step takes: time on a CPU, so that waiting for one does not count.

use cpu_time::ThreadTime;
use criterion::{criterion_group, criterion_main, Criterion};
use std::time::Duration;

fn time(criterion: &mut Criterion) {
    for mut case in mptcp_core_bench::all() {
        criterion.bench_function(&case.name, |bencher| {
            bencher.iter_custom(|steps| {
                let start = ThreadTime::now();
                (case.run)(steps);
                start.elapsed()
            })
        });
    }
}

criterion_group! {
    name = all;
    config = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(20);
    targets = time
}
criterion_main!(all);

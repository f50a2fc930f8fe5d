// SPDX-License-Identifier: GPL-2.0

//! Many random scenarios, all processors at work. `SCENARIOS` says how many, `SEED` from where on.

use mptcp_core::wire::Version;
use mptcp_simulator::scenario::Scenario;
use mptcp_simulator::shrink::shrink;
use mptcp_simulator::world::run;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::thread;

const SCENARIOS: u64 = 100_000;
/// Seeds that one thread takes at a time.
const SHARE: u64 = 64;
/// Failures after which the search ends.
const ENOUGH: usize = 5;

/// How many runs ended in which way.
#[derive(Default)]
struct Tally {
    mptcp: AtomicU64,
    /// Of those by MPTCP, in version 0.
    version0: AtomicU64,
    plain: AtomicU64,
    broken: AtomicU64,
    several: AtomicU64,
    survived: AtomicU64,
    bytes: AtomicU64,
    seconds: AtomicU64,
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// Runs the scenarios from `next` on until `last`, a share at a time.
fn work(next: &AtomicU64, last: u64, tally: &Tally, failed: &Mutex<Vec<u64>>) {
    loop {
        let first = next.fetch_add(SHARE, Ordering::Relaxed);
        if first >= last || failed.lock().unwrap().len() >= ENOUGH {
            return;
        }
        for seed in first..last.min(first + SHARE) {
            let Ok(report) = run(&Scenario::random(seed)) else {
                failed.lock().unwrap().push(seed);
                continue;
            };
            let ending = match (report.broken, report.mptcp) {
                (true, _) => &tally.broken,
                (false, true) => &tally.mptcp,
                (false, false) => &tally.plain,
            };
            ending.fetch_add(1, Ordering::Relaxed);
            let old = report.version == Some(Version::V0) && !report.broken;
            tally.version0.fetch_add(old.into(), Ordering::Relaxed);
            let joined = u64::from(report.joined > 0);
            tally.several.fetch_add(joined, Ordering::Relaxed);
            let lost = report.lost > 0 && report.joined > 0 && !report.broken;
            tally.survived.fetch_add(lost.into(), Ordering::Relaxed);
            let bytes = report.read.iter().sum();
            tally.bytes.fetch_add(bytes, Ordering::Relaxed);
            let seconds = report.time / 1_000_000;
            tally.seconds.fetch_add(seconds, Ordering::Relaxed);
        }
    }
}

#[test]
fn random_scenarios_keep_every_promise() {
    let first = setting("SEED", 0);
    let count = setting("SCENARIOS", SCENARIOS);
    let next = AtomicU64::new(first);
    let (tally, failed) = (Tally::default(), Mutex::new(Vec::new()));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&next, first + count, &tally, &failed));
        }
    });
    let mut told = String::new();
    for seed in failed.into_inner().unwrap() {
        if let Some(shrunk) = shrink(seed) {
            told += &format!(
                "seed {seed}: {:?}\n  {}\n",
                shrunk.failure,
                shrunk.command()
            );
        }
    }
    assert!(told.is_empty(), "\n{told}");

    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let (mptcp, plain, broken) = (of(&tally.mptcp), of(&tally.plain), of(&tally.broken));
    let version0 = of(&tally.version0);
    let (several, survived) = (of(&tally.several), of(&tally.survived));
    println!(
        "{count} connections: {mptcp} by MPTCP, {version0} of them in version 0, {plain} by TCP in \
         the end, {broken} broken; \
         {several} had several subflows, {survived} survived the loss of one; {} bytes, {} s",
        of(&tally.bytes),
        of(&tally.seconds)
    );
    // Otherwise the scenarios would show little.
    assert_eq!(mptcp + plain + broken, count);
    if count >= 1000 {
        assert!(mptcp > count / 3 && plain > count / 20 && broken > count / 20);
        assert!(version0 > count / 20 && several > count / 8 && survived > count / 60);
    }
}

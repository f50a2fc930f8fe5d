// SPDX-License-Identifier: GPL-2.0

//! What steering writes into a table of receive flows, and what it knows of the processors.

use core::sync::atomic::{AtomicU32, Ordering};
use kernel::prelude::*;
use knet::cpu;

/// Counts the processors that it was told of.
struct Census;

static COME: AtomicU32 = AtomicU32::new(0);

impl cpu::Watcher for Census {
    const NAME: &'static CStr = c"mptcp_rs_kunit:online";

    fn came(cpu: u32) {
        if cpu::is_possible(cpu) {
            COME.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn goes(_cpu: u32) {}
}

/// Notes which processor went last, and which came.
struct Journal;

static WENT: AtomicU32 = AtomicU32::new(u32::MAX);
static CAME: AtomicU32 = AtomicU32::new(u32::MAX);

impl cpu::Watcher for Journal {
    const NAME: &'static CStr = c"mptcp_rs_kunit:journal";

    fn came(cpu: u32) {
        CAME.store(cpu, Ordering::Relaxed);
    }

    fn goes(cpu: u32) {
        WENT.store(cpu, Ordering::Relaxed);
    }
}

#[kunit_tests(mptcp_rs_steering)]
mod tests {
    use super::{Census, Journal, CAME, COME, WENT};
    use core::sync::atomic::Ordering;
    use kernel::prelude::*;
    use knet::cpu;
    use knet::testing::{set_online, TestFlows};
    use mptcp_core::steering::{Cpu, FlowTable, EMPTY_ENTRY};
    use mptcp_core::vectors::steering;

    #[test]
    fn entries_are_written_as_the_kernel_reads_them() -> Result {
        for (_, cpus, mask, hash, chosen, expected) in steering::ENTRIES {
            let flows = TestFlows::filled(EMPTY_ENTRY, mask)?;
            let table = flows.table().ok_or(EINVAL)?;
            let shape = FlowTable::new(table.size(), table.cpus()).ok_or(EINVAL)?;
            assert_eq!(shape, FlowTable::new(64, cpus).ok_or(EINVAL)?);
            let entry = shape.entry(hash, Cpu::new(chosen)).ok_or(EINVAL)?;
            assert!(table.set(shape.index(hash), entry));
            for index in 0..table.size() {
                let written = index == hash % 64;
                let value = if written { expected } else { EMPTY_ENTRY };
                assert_eq!(table.get(index), Some(value));
            }
        }
        Ok(())
    }

    #[test]
    fn the_last_writer_of_an_entry_wins() -> Result {
        let flows = TestFlows::filled(7, 7)?;
        let table = flows.table().ok_or(EINVAL)?;
        for (value, written) in [(9, true), (9, false), (EMPTY_ENTRY, true)] {
            assert_eq!(table.set(63, value), written);
            assert_eq!(table.get(63), Some(value));
        }
        assert_eq!(table.get(62), Some(7));
        Ok(())
    }

    #[test]
    fn a_table_ends() -> Result {
        let flows = TestFlows::filled(7, 7)?;
        let table = flows.table().ok_or(EINVAL)?;
        assert_eq!(table.size(), 64);
        assert!(!table.set(64, 1) && !table.set(u32::MAX, 1));
        assert_eq!(table.get(64), None);
        assert_eq!(table.get(u32::MAX), None);
        assert!(TestFlows::none().is_none());
        Ok(())
    }

    #[test]
    fn a_watcher_is_told_of_all_processors_at_first() -> Result {
        let watch = cpu::Watch::<Census>::new()?;
        let come = COME.load(Ordering::Relaxed);
        drop(watch);
        let possible = (0..cpu::limit())
            .filter(|cpu| cpu::is_possible(*cpu))
            .count();
        assert_eq!(come as usize, possible);
        assert!(cpu::is_possible(cpu::current()));
        Ok(())
    }

    #[test]
    fn a_watcher_is_told_of_a_processor_that_goes_and_comes() -> Result {
        let last = (0..cpu::limit()).rfind(|cpu| cpu::is_possible(*cpu));
        let last = last.filter(|cpu| *cpu > 0).ok_or(ENODEV)?;
        let watch = cpu::Watch::<Journal>::new()?;
        CAME.store(u32::MAX, Ordering::Relaxed);
        let gone = set_online(last, false).map(|()| WENT.load(Ordering::Relaxed));
        let came = set_online(last, true).map(|()| CAME.load(Ordering::Relaxed));
        drop(watch);
        assert_eq!(gone, Ok(last));
        assert_eq!(came, Ok(last));
        Ok(())
    }

    #[test]
    fn processors_are_chosen_as_on_the_host() {
        assert_eq!(steering::check(), Ok(()));
    }

    #[test]
    fn processors_beyond_the_limit_are_not_there() -> Result {
        for cpu in [cpu::limit(), u32::MAX] {
            assert!(!cpu::is_possible(cpu));
            assert!(!cpu::is_isolated(cpu));
            assert_eq!(cpu::cache(cpu), 0);
        }
        Ok(())
    }
}

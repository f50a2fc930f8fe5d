// SPDX-License-Identifier: GPL-2.0

//! Spare pages: real pages of the kernel, and who holds them.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_spares)]
mod tests {
    use kernel::prelude::*;
    use knet::fragments::{Gathered, SendQueue};
    use knet::spares::Spares;
    use knet::testing::TestPage;

    #[test]
    fn a_page_is_taken_when_nobody_else_holds_it() -> Result {
        static SPARES: Spares = Spares::new();
        let page = TestPage::large()?;
        let size = page.reference().size();
        SPARES.keep(page.reference(), size as u32, 1);
        assert_eq!(page.references(), 1);
        assert!(SPARES.take_from_any().is_none());
        assert_eq!(page.references(), 1);
        let reader = page.reference();
        drop(page);
        assert!(SPARES.take_from_any().is_none());
        drop(reader);
        let taken = SPARES.take_from_any();
        assert_eq!(taken.map(|page| page.size()), Some(size));
        assert!(SPARES.take_from_any().is_none());
        Ok(())
    }

    #[test]
    fn only_whole_pages_that_were_filled_are_kept() -> Result {
        static SPARES: Spares = Spares::new();
        let (large, small) = (TestPage::large()?, TestPage::new()?);
        let size = large.reference().size() as u32;
        for end in [0, 1, size / 2, size - 1, size + 1, u32::MAX] {
            SPARES.keep(large.reference(), end, 0);
            assert_eq!(large.references(), 0);
        }
        let own = small.reference().size() as u32;
        for end in [own, size] {
            SPARES.keep(small.reference(), end, 0);
            assert_eq!(small.references(), 0);
        }
        Ok(())
    }

    #[test]
    fn no_more_are_kept_than_there_are_places_for() -> Result {
        static SPARES: Spares = Spares::new();
        let page = TestPage::large()?;
        let size = page.reference().size() as u32;
        for _ in 0..100 {
            SPARES.keep(page.reference(), size, 3);
        }
        assert_eq!(page.references(), 8);
        // Every processor has its own, however many there are.
        SPARES.keep(page.reference(), size, 4);
        SPARES.keep(page.reference(), size, u32::MAX);
        assert_eq!(page.references(), 10);
        SPARES.clear();
        assert_eq!(page.references(), 0);
        Ok(())
    }

    #[test]
    fn what_is_in_flight_is_nobodys_to_fill() -> Result {
        static SPARES: Spares = Spares::new();
        let (mut queue, mut page) = (SendQueue::new(), TestPage::large()?);
        let size = page.reference().size() as u32;
        page.skip(size - 4);
        queue.append(page.write(b"tail")?)?;
        let mut segment = Gathered::new();
        queue.gather_unsent(4, &mut segment);
        SPARES.keep(page.reference(), size, 0);
        drop(page);
        assert!(SPARES.take_from_any().is_none());
        queue.acknowledge(4);
        queue.clear();
        // The segment has not left TCP yet.
        assert!(SPARES.take_from_any().is_none());
        segment.clear();
        knet::spares::clear();
        assert!(SPARES.take_from_any().is_some());
        Ok(())
    }
}

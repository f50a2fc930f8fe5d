// SPDX-License-Identifier: GPL-2.0

use super::List;
use proptest::prelude::*;
use std::vec::Vec;

#[derive(Clone, Debug)]
enum Step {
    Push(u8),
    Retain(u8),
    Take(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<u8>().prop_map(Step::Push),
        1 => (2..5_u8).prop_map(Step::Retain),
        2 => (2..5_u8).prop_map(Step::Take),
    ]
}

proptest! {
    #[test]
    fn does_what_a_bounded_vector_does(steps in proptest::collection::vec(step(), 0..60)) {
        let mut list = List::<u8, 5>::new();
        let mut model: Vec<u8> = Vec::new();
        for step in steps {
            match step {
                Step::Push(item) => {
                    let fits = model.len() < 5;
                    if fits {
                        model.push(item);
                    }
                    prop_assert_eq!(list.push(item).copied(), fits.then_some(item));
                }
                Step::Retain(divisor) => {
                    list.retain(|item| item % divisor != 0);
                    model.retain(|item| item % divisor != 0);
                }
                Step::Take(divisor) => {
                    let at = model.iter().position(|item| item % divisor == 0);
                    let expected = at.map(|at| model.remove(at));
                    prop_assert_eq!(list.take(|item| item % divisor == 0), expected);
                }
            }
            prop_assert!(list.iter().eq(model.iter()));
            prop_assert!(list.iter_mut().eq(model.iter_mut()));
            let even = model.iter().filter(|item| *item % 2 == 0).count();
            prop_assert_eq!(list.count(|item| item % 2 == 0), even);
            prop_assert_eq!(list.is_full(), model.len() == 5);
            prop_assert_eq!(list.places().iter().flatten().count(), model.len());
        }
    }
}

// SPDX-License-Identifier: GPL-2.0

//! What is measured: one step each, done as often as asked.

mod data;
mod options;
mod paths;
mod windows;

/// A name and the steps.
pub struct Case {
    /// The name, without spaces.
    pub name: String,
    /// Does as many steps as the argument says. What the steps need is made before.
    pub run: Box<dyn FnMut(u64)>,
}

impl Case {
    fn new(name: impl Into<String>, run: impl FnMut(u64) + 'static) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

/// All cases.
pub fn all() -> Vec<Case> {
    let mut cases = options::cases();
    cases.extend(data::cases());
    cases.extend(paths::cases());
    cases.extend(windows::cases());
    cases
}

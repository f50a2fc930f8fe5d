// SPDX-License-Identifier: GPL-2.0

//! When it is in doubt whether a subflow works, and what ends the doubt.

use super::{expect, Check};
use crate::connection::doubt::Doubt;

/// What happens to a subflow.
#[derive(Clone, Copy)]
enum Event {
    DeviceGoes,
    DeviceComes,
    Removed,
    Asked,
    Heard,
}

use Doubt::{Asked, Cut, None, Raised};

/// A name; what is thought before, what happens, what is thought after it, and whether there is something to do.
type Row = (&'static str, Doubt, Event, Doubt, bool);

#[rustfmt::skip]
const ROWS: [Row; 20] = [
    ("the device goes", None, Event::DeviceGoes, Cut, true),
    ("it goes again", Cut, Event::DeviceGoes, Cut, false),
    ("it goes under a doubt", Raised, Event::DeviceGoes, Raised, false),
    ("it goes before the answer", Asked, Event::DeviceGoes, Asked, false),
    ("another device comes", None, Event::DeviceComes, None, false),
    ("the device comes back", Cut, Event::DeviceComes, None, true),
    ("a device is no sign of life", Raised, Event::DeviceComes, Raised, false),
    ("a device is no answer", Asked, Event::DeviceComes, Asked, false),
    ("removed", None, Event::Removed, Raised, true),
    ("removed without device", Cut, Event::Removed, Cut, false),
    ("removed twice", Raised, Event::Removed, Raised, false),
    ("removed again", Asked, Event::Removed, Asked, false),
    ("asked without a doubt", None, Event::Asked, Asked, false),
    ("asked without device", Cut, Event::Asked, Asked, false),
    ("asked", Raised, Event::Asked, Asked, false),
    ("asked once more", Asked, Event::Asked, Asked, false),
    ("heard as ever", None, Event::Heard, None, false),
    ("heard by another device", Cut, Event::Heard, None, false),
    ("heard what was on its way", Raised, Event::Heard, Raised, false),
    ("answered", Asked, Event::Heard, None, true),
];

/// Runs every event in every state.
///
/// # Errors
/// The name of the first vector that fails.
// rfc8684:3.4.2-2
pub fn check() -> Check {
    for (name, before, event, after, due) in ROWS {
        let mut doubt = before;
        let told = match event {
            Event::DeviceGoes => doubt.on_device(false),
            Event::DeviceComes => doubt.on_device(true),
            Event::Removed => doubt.on_removed(),
            Event::Asked => {
                doubt.on_asked();
                false
            }
            Event::Heard => doubt.on_heard(),
        };
        expect((doubt, told) == (after, due), name)?;
        expect(doubt.is_none() == (after == None), name)?;
    }
    Ok(())
}

// SPDX-License-Identifier: GPL-2.0

//! The ways to steer.

/// How the processor of a connection's subflows is chosen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// The kernel's own receive-flow steering is left alone.
    Off,
    /// All subflows go where the application reads, or writes if it does not read.
    #[default]
    Follow,
    /// All subflows go to a processor chosen once, the least loaded one.
    Pin,
    /// The subflows go to one processor each, all sharing one last-level cache.
    Spread,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 4] = [Self::Off, Self::Follow, Self::Pin, Self::Spread];

    /// The mode's name in settings.
    #[inline]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Follow => "follow",
            Self::Pin => "pin",
            Self::Spread => "spread",
        }
    }

    /// The mode of this name.
    #[inline]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.name().as_bytes() == name)
    }
}

// SPDX-License-Identifier: GPL-2.0

//! Subflows of which it is in doubt whether they work, before silence shows it.

/// Whether a subflow is thought to work. While it is not, others get the data.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Doubt {
    /// It is.
    #[default]
    None,
    /// It has no device to send by; whatever comes from the peer shows that it has.
    Cut,
    /// The peer removed its address (RFC 8684 section 3.4.2).
    /// It will be asked for a sign of life.
    Raised,
    /// It was asked, so that what comes now is one.
    Asked,
}

impl Doubt {
    /// Whether it is thought to work.
    #[inline]
    pub const fn is_none(self) -> bool {
        matches!(self, Self::None)
    }

    /// A device went or came; `works` says whether the subflow has one to send by. Returns whether that is
    /// news. Without one, what the subflow carries is to be sent on others at once.
    #[inline]
    pub fn on_device(&mut self, works: bool) -> bool {
        let after = match (works, *self) {
            (true, Self::Cut) => Self::None,
            (false, Self::None) => Self::Cut,
            _ => return false,
        };
        *self = after;
        true
    }

    /// The peer removed the address of the subflow. Returns whether what it carries is to be sent on others.
    ///
    /// RFC 8684 section 3.4.2: the subflow is tested before it is closed, because anybody on the path may have
    /// removed the address; but the peer may mean it.
    #[inline]
    pub fn on_removed(&mut self) -> bool {
        let news = self.is_none();
        if news {
            *self = Self::Raised;
        }
        news
    }

    /// The subflow is asked for a sign of life.
    #[inline]
    pub fn on_asked(&mut self) {
        *self = Self::Asked;
    }

    /// A segment came on the subflow. Returns whether it is the sign of life that was asked for.
    ///
    /// What was on its way when the address was removed is none.
    #[inline]
    pub fn on_heard(&mut self) -> bool {
        let answers = matches!(self, Self::Asked);
        if answers || matches!(self, Self::Cut) {
            *self = Self::None;
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(crate::vectors::doubt::check(), Ok(()));
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The states of a connection at the data level (RFC 8684 section 3.3.3 and appendix D), named as
//! TCP's (RFC 9293 section 3.3.2).

/// Where a connection is between established and closed.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum State {
    /// Both directions are open.
    #[default]
    Established,
    /// We closed our direction; our DATA_FIN is not acknowledged.
    FinWait1,
    /// Our DATA_FIN is acknowledged; the peer's direction is open.
    FinWait2,
    /// The peer closed its direction; ours is open.
    CloseWait,
    /// Both directions are closed; our DATA_FIN, sent before the peer's arrived, is not
    /// acknowledged.
    Closing,
    /// Both directions are closed; our DATA_FIN, sent after the peer's arrived, is not
    /// acknowledged.
    LastAck,
    /// Both directions are closed and acknowledged. We closed first, so the acknowledgement of the
    /// peer's DATA_FIN may have to be repeated.
    TimeWait,
    /// Both directions are closed and acknowledged.
    Closed,
}

/// What moves a connection on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Event {
    /// The application closed its sending direction.
    AppClosesSend,
    /// The peer acknowledged our DATA_FIN.
    FinAcked,
    /// The peer's DATA_FIN arrived in order.
    FinReceived,
    /// The connection was aborted: by MP_FASTCLOSE, a reset of the last subflow, or ourselves.
    Aborted,
}

impl State {
    /// The state after `event`. An event that means nothing in this state leaves it as it is.
    #[inline]
    pub const fn after(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Aborted) => Self::Closed,
            (Self::Established, Event::AppClosesSend) => Self::FinWait1,
            (Self::Established, Event::FinReceived) => Self::CloseWait,
            (Self::FinWait1, Event::FinAcked) => Self::FinWait2,
            (Self::FinWait1, Event::FinReceived) => Self::Closing,
            (Self::FinWait2, Event::FinReceived) => Self::TimeWait,
            (Self::CloseWait, Event::AppClosesSend) => Self::LastAck,
            (Self::Closing, Event::FinAcked) => Self::TimeWait,
            (Self::LastAck, Event::FinAcked) => Self::Closed,
            (same, _) => same,
        }
    }

    /// Whether the application may write.
    #[inline]
    pub const fn may_send(self) -> bool {
        matches!(self, Self::Established | Self::CloseWait)
    }

    /// Whether both directions are closed and acknowledged, so that the subflows can be closed
    /// (RFC 8684 section 3.3.3).
    // rfc8684:3.3.3-2 rfc8684:3.3.3-6
    #[inline]
    pub const fn subflows_may_close(self) -> bool {
        matches!(self, Self::TimeWait | Self::Closed)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(crate::vectors::ending::check(), Ok(()));
    }
}

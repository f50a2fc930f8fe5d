// SPDX-License-Identifier: GPL-2.0

//! What to do when the data-level retransmission timer expires.

/// How often in a row a DATA_FIN of ours may stay unacknowledged before we believe that it, or the
/// answer, cannot pass. Segments without data get lost, so once is not enough.
const PATIENCE_WITH_FIN: u8 = 3;
/// The same for data, which the subflow is known to have delivered.
const PATIENCE_WITH_DATA: u8 = 2;
/// The same for data when the connection cannot go on as plain TCP any more.
const PATIENCE_BEFORE_RESET: u8 = 4;
/// The same for a DATA_FIN.
const PATIENCE_WITH_FIN_BEFORE_RESET: u8 = 8;

/// What is known when the timer of the only subflow expires.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Situation {
    /// No data acknowledgement made progress since the timer was set.
    pub stuck: bool,
    /// The subflow's TCP has sent everything and had it acknowledged.
    pub drained: bool,
    /// Only the DATA_FIN is not acknowledged.
    pub fin_only: bool,
    /// Since we last gave the subflow data, a segment that acknowledges all of it showed that the
    /// peer speaks MPTCP. A DATA_FIN alone changes nothing in this.
    pub heard: bool,
    /// Anything ever showed that the peer speaks MPTCP, since the handshake.
    pub ever_heard: bool,
    /// How often in a row the timer expired, this time counted, in vain: see
    /// [`Situation::in_vain`].
    pub unheard: u8,
    /// The streams of subflow and connection are the same in both directions, so plain TCP can go
    /// on with them.
    pub contiguous: bool,
}

impl Situation {
    /// Whether this expiry counts as one in vain: the subflow delivered what there was, and the
    /// peer did not show that it understood. A peer that acknowledged all data but not the
    /// DATA_FIN has not seen it, however much it speaks.
    #[inline]
    pub const fn in_vain(&self) -> bool {
        self.stuck && self.drained && (self.fin_only || !self.heard)
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expiry {
    /// Wait on: the subflow is still busy, or there was progress.
    Wait,
    /// Send again from the oldest number that is not acknowledged.
    SendAgain,
    /// Go on as plain TCP.
    FallBack,
    /// Reset the subflow.
    Reset,
}

/// Decides.
///
/// RFC 8684 section 3.3.6: what the subflow delivered and the peer's data level did not take is
/// sent again. Section 3.7: if options do not pass, both ends go on as plain TCP. The two look
/// alike from here, but a peer that speaks MPTCP says so in the segment that acknowledges the last
/// byte; to send again to one that does not would repeat bytes in its stream.
// rfc8684:3.3.6-2 rfc8684:3.7-3 rfc8684:3.7-5
#[inline]
pub const fn on_expiry(situation: &Situation) -> Expiry {
    if !situation.stuck || !situation.drained {
        return Expiry::Wait;
    }
    if situation.heard && !situation.fin_only {
        return Expiry::SendAgain;
    }
    let patience = match (situation.fin_only, situation.contiguous) {
        (true, true) => PATIENCE_WITH_FIN,
        (true, false) => PATIENCE_WITH_FIN_BEFORE_RESET,
        (false, false) => PATIENCE_BEFORE_RESET,
        (false, true) if situation.ever_heard => PATIENCE_WITH_DATA,
        (false, true) => 1,
    };
    match (situation.unheard >= patience, situation.contiguous) {
        (true, true) => Expiry::FallBack,
        (true, false) => Expiry::Reset,
        // A DATA_FIN that comes twice does no harm.
        (false, _) if situation.fin_only => Expiry::SendAgain,
        (false, _) => Expiry::Wait,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn vectors_hold() {
        assert_eq!(crate::vectors::expiry::check(), Ok(()));
    }
}

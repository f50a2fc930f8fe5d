// SPDX-License-Identifier: GPL-2.0

//! The handshake over real option bytes, and the end of a connection.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_connection)]
mod tests {
    use mptcp_core::acceptable::{judge, Expected, Refusal, Segment, Verdict};
    use mptcp_core::connection::handshake::{
        client_ack, client_syn, on_syn, on_syn_ack, on_third_ack, server_syn_ack, Agreed,
        ClientOutcome, Policy, Reason, ServerOutcome, SynAnswer,
    };
    use mptcp_core::connection::state::{Event, State};
    use mptcp_core::crypto::Key;
    use mptcp_core::seq::Ssn;
    use mptcp_core::vectors::{
        abort,
        arrival,
        delivery,
        departure,
        doubt,
        fallback,
        patience, //
    };
    use mptcp_core::wire::{MpCapable, Received, SegmentKind, OPTION_SPACE};

    #[test]
    fn both_ends_agree() {
        let (client, server) = (Key::new(0xc1), Key::new(0x5e));
        let policy = Policy {
            checksum: true,
            deny_join: false,
        };
        let agreed = Agreed {
            checksum: true,
            ..Agreed::default()
        };
        let syn = sent(client_syn(policy), true, false);
        assert_eq!(on_syn(&syn, Policy::default()), SynAnswer::Mptcp { agreed });

        let syn_ack = sent(
            server_syn_ack(Policy::default(), agreed, server),
            true,
            true,
        );
        let outcome = ClientOutcome::Mptcp {
            remote_key: server,
            agreed,
        };
        assert_eq!(on_syn_ack(&syn_ack, policy), outcome);

        let ack = sent(
            client_ack(policy, agreed, client, server, None),
            false,
            true,
        );
        let outcome = ServerOutcome::Mptcp {
            remote_key: client,
            agreed,
            first: None,
        };
        assert_eq!(on_third_ack(&ack, Policy::default(), server), outcome);
        let wrong = ServerOutcome::Fallback(Reason::WrongKey);
        assert_eq!(on_third_ack(&ack, Policy::default(), client), wrong);
    }

    #[test]
    fn without_the_option_all_goes_on_as_tcp() {
        let none = Received::default();
        let policy = Policy::default();
        let no_option = Reason::NoOption;
        assert_eq!(on_syn(&none, policy), SynAnswer::Plain(no_option));
        assert_eq!(
            on_syn_ack(&none, policy),
            ClientOutcome::Fallback(no_option)
        );
        let outcome = ServerOutcome::Fallback(no_option);
        assert_eq!(on_third_ack(&none, policy, Key::new(1)), outcome);
    }

    // rfc8684:3.7-5 rfc8684:3.7-6 rfc8684:3.7-7 rfc8684:3.7-13 rfc8684:3.7-14 rfc8684:3.7-15 rfc8684:3.7-20
    #[test]
    fn mptcp_ends_in_the_middle_as_on_the_host() {
        assert_eq!(fallback::check(), Ok(()));
    }

    // rfc8684:3-2 rfc8684:3.1-20 rfc8684:3.3-1 rfc8684:3.3-2
    #[test]
    fn arriving_segments_are_read_as_on_the_host() {
        assert_eq!(arrival::check(), Ok(()));
    }

    // rfc8684:3.3.1-3 rfc8684:3.7-8
    #[test]
    fn bytes_are_placed_as_on_the_host() {
        assert_eq!(delivery::check(), Ok(()));
    }

    // rfc8684:3.1-7
    #[test]
    fn patience_ends_as_on_the_host() {
        assert_eq!(patience::check(), Ok(()));
    }

    // rfc8684:3.3.3-7
    #[test]
    fn subflows_leave_as_on_the_host() {
        assert_eq!(departure::check(), Ok(()));
    }

    // rfc8684:3.5-1 rfc8684:3.5-2
    #[test]
    fn connections_are_aborted_as_on_the_host() {
        assert_eq!(abort::check(), Ok(()));
    }

    // rfc8684:3.4.2-2
    #[test]
    fn subflows_are_doubted_as_on_the_host() {
        assert_eq!(doubt::check(), Ok(()));
    }

    #[test]
    fn every_order_of_closing_ends() {
        let (close, acked, fin) = (Event::AppClosesSend, Event::FinAcked, Event::FinReceived);
        for order in [
            [close, acked, fin],
            [close, fin, acked],
            [fin, close, acked],
        ] {
            let end = order
                .into_iter()
                .fold(State::default(), |state, event| state.after(event));
            assert!(end.subflows_may_close());
        }
    }

    #[test]
    fn forged_segments_are_refused() {
        let expected = Expected {
            rcv_nxt: Ssn::new(u32::MAX - 9),
            rcv_wup: Ssn::new(u32::MAX - 9),
            rcv_wnd: 1000,
            snd_una: Ssn::new(u32::MAX),
            snd_nxt: Ssn::new(99),
            max_window: 1000,
            ts_recent: None,
        };
        let right = Segment {
            seq: expected.rcv_nxt.plus(500),
            ack_seq: Ssn::new(50),
            payload_len: 10,
            ack: true,
            ..Segment::default()
        };
        assert_eq!(judge(&expected, &right), Verdict::Accept);
        let outside = Segment {
            seq: expected.rcv_nxt.plus(1001),
            ..right
        };
        let refused = Verdict::Refuse(Refusal::Sequence);
        assert_eq!(judge(&expected, &outside), refused);
        let unsent = Segment {
            ack_seq: Ssn::new(100),
            ..right
        };
        let refused = Verdict::Refuse(Refusal::Acknowledgement);
        assert_eq!(judge(&expected, &unsent), refused);
        let guess = Segment { rst: true, ..right };
        let refused = Verdict::Refuse(Refusal::ResetGuess);
        assert_eq!(judge(&expected, &guess), refused);
    }

    fn sent(option: MpCapable, syn: bool, ack: bool) -> Received {
        let mut room = [0; OPTION_SPACE];
        if option.emit(&mut room).is_none() {
            return Received::default();
        }
        let segment = SegmentKind { syn, ack };
        Received::parse(&room, segment)
    }
}

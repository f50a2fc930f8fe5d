// SPDX-License-Identifier: GPL-2.0

//! What happened in a network namespace, one counter per decision.

use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print, //
};
use knet::percpu;

/// Declares the counters: an explanation, the name in Rust and the name that users read.
macro_rules! counters {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal,)+) => {
        /// A counter. Those that count what the kernel's own implementation counts have its names
        /// (`nstat -az 'MPTcpExt*'`).
        #[derive(Clone, Copy)]
        pub(crate) enum Counter {
            $($(#[$doc])+ $variant,)+
        }

        impl Counter {
            /// The names that users read, in the order of the counters' numbers. A counter is named
            /// by its variant where it is counted alone: the compiler tells of those that nobody counts.
            const NAMES: [&'static str; [$($name),+].len()] = [$($name),+];
        }
    };
}

counters! {
    /// Received SYNs with MP_CAPABLE.
    MpCapableSynRx = "MPCapableSYNRX",
    /// Sent SYNs with MP_CAPABLE, retransmissions not counted.
    MpCapableSynTx = "MPCapableSYNTX",
    /// Received SYN/ACKs with MP_CAPABLE.
    MpCapableSynAckRx = "MPCapableSYNACKRX",
    /// Received third ACKs with MP_CAPABLE.
    MpCapableAckRx = "MPCapableACKRX",
    /// Server side fallbacks, because the third ACK had no MP_CAPABLE.
    MpCapableFallbackAck = "MPCapableFallbackACK",
    /// Client side fallbacks, because the SYN/ACK had no MP_CAPABLE.
    MpCapableFallbackSynAck = "MPCapableFallbackSYNACK",
    /// Connections that gave up MP_CAPABLE after too many lost SYNs.
    MpCapableSynTxDrop = "MPCapableSYNTXDrop",
    /// Connections begun as plain TCP, because the network dropped MP_CAPABLE before.
    MpCapableSynTxDisabled = "MPCapableSYNTXDisabled",
    /// Connections that were made only after MP_CAPABLE was left out.
    Blackhole = "Blackhole",
    /// Connections that became plain TCP, because no token was free or it was taken.
    MpFallbackTokenInit = "MPFallbackTokenInit",
    /// Received SYNs with MP_JOIN that name one of our connections.
    MpJoinSynRx = "MPJoinSynRx",
    /// Received SYNs with MP_JOIN that name a connection that we do not know.
    MpJoinNoTokenFound = "MPJoinNoTokenFound",
    /// Sent SYNs with MP_JOIN, retransmissions not counted.
    MpJoinSynTx = "MPJoinSynTx",
    /// Subflows not opened, because their local address could not be bound to.
    MpJoinSynTxBindErr = "MPJoinSynTxBindErr",
    /// Subflows not opened, because TCP would not connect.
    MpJoinSynTxConnectErr = "MPJoinSynTxConnectErr",
    /// Received SYN/ACKs with MP_JOIN and the right HMAC.
    MpJoinSynAckRx = "MPJoinSynAckRx",
    /// Received SYN/ACKs with MP_JOIN and a wrong HMAC.
    MpJoinSynAckHmacFailure = "MPJoinSynAckHMacFailure",
    /// Received third ACKs with MP_JOIN and the right HMAC.
    MpJoinAckRx = "MPJoinAckRx",
    /// Received third ACKs with MP_JOIN and a wrong HMAC.
    MpJoinAckHmacFailure = "MPJoinAckHMacFailure",
    /// Of [`Self::MpJoinSynRx`], those to another port than that of the connection.
    MpJoinPortSynRx = "MPJoinPortSynRx",
    /// Of [`Self::MpJoinSynAckRx`], those from another port than that of the connection.
    MpJoinPortSynAckRx = "MPJoinPortSynAckRx",
    /// Of [`Self::MpJoinAckRx`], those to another port than that of the connection.
    MpJoinPortAckRx = "MPJoinPortAckRx",
    /// Received SYNs with MP_JOIN to a port that is neither that of the connection nor announced on it.
    MismatchPortSynRx = "MismatchPortSynRx",
    /// Received third ACKs with MP_JOIN to a port that was announced when their SYN came and is no more.
    MismatchPortAckRx = "MismatchPortAckRx",
    /// Received SYNs that join no connection to the port of an endpoint.
    MpCapableEndpAttempt = "MPCapableEndpAttempt",
    /// Received ADD_ADDRs with the right HMAC.
    AddAddr = "AddAddr",
    /// Received ADD_ADDRs with a wrong HMAC.
    AddAddrDrop = "AddAddrDrop",
    /// ADD_ADDRs sent, repeated ones counted.
    AddAddrTx = "AddAddrTx",
    /// ADD_ADDRs that a segment had no room for.
    AddAddrTxDrop = "AddAddrTxDrop",
    /// Received echoes of ADD_ADDR.
    EchoAdd = "EchoAdd",
    /// Echoes of ADD_ADDR sent.
    EchoAddTx = "EchoAddTx",
    /// Echoes of ADD_ADDR that a segment had no room for.
    EchoAddTxDrop = "EchoAddTxDrop",
    /// Received ADD_ADDRs with a port, echoes counted.
    PortAdd = "PortAdd",
    /// Received REMOVE_ADDRs.
    RmAddr = "RmAddr",
    /// REMOVE_ADDRs sent.
    RmAddrTx = "RmAddrTx",
    /// REMOVE_ADDRs that a segment had no room for.
    RmAddrTxDrop = "RmAddrTxDrop",
    /// Subflows closed because an address was removed.
    RmSubflow = "RmSubflow",
    /// Received MP_PRIOs.
    MpPrioRx = "MPPrioRx",
    /// MP_PRIOs sent.
    MpPrioTx = "MPPrioTx",
    /// Subflows refused although they proved to belong to the connection.
    MpJoinRejected = "MPJoinRejected",
    /// Subflows among others that stopped to answer for a while, so that others carried their data too.
    SubflowSilent = "SubflowSilent",
    /// Subflows that had no device to send by any more, so that others carried their data too.
    SubflowCut = "SubflowCut",
    /// Pieces of data given to TCP again at the connection level.
    MptcpRetrans = "MPTCPRetrans",
    /// Mappings that contradict one received before.
    DssNotMatching = "DSSNotMatching",
    /// Infinite mappings sent.
    InfiniteMapTx = "InfiniteMapTx",
    /// Infinite mappings received.
    InfiniteMapRx = "InfiniteMapRx",
    /// Wrong checksums of data.
    DataCsumErr = "DataCsumErr",
    /// Segments put at the end of the out-of-order queue.
    OfoQueueTail = "OFOQueueTail",
    /// Segments put into the out-of-order queue.
    OfoQueue = "OFOQueue",
    /// Segments outside of the connection-level window.
    NoDssInWindow = "NoDSSInWindow",
    /// Segments whose data had all been received before.
    DuplicateData = "DuplicateData",
    /// MP_FAIL options sent.
    MpFailTx = "MPFailTx",
    /// MP_FAIL options received.
    MpFailRx = "MPFailRx",
    /// MP_FASTCLOSE options sent.
    MpFastcloseTx = "MPFastcloseTx",
    /// MP_FASTCLOSE options received with the right key.
    MpFastcloseRx = "MPFastcloseRx",
    /// Resets sent with MP_TCPRST.
    MpRstTx = "MPRstTx",
    /// Resets received with MP_TCPRST.
    MpRstRx = "MPRstRx",
    /// Connections now established: a gauge.
    MpCurrEstab = "MPCurrEstab",
    /// Fallbacks, because the first data had neither MP_CAPABLE nor a mapping.
    MpCapableDataFallback = "MPCapableDataFallback",
    /// Fallbacks of established connections, because a mapping was missing.
    DssFallback = "DssFallback",
    /// Resets, because a mapping was missing and fallback was not possible.
    DssReset = "DssReset",
    /// Fallbacks, because both ends connected at the same time.
    SimultConnectFallback = "SimultConnectFallback",
    /// Probes of a closed connection-level window.
    WinProbe = "WinProbe",
    /// Times that the receive buffer became full, so that data had to stay with a subflow.
    RcvBufferFull = "RcvBufferFull",
    /// Packets dropped that waited for earlier data, or would have had to, for lack of memory.
    OfoPruned = "OFOPruned",
    /// Segments dropped before TCP saw them, because the table of receive mappings was full.
    RxMappingFull = "RxMappingFull",
    /// Times that sending waited, because the table of transmit mappings was full.
    TxMappingFull = "TxMappingFull",
    /// Segments of subflows that the receive hook looked at: proof that the module served the traffic.
    RxHookSegments = "RxHookSegments",
    /// Segments of subflows that the transmit hook looked at.
    TxHookSegments = "TxHookSegments",
    /// Segments that lost SACK blocks to make room for a mapping.
    SackTrimmed = "SackTrimmed",
    /// Segments with options that were not believed, because TCP would not accept the segment.
    UnacceptableSegment = "UnacceptableSegment",
    /// Entries of the table of receive flows that were written.
    SteeringEntries = "SteeringEntries",
    /// Connections whose subflows were sent to another processor than before.
    SteeringMoves = "SteeringMoves",
    /// Segments that arrived on another processor than the chosen one.
    SteeringStray = "SteeringStray",
    /// Runs of connections' work in process context: closing, managing paths.
    DeferredWork = "DeferredWork",
    /// Runs of connections' work in softirq: data for another subflow.
    DeferredSoftirqWork = "DeferredSoftirqWork",
    /// Runs of connections' timers.
    DeferredTimer = "DeferredTimer",
    /// Options of kind 30 with a length or content that the RFC does not allow.
    MalformedOption = "MalformedOption",
}

/// The counters of one namespace.
pub(crate) struct Counters(percpu::Counters<{ Counter::NAMES.len() }>);

impl Counters {
    /// Counters that stand at zero.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(percpu::Counters::new()?))
    }

    /// Counts one event. Any context.
    #[inline]
    pub(crate) fn count(&self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Counts several events. Any context.
    #[inline]
    pub(crate) fn add(&self, counter: Counter, amount: u64) {
        self.0.add(counter as usize, amount);
    }

    /// What one CPU has counted. Any context.
    pub(crate) fn on(&self, counter: Counter, cpu: u32) -> u64 {
        self.0.on(counter as usize, cpu)
    }

    /// Takes one off a gauge. Any context.
    #[inline]
    pub(crate) fn uncount(&self, gauge: Counter) {
        self.add(gauge, u64::MAX);
    }

    /// Writes "Name value" lines.
    pub(crate) fn print(&self, out: &SeqFile) {
        for (number, name) in Counter::NAMES.into_iter().enumerate() {
            seq_print!(out, "{} {}\n", name, self.0.sum(number));
        }
    }
}

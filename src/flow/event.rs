//! Stream events: what the TCP machine found odd about a packet. One catalogue: name, text.
//!
//! Rules may name every one of them. Three belong to machinery that is not here, and are never raised: `wrong_thread`
//! (a flow has one owner), `reassembly_no_segment` and `reassembly_insert_invalid` (memory is said by `insert_memcap`).

/// Declares the catalogue: variant, name as in EVE's `anomaly.event`, one sentence.
macro_rules! events {
    ($($variant:ident $name:literal $text:literal,)*) => {
        /// What the TCP machine found odd about a packet.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum StreamEvent {
            $(#[doc = $text] $variant,)*
            /// None; never in a list.
            #[default]
            None,
        }

        impl StreamEvent {
            /// Every event, in catalogue order.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Name, as EVE's `anomaly.event` has it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("stream.", $name),)*
                    Self::None => "stream.none",
                }
            }

            /// Name, as a rule's `stream-event` has it.
            #[must_use]
            pub const fn keyword(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::None => "none",
                }
            }

            /// One sentence.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::None => "nothing odd",
                }
            }
        }
    };
}

events! {
    HandshakeAckInWrongDirection "3whs_ack_in_wrong_dir" "the ACK that ends the handshake came from the server",
    HandshakeAsyncWrongSeq "3whs_async_wrong_seq" "one-sided handshake goes on with an unexpected sequence number",
    HandshakeRightSeqWrongAck "3whs_right_seq_wrong_ack_evasion"
        "data in the handshake with the expected sequence number but a wrong acknowledgment",
    HandshakeSynAckInWrongDirection "3whs_synack_in_wrong_direction" "the client sent a SYN/ACK",
    HandshakeSynAckOtherAck "3whs_synack_resend_with_different_ack" "SYN/ACK again, acknowledging something else",
    HandshakeSynAckOtherSeq "3whs_synack_resend_with_diff_seq" "SYN/ACK again, with another sequence number",
    HandshakeSynAckToServer "3whs_synack_toserver_on_syn_recv" "SYN/ACK from the client after the server's SYN/ACK",
    HandshakeSynAckWrongAck "3whs_synack_with_wrong_ack" "SYN/ACK does not acknowledge the SYN",
    HandshakeSynAckFlood "3whs_synack_flood" "too many different SYN/ACK in one handshake",
    HandshakeSynFlood "3whs_syn_flood" "too many different SYN in one handshake",
    HandshakeFastOpenIgnored "3whs_synack_tfo_data_ignored" "the server did not take the data of a fast-open SYN",
    HandshakeSynOtherSeq "3whs_syn_resend_diff_seq_on_syn_recv" "SYN again, with another sequence number, after the SYN/ACK",
    HandshakeSynToClient "3whs_syn_toclient_on_syn_recv" "SYN from the server after its SYN/ACK",
    HandshakeWrongSeqWrongAck "3whs_wrong_seq_wrong_ack" "ACK in the handshake fits neither side",
    HandshakeAckDataInject "3whs_ack_data_inject" "data to the client before the handshake was complete",
    SimultaneousSynAckWrongAck "4whs_synack_with_wrong_ack" "simultaneous open: SYN/ACK acknowledges something else",
    SimultaneousSynAckWrongSyn "4whs_synack_with_wrong_syn" "simultaneous open: SYN/ACK does not repeat the SYN",
    SimultaneousWrongSeq "4whs_wrong_seq" "simultaneous open: unexpected sequence number",
    SimultaneousInvalidAck "4whs_invalid_ack" "simultaneous open: invalid acknowledgment",
    CloseWaitAckOutOfWindow "closewait_ack_out_of_window" "ACK out of window in close_wait",
    CloseWaitFinOutOfWindow "closewait_fin_out_of_window" "FIN out of window in close_wait",
    CloseWaitPacketBeforeLastAck "closewait_pkt_before_last_ack" "packet before the last ACK in close_wait",
    CloseWaitInvalidAck "closewait_invalid_ack" "invalid acknowledgment in close_wait",
    ClosingAckWrongSeq "closing_ack_wrong_seq" "ACK with an unexpected sequence number in closing",
    ClosingInvalidAck "closing_invalid_ack" "invalid acknowledgment in closing",
    EstablishedOutOfWindow "est_packet_out_of_window" "packet out of window on an established connection",
    EstablishedPacketBeforeLastAck "est_pkt_before_last_ack" "packet before the last ACK on an established connection",
    EstablishedSynAckResend "est_synack_resend" "SYN/ACK again on an established connection",
    EstablishedSynAckOtherAck "est_synack_resend_with_different_ack"
        "SYN/ACK again on an established connection, acknowledging something else",
    EstablishedSynAckOtherSeq "est_synack_resend_with_diff_seq"
        "SYN/ACK again on an established connection, with another sequence number",
    EstablishedSynAckToServer "est_synack_toserver" "SYN/ACK from the client on an established connection",
    EstablishedSynResend "est_syn_resend" "SYN again on an established connection",
    EstablishedSynOtherSeq "est_syn_resend_diff_seq"
        "SYN again on an established connection, with another sequence number",
    EstablishedSynToClient "est_syn_toclient" "SYN from the server on an established connection",
    EstablishedInvalidAck "est_invalid_ack" "invalid acknowledgment on an established connection",
    EstablishedAckOfProbe "est_ack_zwp_data" "acknowledgment of a zero-window probe's byte",
    FinInvalidAck "fin_invalid_ack" "FIN with an invalid acknowledgment",
    FinWait1AckWrongSeq "fin1_ack_wrong_seq" "ACK with an unexpected sequence number in fin_wait1",
    FinWait1FinWrongSeq "fin1_fin_wrong_seq" "FIN with an unexpected sequence number in fin_wait1",
    FinWait1InvalidAck "fin1_invalid_ack" "invalid acknowledgment in fin_wait1",
    FinWait2AckWrongSeq "fin2_ack_wrong_seq" "ACK with an unexpected sequence number in fin_wait2",
    FinWait2FinWrongSeq "fin2_fin_wrong_seq" "FIN with an unexpected sequence number in fin_wait2",
    FinWait2InvalidAck "fin2_invalid_ack" "invalid acknowledgment in fin_wait2",
    FinWithoutSession "fin_but_no_session" "FIN without a connection",
    FinOutOfWindow "fin_out_of_window" "FIN out of window",
    LastAckWrongSeq "lastack_ack_wrong_seq" "ACK with an unexpected sequence number in last_ack",
    LastAckInvalidAck "lastack_invalid_ack" "invalid acknowledgment in last_ack",
    ResetWithoutSession "rst_but_no_session" "RST without a connection",
    TimeWaitAckWrongSeq "timewait_ack_wrong_seq" "ACK with an unexpected sequence number in time_wait",
    TimeWaitInvalidAck "timewait_invalid_ack" "invalid acknowledgment in time_wait",
    InvalidTimestamp "pkt_invalid_timestamp" "the timestamp option went backwards",
    InvalidAck "pkt_invalid_ack" "invalid acknowledgment",
    BrokenAck "pkt_broken_ack" "acknowledgment number without the ACK flag",
    ResetInvalidAck "rst_invalid_ack" "RST with an invalid acknowledgment",
    ResetWithData "rst_with_data" "RST with data",
    ShutdownSynResend "shutdown_syn_resend" "SYN again while the connection closes",
    Retransmission "pkt_retransmission" "packet repeats data",
    SpuriousRetransmission "pkt_spurious_retransmission" "packet repeats data that was acknowledged",
    BadWindowUpdate "pkt_bad_window_update" "window shrank together with an acknowledgment that does not add up",
    SegmentBeforeBase "reassembly_segment_before_base_seq" "segment lies before everything that is still kept",
    NoSegment "reassembly_no_segment" "no room for a segment",
    SequenceGap "reassembly_seq_gap" "acknowledged data was never seen",
    OverlapDifferentData "reassembly_overlap_different_data" "overlapping segments differ",
    DepthReached "reassembly_depth_reached" "the configured depth of a side was reached",
    InsertMemcap "reassembly_insert_memcap" "the memory for reassembly is used up",
    InsertLimit "reassembly_insert_limit" "too many separate stretches or too much data on one side",
    InsertInvalid "reassembly_insert_invalid" "a segment could not be placed",
    UrgentLimit "reassembly_urgent_oob_limit_reached" "too much urgent data on one side",
    WrongThread "wrong_thread" "packet of a flow that another worker owns",
    FinSyn "fin_syn" "FIN and SYN in one packet",
    SuspectedResetInjection "suspected_rst_inject" "traffic goes on behind a RST that the receiver must have ignored",
}

/// The events of one packet, without allocation. No packet raises more than it holds; the first ones stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventList {
    list: [StreamEvent; Self::ROOM],
    count: u8,
}

impl EventList {
    /// How many it holds at most.
    pub const ROOM: usize = 6;

    /// The events, in the order in which they were raised.
    #[must_use]
    pub fn as_slice(&self) -> &[StreamEvent] {
        self.list.get(..usize::from(self.count)).unwrap_or_default()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Raises one; the same event is raised once a packet.
    pub(crate) fn raise(&mut self, event: StreamEvent) {
        if self.as_slice().contains(&event) {
            return;
        }
        if let Some(place) = self.list.get_mut(usize::from(self.count)) {
            *place = event;
            self.count += 1;
        }
    }
}

impl<'a> IntoIterator for &'a EventList {
    type Item = &'a StreamEvent;
    type IntoIter = std::slice::Iter<'a, StreamEvent>;
    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_prefixed() {
        let mut seen = std::collections::HashSet::new();
        for event in StreamEvent::ALL {
            assert_eq!(event.name(), format!("stream.{}", event.keyword()));
            assert!(seen.insert(event.name()), "{event:?}");
            assert!(!event.text().is_empty());
        }
    }

    #[test]
    fn a_list_keeps_order_and_says_nothing_twice() {
        let mut list = EventList::default();
        for event in [StreamEvent::FinSyn, StreamEvent::BrokenAck, StreamEvent::FinSyn] {
            list.raise(event);
        }
        assert_eq!(list.as_slice(), [StreamEvent::FinSyn, StreamEvent::BrokenAck]);
        StreamEvent::ALL.iter().for_each(|e| list.raise(*e));
        assert_eq!(list.as_slice().len(), EventList::ROOM);
    }
}

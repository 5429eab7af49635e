//! Heartbeats (RFC 6520), and the ways in which they are abused (CVE-2014-0160).

use parse::{Anomaly, Cursor, Side};

use super::catalogue as of;

/// Padding that every heartbeat must have.
const PADDING: usize = 16;
/// Type and payload length.
const HEAD: usize = 3;

/// The heartbeat under way.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    asked_by: Option<Side>,
    encrypted_size: usize,
}

impl Heartbeat {
    /// Takes one heartbeat record; an anomaly ends the reading of the flow.
    pub(super) fn take(&mut self, side: Side, body: &[u8], encrypted: bool) -> Result<(), &'static Anomaly> {
        let mut at = Cursor::new(body);
        let (Some(kind), Some(claimed)) = (at.u8(), at.u16()) else { return Ok(()) };
        if !encrypted && !matches!(kind, 1 | 2) {
            return Err(&of::INVALID_HEARTBEAT_MESSAGE);
        }
        match self.asked_by {
            None => self.request(side, body.len(), usize::from(claimed), encrypted),
            Some(asked_by) if asked_by == side => Err(&of::INVALID_HEARTBEAT_MESSAGE),
            Some(_) => self.response(body.len(), encrypted),
        }
    }

    fn request(
        &mut self,
        side: Side,
        size: usize,
        claimed: usize,
        encrypted: bool,
    ) -> Result<(), &'static Anomaly> {
        self.asked_by = Some(side);
        if encrypted {
            self.encrypted_size = size;
        } else if claimed + HEAD > size {
            return Err(&of::OVERFLOW_HEARTBEAT_MESSAGE);
        } else if claimed + HEAD + PADDING > size {
            return Err(&of::INVALID_HEARTBEAT_MESSAGE);
        }
        Ok(())
    }

    fn response(&mut self, size: usize, encrypted: bool) -> Result<(), &'static Anomaly> {
        self.asked_by = None;
        let asked = std::mem::take(&mut self.encrypted_size);
        if encrypted && asked > 0 && asked < size {
            return Err(&of::DATALEAK_HEARTBEAT_MISMATCH);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(result: Result<(), &'static Anomaly>) -> &'static str {
        result.map_or_else(|what| what.name, |()| "")
    }

    #[test]
    fn a_fair_exchange_is_quiet() {
        let mut beat = Heartbeat::default();
        let mut body = vec![1, 0, 4];
        body.extend([0; 20]);
        assert_eq!(name(beat.take(Side::ToServer, &body, false)), "");
        body[0] = 2;
        assert_eq!(name(beat.take(Side::ToClient, &body, false)), "");
    }

    #[test]
    fn claims_and_answers_that_are_too_long() {
        let bleed = [1, 0x40, 0];
        assert_eq!(
            name(Heartbeat::default().take(Side::ToServer, &bleed, false)),
            "OVERFLOW_HEARTBEAT_MESSAGE"
        );
        assert_eq!(
            name(Heartbeat::default().take(Side::ToServer, &[1, 0, 0], false)),
            "INVALID_HEARTBEAT_MESSAGE"
        );
        assert_eq!(
            name(Heartbeat::default().take(Side::ToServer, &[9, 0, 0], false)),
            "INVALID_HEARTBEAT_MESSAGE"
        );
        let mut beat = Heartbeat::default();
        assert_eq!(name(beat.take(Side::ToServer, &[0xa5; 40], true)), "");
        assert_eq!(name(beat.take(Side::ToClient, &[0x5a; 4000], true)), "DATALEAK_HEARTBEAT_MISMATCH");
        let mut beat = Heartbeat::default();
        assert_eq!(name(beat.take(Side::ToServer, &[0xa5; 40], true)), "");
        assert_eq!(name(beat.take(Side::ToServer, &[0xa5; 40], true)), "INVALID_HEARTBEAT_MESSAGE");
    }
}

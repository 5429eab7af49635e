//! Copies of flows without promiscuity: FLOW_SUBSCRIBE, for trusted functions of Intel's own PF driver.
//!
//! Asked for only where the settings name flows. Whether their receivers go on getting them is the PF's matter.

use avf::virtchnl::{Caps, FlowSubscribe, Header, HeaderKind, HeaderPattern, MaskedHeader, Pattern, Request};
use avf_driver::{Negotiated, Settings, Subscription};

const TCP: u8 = 6;

/// The message of a round: one flow each.
pub(crate) fn request(round: u16, agreed: &Negotiated, settings: &Settings) -> Option<Request> {
    let wanted = settings.subscriptions.get(usize::from(round)).filter(|_| agreed.has(Caps::FSUB_PF))?;
    let pattern = HeaderPattern { tunnel: 0, pattern: Pattern::Masked(headers(wanted)) };
    Some(Request::Subscribe(FlowSubscribe { vsi: agreed.vsi, pattern, ..FlowSubscribe::default() }))
}

/// Ethernet, IP, and the transport with the one port that counts.
fn headers(wanted: &Subscription) -> Vec<MaskedHeader> {
    let any = |kind| MaskedHeader { header: Header::new(kind, 0), mask: [0; 64] };
    let ip = if wanted.six { HeaderKind::IPV6 } else { HeaderKind::IPV4 };
    let transport = wanted.protocol.map(|protocol| {
        let kind = if protocol == TCP { HeaderKind::TCP } else { HeaderKind::UDP };
        let mut masked = any(kind);
        if let Some(port) = wanted.port {
            let at = if wanted.from { 0 } else { 2 };
            let places = masked.header.spec.iter_mut().zip(&mut masked.mask).skip(at);
            for ((value, mask), byte) in places.zip(port.to_be_bytes()) {
                (*value, *mask) = (byte, 0xFF);
            }
        }
        masked
    });
    [any(HeaderKind::ETH), any(ip)].into_iter().chain(transport).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_matched_where_it_stands() {
        let wanted = Subscription { six: true, protocol: Some(17), port: Some(4789), from: false };
        let headers = headers(&wanted);
        let kinds: Vec<_> = headers.iter().map(|masked| masked.header.kind).collect();
        assert_eq!(kinds, [HeaderKind::ETH, HeaderKind::IPV6, HeaderKind::UDP]);
        assert_eq!(
            (&headers[2].header.spec[..5], &headers[2].mask[..5]),
            (&[0, 0, 0x12, 0xB5, 0][..], &[0, 0, 255, 255, 0][..])
        );
        let any = Subscription { six: false, protocol: None, port: None, from: false };
        assert_eq!(super::headers(&any).len(), 2);
    }
}

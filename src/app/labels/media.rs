//! Sound and pictures on their way to many.

use super::bytes::{be4, begins, byte, has, has_text, is_at, line, on, zero};
use super::{Answer, TCP, TCP_UDP, UDP, UDP_TCP, at_home, labels, sure, tcp, udp};
use parse::Look;

labels! { Media;
    "rtsp", "Real-Time Streaming Protocol", ["RTSP"], TCP, [tcp(554), tcp(8554)], rtsp, b"OPTIONS rtsp://a/b RTSP/1.0\r\nCSeq: 1\r\n\r\n";
    "rtmp", "Real-Time Messaging Protocol", ["RTMP"], TCP, [tcp(1935)], rtmp, &super::bytes::pad::<1537>(b"\x03\0\0\x12\x34\0\0\0\0\xaa");
    "mpeg-ts", "MPEG transport stream", ["MPEG_TS"], TCP_UDP, [], mpeg, &TRANSPORT_STREAM;
    "icecast", "Icecast and Shoutcast", ["IceCast"], TCP, [tcp(8000)], |l: &Look<'_>| sure(l.data.starts_with(b"ICY 200 OK\r\n") || l.data.starts_with(b"SOURCE /") && has_text(l.data, b"\r\nice-")), b"ICY 200 OK\r\nicy-name:a\r\n";
    "spotify", "Spotify", ["Spotify"], UDP_TCP, [udp(57_621), tcp(4070)], spotify, b"SpotUdp0\x12\x34\x56\x78\x9a\xbc\xde\xf0";
    "srt", "Secure Reliable Transport", [], UDP, [udp(9710)], srt, &super::bytes::pad::<64>(b"\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\0\0\0\x02\0\0\0\0\0\0\x05\xdc\0\0\x20\0\0\0\0\x01");
    "ndi", "Network Device Interface", [], TCP, [tcp(5960)], |l: &Look<'_>| sure(has(l.data.get(..80).unwrap_or(l.data), b"<ndi_version ")), b"\x01\x80\x00\x00\x28\0\0\0\0\0\0\0<ndi_version text=\"5\"/>";
    "slimproto", "Squeezebox", [], TCP_UDP, [tcp(3483)], |l: &Look<'_>| sure(l.data.starts_with(b"HELO") && be4(l.data, 4)? + 8 == l.data.len() && byte(l.data, 8)? <= 12), b"HELO\0\0\0\x0a\x0c\x00\0\x04\x20\x01\x02\x03\0\0";
    "mpd", "MPD music player daemon", [], TCP, [tcp(6600)], |l: &Look<'_>| sure(l.data.starts_with(b"OK MPD ")), b"OK MPD 0.23.0\n";
    "osc", "Open Sound Control", [], UDP, [udp(8000), udp(9000)], osc, b"/synth/freq\0,f\0\0\x43\xdc\0\0";
    "zattoo", "Zattoo", ["Zattoo"], TCP_UDP, [], |l: &Look<'_>| sure(l.data.starts_with(b"\x03\x04\0\x04\x0a\0")), b"\x03\x04\0\x04\x0a\0\x01";
    "mms-media", "Microsoft Media Server", [], TCP, [tcp(1755)], |l: &Look<'_>| sure(is_at(l.data, 4, b"\xce\xfa\x0b\xb0") && is_at(l.data, 12, b"MMS ")), b"\x01\0\0\0\xce\xfa\x0b\xb0\x20\0\0\0MMS \x01\0\0\0";
}

#[cfg(test)]
const TRANSPORT_STREAM: [u8; 376] = {
    let mut d = [0xff; 376];
    (d[0], d[1], d[2], d[3]) = (0x47, 0x1f, 0xff, 0x10);
    (d[188], d[189], d[190], d[191]) = (0x47, 0x1f, 0xff, 0x11);
    d
};

/// RFC 2326 sections 6.1 and 7.1: request and status lines.
fn rtsp(l: &Look<'_>) -> Answer {
    let text = line(l.data)?;
    let request = text.ends_with(b" RTSP/1.0") || text.ends_with(b" RTSP/2.0");
    sure(
        request && text.first().is_some_and(u8::is_ascii_uppercase)
            || begins(text, b"RTSP/1.0 ")
            || begins(text, b"RTSP/2.0 "),
    )
}

/// Adobe's RTMP 1.0 section 5.2: version 3, a time, a zero or a product version, random bytes; 1537 in all.
fn rtmp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let product = zero(d.get(5..9)?) || matches!(byte(d, 5)?, 8..=128) && byte(d, 8)? <= 128;
    if byte(d, 0)? != 3 || !product {
        return None;
    }
    if d.len() < 1537 {
        Some(parse::Probe::More)
    } else {
        at_home(d.len() == 1537 || zero(d.get(5..9)?), on(l, 1935) || d.len() == 1537 || d.len() == 3073)
    }
}

/// ISO 13818-1 section 2.4.3.2: sync byte every 188 bytes, and an adaptation field control that is not reserved.
fn mpeg(l: &Look<'_>) -> Answer {
    let d = l.data;
    let packet = |p: &[u8]| {
        p.first() == Some(&0x47)
            && p.get(3).is_some_and(|b| b & 0x30 != 0)
            && p.get(1).is_some_and(|b| b & 0x80 == 0)
    };
    sure(
        d.len() >= 376
            && (d.len().is_multiple_of(188) || l.transport == parse::Transport::Tcp)
            && d.chunks_exact(188).take(7).all(packet),
    )
}

/// Discovery on the local network; and the access point's hello: version 4, length, a protobuf of build information.
fn spotify(l: &Look<'_>) -> Answer {
    let d = l.data;
    if l.transport == parse::Transport::Udp {
        return sure(d.starts_with(b"SpotUdp0"));
    }
    sure(
        is_at(d, 0, &[0, 4])
            && be4(d, 2)? <= d.len()
            && be4(d, 2)? > 32
            && byte(d, 6)? == 0x52
            && matches!(byte(d, 8)?, 0x50),
    )
}

/// Haivision SRT, section 3.2.1: a handshake control packet, version 4 or 5, known type.
fn srt(l: &Look<'_>) -> Answer {
    let d = l.data;
    let kind = matches!(be4(d, 36)?, 0 | 1 | 0xffff_ffff | 0xffff_fffe | 0xffff_fffd);
    sure(is_at(d, 0, b"\x80\0\0\0") && matches!(be4(d, 16)?, 4 | 5) && kind && d.len() >= 64)
}

/// OSC 1.0: an address of printable letters, padded; then types behind a comma. Or a bundle.
fn osc(l: &Look<'_>) -> Answer {
    let d = l.data;
    let end = d.iter().take(128).position(|b| *b == 0)?;
    let comma = end / 4 * 4 + 4;
    let message = byte(d, 0)? == b'/'
        && end > 1
        && super::bytes::printable(d.get(..end)?)
        && zero(d.get(end..comma)?)
        && byte(d, comma)? == b','
        && d.len().is_multiple_of(4);
    sure(message || d.starts_with(b"#bundle\0") && d.len() >= 16)
}

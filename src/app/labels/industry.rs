//! Plants, substations, trains and machines.

use super::bytes::{
    be2, be4, ber, byte, crc_ccitt, crc_dnp, crc32, digits, from, has, is_at, le2, le4, on, zero,
};
use super::{Answer, TCP, TCP_UDP, UDP, UDP_TCP, at_home, labels, sure, tcp, udp};
use parse::{Look, Side};

labels! { Industry;
    "modbus", "Modbus/TCP", ["Modbus", "UMAS"], TCP, [tcp(502)], modbus,
        b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x0a";
    "dnp3", "DNP3", ["DNP3"], TCP_UDP, [tcp(20_000), udp(20_000)], dnp3,
        b"\x05\x64\x05\xc0\x01\x00\x00\x04\xe9\x21";
    "enip", "EtherNet/IP", ["EthernetIP"], TCP_UDP, [tcp(44_818), udp(44_818)], enip,
        b"\x65\x00\x04\x00\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0";
    "cip-io", "Common Industrial Protocol, implicit messages", ["CIP"], UDP, [udp(2222)], cip_io,
        b"\x02\x00\x02\x80\x08\x00\x01\x02\x03\x04\x05\x00\x00\x00\xb1\x00\x02\x00\x01\x00";
    "s7comm-plus", "S7comm Plus", ["S7CommPlus"], TCP, [], s7comm_plus,
        b"\x03\x00\x00\x0f\x02\xf0\x80\x72\x01\x00\x04\x31\x00\x00\x00";
    "s7comm", "S7comm", ["S7Comm"], TCP, [tcp(102)], s7comm,
        b"\x03\x00\x00\x19\x02\xf0\x80\x32\x01\x00\x00\x00\x00\x00\x08\x00\x00\xf0\x00\x00\x01\x00\x01\x01\xe0";
    "mms", "Manufacturing Message Specification", ["ISO9506-1-MMS"], TCP, [tcp(102)], mms,
        b"\x03\x00\x00\x22\x02\xf0\x80\x0d\x19\xc1\x17\x31\x15\xa0\x03\x80\x01\x01\xa2\x0e\x60\x0c\xa1\x07\x06\x05\x28\xca\x22\x02\x03\xbe\x01\x00";
    "iec104", "IEC 60870-5-104", ["IEC60870"], TCP, [tcp(2404)], iec104, b"\x68\x04\x07\x00\x00\x00";
    "opcua", "OPC Unified Architecture", ["OPC-UA"], TCP, [tcp(4840)], opcua,
        b"HELF\x20\x00\x00\x00\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0";
    "bacnet", "BACnet/IP", ["BACnet"], UDP, [udp(47_808)], bacnet, b"\x81\x0b\x00\x0c\x01\x20\xff\xff\x00\xff\x10\x08";
    "fins", "Omron FINS", ["FINS"], UDP_TCP, [udp(9600), tcp(9600)], fins,
        b"\x80\x00\x02\x00\x01\x00\x00\x22\x00\x00\x05\x01";
    "hart-ip", "HART-IP", ["HART-IP"], UDP_TCP, [udp(5094), tcp(5094)], hart_ip,
        b"\x01\x00\x00\x00\x00\x01\x00\x0d\x01\x00\x00\x75\x30";
    "synchrophasor", "IEEE C37.118 synchrophasors", ["IEEE-C37118"], UDP_TCP, [tcp(4712), udp(4713)], synchrophasor,
        b"\xaa\x41\x00\x12\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x02\x2d\x6e";
    "ads", "Beckhoff ADS", ["BeckhoffADS"], TCP_UDP, [tcp(48_898), udp(48_899)], ads,
        b"\0\0\x20\0\0\0\x01\x02\x03\x04\x01\x01\x21\x03\x05\x06\x07\x08\x01\x01\x01\x80\x01\0\x04\0\0\0\0\0\0\0\0\0\x01\0\0\0";
    "ether-s-bus", "SAIA Ether-S-Bus", ["Ether-S-Bus"], UDP, [udp(5050)], s_bus,
        b"\x00\x00\x00\x0e\x01\x00\x00\x01\x00\x01\x20\x00\xaf\x23";
    "ethersio", "SAIA EtherS-I/O", ["EtherSIO"], UDP, [udp(6060)], ethersio, b"ESIO\x00\x01\x00\x0c\x00\x00\x00\x01";
    "egd", "GE Ethernet Global Data", ["EthernetGlobalData"], UDP, [udp(18_246)], egd,
        b"\x0d\x01\x01\x00\x0a\0\0\x01\x01\0\0\0\x10\x20\x30\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x55";
    "knxnet-ip", "KNXnet/IP", ["KNXnet_IP"], UDP_TCP, [udp(3671), tcp(3671)], knx,
        b"\x06\x10\x02\x01\x00\x0e\x08\x01\xc0\xa8\x00\x01\x0e\x57";
    "c1222", "ANSI C12.22", ["ANSI_C1222"], TCP_UDP, [tcp(1153), udp(1153)], c1222,
        b"\x60\x0e\xa2\x05\x06\x03\x01\x02\x03\xbe\x05\x28\x03\x81\x01\x00";
    "cnp-ip", "EIA-852 (LonTalk over IP)", ["CNP-IP"], UDP, [udp(1628), udp(1629)], cnp_ip,
        b"\x00\x16\x01\x01\x00\x00\x00\x00\0\0\0\x01\0\0\0\x02\0\0\0\x03\x11\x22";
    "trdp", "Train Real-Time Data Protocol", ["TRDP"], UDP_TCP, [udp(17_224), udp(17_225), tcp(17_225)], trdp,
        b"\0\0\0\x01\x01\x00Pd\0\0\x03\xe8\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x53\x37\xf9\x4a";
    "atg", "Automatic tank gauge", ["ATG"], TCP, [tcp(10_001)], atg, b"\x01I20100\n";
    "hislip", "High-Speed LAN Instrument Protocol", ["HiSLIP"], TCP, [tcp(4880)], hislip,
        b"HS\x00\x00\x01\x00XX\0\0\0\0\0\0\0\x06hislip";
    "slmp", "Mitsubishi SLMP (MELSEC)", [], TCP_UDP, [tcp(5007), tcp(1025), udp(5006)], slmp,
        b"\x50\x00\x00\xff\xff\x03\x00\x0c\x00\x10\x00\x01\x04\x00\x00\x64\x00\x00\xa8\x0a\x00";
    "codesys", "CODESYS", [], TCP, [tcp(11_740)], codesys, b"\x00\x01\x17\xe8\x0c\x00\x00\x00\xc5\x6b\x40\x40";
    "niagara-fox", "Niagara Fox", [], TCP, [tcp(1911), tcp(4911)], |l: &Look<'_>| sure(l.data.starts_with(b"fox a ")),
        b"fox a 1 -1 fox hello\n{\n";
    "pcworx", "PCWorx", [], TCP, [tcp(1962)],
        |l: &Look<'_>| sure(l.data.starts_with(b"\x01\x01\x00\x1a\0\0\0\0\x78\x80")),
        b"\x01\x01\x00\x1a\x00\x00\x00\x00\x78\x80\x00\x03\x00\x0cIBETH01N0_M\x00";
    "ethercat", "EtherCAT over UDP", [], UDP, [udp(34_980)], ethercat,
        b"\x0e\x10\x07\x01\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00";
    "dlms", "DLMS/COSEM", ["IEC62056"], TCP_UDP, [tcp(4059), udp(4059)], dlms,
        b"\x00\x01\x00\x10\x00\x01\x00\x0a\x60\x08\xa1\x06\x06\x04\x01\x02\x03\x04";
    "doip", "Diagnostics over IP", [], TCP_UDP, [tcp(13_400), udp(13_400)], doip,
        b"\x02\xfd\x00\x05\x00\x00\x00\x07\x0e\x80\x00\x00\x00\x00\x00";
    "someip", "SOME/IP", ["SOMEIP"], UDP_TCP, [udp(30_490), tcp(30_501)], someip,
        b"\xff\xff\x81\x00\x00\x00\x00\x0c\x00\x00\x00\x01\x01\x01\x02\x00\xc0\x00\x00\x00";
    "crimson", "Red Lion Crimson", [], TCP, [tcp(789)], crimson, b"\x00\x04\x01\x2b\x1b\x00";
}

/// MODBUS Messaging on TCP/IP Implementation Guide section 3.1.3: transaction, protocol 0, length, unit, function.
fn modbus(l: &Look<'_>) -> Answer {
    let is = modbus_units(l.data)?;
    at_home(is, on(l, 502) || be2(l.other, 0) == be2(l.data, 0) && be2(l.other, 2) == Some(0))
}

fn modbus_units(mut d: &[u8]) -> Option<bool> {
    for _ in 0..8 {
        let len = be2(d, 4)?;
        let function = byte(d, 7)? & 0x7f;
        let known = matches!(function, 1..=8 | 11 | 12 | 15..=17 | 20..=24 | 43 | 90);
        if be2(d, 2)? != 0 || !(2..=254).contains(&len) || !known || d.len() < 6 + len {
            return Some(false);
        }
        d = from(d, 6 + len);
        if d.is_empty() {
            break;
        }
    }
    Some(true)
}

/// IEEE 1815 section 9.2.4: start word, length, and a checksum over the header.
fn dnp3(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = byte(d, 2)?;
    sure(is_at(d, 0, &[5, 0x64]) && length >= 5 && usize::from(crc_dnp(d.get(..8)?)) == le2(d, 8)?)
}

/// The EtherNet/IP Adaptation of CIP section 2-3: command, length, session, status, context, options 0.
fn enip(l: &Look<'_>) -> Answer {
    let d = l.data;
    let command = matches!(le2(d, 0)?, 0x01 | 0x04 | 0x63 | 0x64 | 0x65 | 0x66 | 0x6f | 0x70 | 0x72 | 0x73);
    let length = le2(d, 2)?;
    let whole = if on(l, 44_818) { length + 24 <= d.len() } else { length + 24 == d.len() };
    let session = matches!(le2(d, 0)?, 0x01 | 0x04 | 0x63 | 0x64 | 0x65) || le4(d, 4)? != 0;
    sure(command && whole && session && le4(d, 8)? <= 0x69 && le4(d, 20)? == 0)
}

/// The same specification, section 3-2: two items, a sequenced address and connected data.
fn cip_io(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(is_at(d, 0, b"\x02\x00\x02\x80\x08\x00") && le2(d, 14)? == 0xb1 && le2(d, 16)? + 18 == d.len())
}

/// RFC 1006 and RFC 905 section 13: passes over connection requests and gives what the first data unit carries.
pub(super) fn cotp_data(mut d: &[u8]) -> Option<&[u8]> {
    for _ in 0..4 {
        let len = be2(d, 2)?;
        let header = usize::from(byte(d, 4)?);
        if !is_at(d, 0, &[3, 0]) || len < 7 || header + 5 > len {
            return None;
        }
        if byte(d, 5)? == 0xf0 && header == 2 {
            return d.get(7..len.min(d.len()));
        }
        d = from(d, len);
    }
    None
}

fn s7comm(l: &Look<'_>) -> Answer {
    let d = cotp_data(l.data)?;
    sure(byte(d, 0)? == 0x32 && matches!(byte(d, 1)?, 1..=3 | 7) && be2(d, 2)? == 0)
}

fn s7comm_plus(l: &Look<'_>) -> Answer {
    let d = cotp_data(l.data)?;
    sure(byte(d, 0)? == 0x72 && matches!(byte(d, 1)?, 1..=3 | 0xfe) && be2(d, 2)? <= d.len())
}

/// ISO 9506 over ISO 8327 (session), 8823 (presentation): the MMS object identifier 1.0.9506 in the association, or
/// data units whose presentation carries the contexts that MMS agrees on.
fn mms(l: &Look<'_>) -> Answer {
    let d = cotp_data(l.data)?;
    match byte(d, 0)? {
        0x0d | 0x0e => sure(has(d, b"\x28\xca\x22")),
        // Give tokens, data transfer; then user data of context 3, the usual one of MMS.
        0x01 => {
            sure(is_at(d, 0, b"\x01\x00\x01\x00\x61") && has(d.get(..24).unwrap_or(d), b"\x02\x01\x03\xa0"))
        }
        _ => None,
    }
}

/// IEC 60870-5-104 section 5: frames with their length and one of three control field forms, end to end.
fn iec104(l: &Look<'_>) -> Answer {
    let mut d = l.data;
    let mut strong = on(l, 2404);
    for _ in 0..16 {
        let len = usize::from(byte(d, 1)?);
        let control = byte(d, 2)?;
        let frame = d.get(2..2 + len)?;
        let unnumbered = matches!(control, 0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83);
        let valid = match control & 3 {
            3 => unnumbered && len == 4 && zero(from(frame, 1)),
            1 => control == 1 && len == 4 && byte(frame, 1)? == 0 && byte(frame, 2)? & 1 == 0,
            _ => {
                len >= 10
                    && byte(frame, 2)? & 1 == 0
                    && matches!(byte(frame, 4)?, 1..=127)
                    && byte(frame, 5)? & 0x7f != 0
            }
        };
        if byte(d, 0)? != 0x68 || !valid {
            return None;
        }
        strong |= unnumbered || len > 10;
        d = from(d, 2 + len);
        if d.is_empty() {
            break;
        }
    }
    at_home(true, strong)
}

/// OPC 10000-6 section 7.1.2: message type, chunk type, size.
fn opcua(l: &Look<'_>) -> Answer {
    let d = l.data;
    let kind = d.get(..3)?;
    let known = [b"HEL", b"ACK", b"ERR", b"RHE", b"OPN", b"MSG", b"CLO"].iter().any(|k| *k == kind);
    let size = le4(d, 4)?;
    sure(
        known
            && matches!(byte(d, 3)?, b'F' | b'C' | b'A')
            && (8..1 << 24).contains(&size)
            && size >= d.len().min(16),
    )
}

/// ASHRAE 135 annex J: type, function, length; behind it a network layer of version 1.
fn bacnet(l: &Look<'_>) -> Answer {
    let d = l.data;
    if byte(d, 0)? != 0x81 || be2(d, 2)? != d.len() {
        return None;
    }
    match byte(d, 1)? {
        0x04 => sure(byte(d, 10)? == 1),
        0x09..=0x0b => sure(byte(d, 4)? == 1),
        0x00..=0x08 => sure(on(l, 47_808) && d.len() >= 4),
        _ => None,
    }
}

/// Omron W342 section 3: information, reserved 0, gateway count, addresses, service, command; over TCP behind a magic.
fn fins(l: &Look<'_>) -> Answer {
    let d = l.data;
    if l.transport == parse::Transport::Tcp {
        return sure(d.starts_with(b"FINS\0\0") && be4(d, 8)? <= 0x0000_000f && be4(d, 4)? >= 8);
    }
    let header = matches!(byte(d, 0)?, 0x80 | 0x81 | 0xc0 | 0xc1) && byte(d, 1)? == 0 && byte(d, 2)? == 2;
    let command = matches!((byte(d, 10)?, byte(d, 11)?), (1..=8 | 0x20..=0x28, 1..=0x50));
    at_home(header && command, on(l, 9600))
}

/// HCF SPEC-085 section 4: version 1, message type and identifier, status, sequence, byte count.
fn hart_ip(l: &Look<'_>) -> Answer {
    let d = l.data;
    let header = matches!((byte(d, 0)?, byte(d, 1)?, byte(d, 2)?), (1, 0..=2 | 15, 0..=3));
    at_home(header && d.len() >= 8 && be2(d, 6)? == d.len(), on(l, 5094))
}

/// IEEE C37.118.2 section 6.2: sync byte, frame type and version, size, and a checksum at the end.
fn synchrophasor(l: &Look<'_>) -> Answer {
    let d = l.data;
    let size = be2(d, 2)?;
    let kind = byte(d, 1)?;
    if byte(d, 0)? != 0xaa || kind >> 4 > 5 || !matches!(kind & 15, 1 | 2) || size < 16 {
        return None;
    }
    let covered = d.get(..size.checked_sub(2)?)?;
    sure(usize::from(crc_ccitt(covered, 0xffff)) == be2(d, size - 2)?)
}

/// Beckhoff TwinCAT ADS/AMS specification: TCP header with length, AMS header with length; discovery has a cookie.
fn ads(l: &Look<'_>) -> Answer {
    let d = l.data;
    if l.transport == parse::Transport::Udp {
        return sure(d.starts_with(b"\x03\x66\x14\x71") && d.len() >= 12);
    }
    let length = le4(d, 2)?;
    let ams =
        matches!(le2(d, 22)?, 1..=9) && le2(d, 24)? & 0xff04 == 4 && le4(d, 26)?.checked_add(32)? == length;
    sure(le2(d, 0)? == 0 && ams)
}

/// SAIA S-Bus over IP: length, version, type, sequence, attribute, and a checksum at the end.
fn s_bus(l: &Look<'_>) -> Answer {
    let d = l.data;
    let covered = d.get(..d.len().checked_sub(2)?)?;
    let header =
        be4(d, 0)? == d.len() && matches!(byte(d, 4)?, 0 | 1) && byte(d, 5)? == 0 && byte(d, 8)? <= 2;
    sure(header && usize::from(crc_ccitt(covered, 0)) == be2(d, d.len() - 2)?)
}

fn ethersio(l: &Look<'_>) -> Answer {
    sure(l.data.starts_with(b"ESIO") && l.data.len() >= 8 && byte(l.data, 4)? == 0)
}

/// GE GFK-1541 appendix: data production, type 13, version 1; the last word of the header is reserved.
fn egd(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(is_at(d, 0, &[0x0d, 1]) && d.len() > 32 && be4(d, 28)? == 0 && le4(d, 4)? != 0)
}

/// ISO 22510 section 5.2: header of six bytes, version 1.0, service, whole length.
fn knx(l: &Look<'_>) -> Answer {
    let d = l.data;
    let service = matches!(byte(d, 2)?, 2..=7 | 9) && byte(d, 3)? < 0x40;
    sure(is_at(d, 0, &[6, 0x10]) && service && be2(d, 4)? == d.len())
}

/// ANSI C12.22 section 5.3: an association unit whose elements are in order and whose user information is EPSEM.
fn c1222(l: &Look<'_>) -> Answer {
    let d = l.data;
    let (mut at, length) = ber(d, 1)?;
    if byte(d, 0)? != 0x60 || at + length != d.len() {
        return None;
    }
    let mut last = 0;
    while at < d.len() {
        let tag = byte(d, at)?;
        let (contents, length) = ber(d, at + 1)?;
        if tag <= last || !matches!(tag, 0xa1..=0xbe) {
            return None;
        }
        (last, at) = (tag, contents + length);
        if tag == 0xbe {
            return sure(
                at == d.len() && matches!(byte(d, contents)?, 0x28) && on(l, 1153)
                    || is_at(d, contents, &[0x28]) && has(d, b"\x81"),
            );
        }
    }
    None
}

/// EIA-852 section 7: length, version 1, packet type, extended header, flags, vendor, session, sequence, time.
fn cnp_ip(l: &Look<'_>) -> Answer {
    let d = l.data;
    let kind = matches!(byte(d, 3)?, 1..=8 | 0x60 | 0x63 | 0x64 | 0x66..=0x72 | 0x7f);
    let is = be2(d, 0)? == d.len() && d.len() >= 20 && byte(d, 2)? == 1 && kind && byte(d, 4)? == 0;
    at_home(is, on(l, 1628) || on(l, 1629))
}

/// IEC 61375-2-3 annex A: sequence, version 1.x, message type, identifier, topology, data length.
fn trdp(l: &Look<'_>) -> Answer {
    let d = l.data;
    if byte(d, 4)? != 1 {
        return None;
    }
    let kind = d.get(6..8)?;
    let process = [b"Pd", b"Pr", b"Pp", b"Pe"].iter().any(|k| *k == kind);
    let message = [b"Mn", b"Mr", b"Mp", b"Mq", b"Mc", b"Me"].iter().any(|k| *k == kind);
    let header = if process { 40 } else { 116 };
    let covered = d.get(..header - 4)?;
    let checked = crc32(covered) as usize == le4(d, header - 4)?;
    sure(byte(d, 4)? == 1 && (process || message) && be4(d, 20)? <= 65_388 && checked)
}

/// Veeder-Root serial interface manual, section 7: start of header, a function code of three digits and a tank of two.
fn atg(l: &Look<'_>) -> Answer {
    let d = l.data;
    let letter = matches!(byte(d, 1)?, b'I' | b'S' | b'i' | b's');
    sure(
        byte(d, 0)? == 1
            && letter
            && digits(from(d, 2), 3)
            && (digits(from(d, 5), 2) || matches!(byte(d, 5)?, b'A'..=b'F')),
    )
}

/// IVI-6.1 section 2.2: prologue, message type, control code, parameter, length of eight bytes.
fn hislip(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(is_at(d, 0, b"HS") && byte(d, 2)? <= 38 && be4(d, 8)? == 0 && be4(d, 12)? < 1 << 24)
}

/// Mitsubishi SH-080956 section 4: subheader of frames 3E and 4E, own station, length behind it.
fn slmp(l: &Look<'_>) -> Answer {
    let d = l.data;
    let at = match (byte(d, 0)?, byte(d, 1)?) {
        (0x50 | 0xd0, 0) => 2,
        (0x54 | 0xd4, 0) if be2(d, 4)? == 0 => 6,
        _ => return None,
    };
    sure(le2(d, at + 2)? == 0x03ff && le2(d, at + 5)? + at + 7 == d.len() && d.len() >= at + 9)
}

/// CODESYS V3 block driver: magic, and the length of the whole block.
fn codesys(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = le4(d, 4)?;
    sure(is_at(d, 0, b"\x00\x01\x17\xe8") && (8..1 << 20).contains(&length))
}

/// ETG.1000.4 section 5.3: length and type 1, then a datagram of a known command.
fn ethercat(l: &Look<'_>) -> Answer {
    let d = l.data;
    let word = le2(d, 0)?;
    sure(word >> 12 == 1 && (word & 0x7ff) + 2 == d.len() && byte(d, 2)? <= 14 && on(l, 34_980))
}

/// IEC 62056-47 section 5: version 1, two ports, length; or IEC 62056-21 section 6.3: a sign-on line.
fn dlms(l: &Look<'_>) -> Answer {
    let d = l.data;
    if d.starts_with(b"/?") {
        return sure(l.transport == parse::Transport::Tcp && d.ends_with(b"!\r\n") && d.len() <= 37);
    }
    let unit = matches!(byte(d, 8)?, 0x60..=0x63 | 0xc0..=0xc5 | 0xc8..=0xcf | 0xd8 | 0xdb..=0xdf);
    sure(be2(d, 0)? == 1 && be2(d, 6)? + 8 == d.len() && unit)
}

/// ISO 13400-2 section 7: version and its inverse, payload type, length.
fn doip(l: &Look<'_>) -> Answer {
    let d = l.data;
    let kind = matches!(be2(d, 2)?, 0..=8 | 0x4001..=0x4004 | 0x8001..=0x8003);
    let version = matches!(byte(d, 0)?, 1..=4 | 0xff);
    sure(version && byte(d, 0)? == !byte(d, 1)? && kind && be4(d, 4)? + 8 == d.len())
}

/// AUTOSAR PRS_SOMEIPProtocol section 4.1: service, method, length, request, versions, type, return code.
fn someip(l: &Look<'_>) -> Answer {
    let d = l.data;
    let length = be4(d, 4)?;
    let kind =
        matches!(byte(d, 14)?, 0..=2 | 0x20..=0x22 | 0x40..=0x42 | 0x80 | 0x81 | 0xa0 | 0xa1 | 0xc0 | 0xc1);
    let whole = length >= 8 && length + 8 <= d.len();
    sure(
        whole
            && byte(d, 12)? == 1
            && byte(d, 13)? <= 64
            && kind
            && byte(d, 15)? <= 0x5e
            && (length + 8 == d.len() || be4(d, length + 12).is_some_and(|n| n >= 8)),
    )
}

/// Red Lion Crimson 3: length, then register and operation of the first exchange.
fn crimson(l: &Look<'_>) -> Answer {
    let d = l.data;
    sure(
        on(l, 789)
            && l.side == Side::ToServer
            && be2(d, 0)? + 2 == d.len()
            && matches!(be2(d, 2)?, 0x012a | 0x012b),
    )
}

//! What a file looks like that is not a capture.

/// The two bytes with which gzip begins (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Beginnings of other kinds of files that are given to a sensor by mistake.
const KINDS: [(&[u8], &str); 16] = [
    (b"\x7fELF", "an ELF program"),
    (b"snoop\0\0\0", "a snoop capture, which is not read: convert it to pcapng"),
    (b"GMBU", "a Microsoft Network Monitor capture, which is not read: convert it to pcapng"),
    (b"RTSS", "a Microsoft Network Monitor 1.x capture, which is not read: convert it to pcapng"),
    (b"TRSNIFF data", "a Sniffer capture, which is not read: convert it to pcapng"),
    (b"XCP\0", "a Sniffer capture, which is not read: convert it to pcapng"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd: decompress it into a pipe and read `-`"),
    (b"\xfd7zXZ\0", "compressed by xz: decompress it into a pipe and read `-`"),
    (b"BZh", "compressed by bzip2: decompress it into a pipe and read `-`"),
    (b"\x04\x22\x4d\x18", "compressed by lz4: decompress it into a pipe and read `-`"),
    (b"PK\x03\x04", "a zip archive: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"%PDF", "a PDF document"),
    (b"{", "JSON or other text"),
    (b"#!", "a script"),
];

pub(super) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&GZIP)
}

/// One clause on what begins with these bytes.
pub(super) fn describe(head: &[u8]) -> String {
    if let Some((_, what)) = KINDS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return (*what).to_owned();
    }
    let shown = head.get(..head.len().min(8)).unwrap_or_default();
    let bytes = shown.iter().map(|b| format!("{b:02x}")).collect::<Vec<_>>().join(" ");
    if head.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) {
        return format!("text, beginning with {bytes}");
    }
    format!("unknown, beginning with {bytes}")
}

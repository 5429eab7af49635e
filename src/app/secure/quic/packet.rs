//! One packet of a handshake, as rules and events see it.

use parse::{Buffer, Cursor, Side, Transaction, Visitor};

use super::chlo::{ClientHello as GoogleHello, Cyu};
use super::fields::{buffer, field};
use super::version::Version;
use super::wire::{counted, varint};
use crate::tls::fingerprint::{self, Ja4Transport};
use crate::tls::hello::{ClientHello, Extension as TlsExtension, Extensions, ServerHello, extension};

/// Most extensions that are listed.
const EXTENSIONS: usize = 256;
/// Transport parameters (RFC 9001 section 8.2), and their number in the drafts.
const TRANSPORT_PARAMETERS: [u16; 2] = [0x39, 0xffa5];
/// The parameter in which Google's clients give their name.
const GOOGLE_USER_AGENT: u64 = 0x3129;

/// One packet with a readable header, and the hello that it completed, if it did.
#[derive(Debug, Default)]
pub(super) struct Packet {
    id: u64,
    version: [u8; 4],
    sni: Option<Vec<u8>>,
    ua: Option<Vec<u8>>,
    cyu: Option<Cyu>,
    /// String and hash; JA3S when the server sent it.
    ja3: Option<(String, String)>,
    ja4: Option<String>,
    extensions: Vec<Extension>,
    from_server: bool,
}

/// A TLS extension; of some what they say is kept in words.
#[derive(Debug)]
struct Extension {
    kind: u16,
    values: Vec<Vec<u8>>,
}

impl Packet {
    /// A packet of which only the header is known.
    pub(super) fn new(id: u64, version: Version, side: Side) -> Self {
        let version = version.0.to_be_bytes();
        Self { id, version, from_server: side == Side::ToClient, ..Self::default() }
    }

    /// Adds a ClientHello.
    pub(super) fn client(&mut self, hello: &ClientHello<'_>, fingerprints: bool) {
        self.extensions = list(hello.extensions());
        self.sni = hello.sni().map(<[u8]>::to_vec);
        self.ua = user_agent(hello).map(<[u8]>::to_vec);
        if fingerprints {
            self.ja3 = Some(fingerprint::ja3(hello));
            self.ja4 = Some(fingerprint::ja4(Ja4Transport::Quic, hello));
        }
    }

    /// Adds a ServerHello.
    pub(super) fn server(&mut self, hello: &ServerHello<'_>, fingerprints: bool) {
        self.extensions = list(hello.extensions());
        if fingerprints {
            self.ja3 = Some(fingerprint::ja3s(hello));
        }
    }

    /// Adds a client hello from before TLS.
    pub(super) fn google(&mut self, version: Version, hello: &GoogleHello<'_>) {
        self.sni = hello.value(b"SNI\0").map(<[u8]>::to_vec);
        self.ua = hello.value(b"UAID").map(<[u8]>::to_vec);
        self.cyu = hello.cyu(version);
    }

    /// The server name.
    pub(super) fn sni(&self) -> Option<&[u8]> {
        self.sni.as_deref()
    }

    fn fingerprint_fields(&self, visitor: &mut dyn Visitor) {
        if let Some(cyu) = &self.cyu {
            visitor.list(&field::CYU);
            visitor.item();
            visitor.text(&field::CYU_HASH, cyu.hash.as_bytes());
            visitor.text(&field::CYU_STRING, cyu.string.as_bytes());
            visitor.close();
            visitor.close();
        }
        if let Some((string, hash)) = &self.ja3 {
            let [object, hash_field, string_field] = if self.from_server {
                [&field::JA3S, &field::JA3S_HASH, &field::JA3S_STRING]
            } else {
                [&field::JA3, &field::JA3_HASH, &field::JA3_STRING]
            };
            visitor.object(object);
            visitor.text(hash_field, hash.as_bytes());
            visitor.text(string_field, string.as_bytes());
            visitor.close();
        }
        if let Some(ja4) = &self.ja4 {
            visitor.text(&field::JA4, ja4.as_bytes());
        }
    }

    fn ja3_part(&self, server: bool, part: fn(&(String, String)) -> &String) -> Option<&[u8]> {
        let of_side = self.ja3.as_ref().filter(|_| self.from_server == server);
        of_side.map(|both| part(both).as_bytes())
    }
}

impl Transaction for Packet {
    fn id(&self) -> u64 {
        self.id
    }

    fn buffer(&self, which: &'static Buffer, _side: Side, index: usize) -> Option<&[u8]> {
        let is = |other: &'static Buffer| std::ptr::eq(which, other);
        if index > 0 {
            None
        } else if is(&buffer::VERSION) {
            Some(&self.version)
        } else if is(&buffer::SNI) {
            self.sni.as_deref()
        } else if is(&buffer::UA) {
            self.ua.as_deref()
        } else if is(&buffer::CYU_HASH) {
            self.cyu.as_ref().map(|cyu| cyu.hash.as_bytes())
        } else if is(&buffer::CYU_STRING) {
            self.cyu.as_ref().map(|cyu| cyu.string.as_bytes())
        } else if is(&buffer::JA3_HASH) {
            self.ja3_part(false, |both| &both.1)
        } else if is(&buffer::JA3_STRING) {
            self.ja3_part(false, |both| &both.0)
        } else if is(&buffer::JA3S_HASH) {
            self.ja3_part(true, |both| &both.1)
        } else if is(&buffer::JA3S_STRING) {
            self.ja3_part(true, |both| &both.0)
        } else if is(&buffer::JA4_HASH) {
            self.ja4.as_ref().map(String::as_bytes)
        } else {
            None
        }
    }

    fn fields(&self, visitor: &mut dyn Visitor) {
        visitor.object(&field::QUIC);
        visitor.text(&field::VERSION, Version(u32::from_be_bytes(self.version)).text().as_ref());
        if let Some(sni) = &self.sni {
            visitor.text(&field::SNI, sni);
        }
        if let Some(ua) = &self.ua {
            visitor.text(&field::UA, ua);
        }
        self.fingerprint_fields(visitor);
        if !self.extensions.is_empty() {
            visitor.list(&field::EXTENSIONS);
            self.extensions.iter().for_each(|one| one.fields(visitor));
            visitor.close();
        }
        visitor.close();
    }
}

impl Extension {
    fn new(extension: TlsExtension<'_>) -> Self {
        let inside = Cursor::new(extension.data).counted16().unwrap_or_default();
        let values = match extension.kind {
            extension::SERVER_NAME => names(inside),
            extension::ALPN => protocols(inside),
            extension::SIGNATURE_ALGORITHMS => {
                pairs(inside).map(|one| one.to_string().into_bytes()).collect()
            }
            extension::SUPPORTED_VERSIONS => versions(extension.data),
            _ => Vec::new(),
        };
        Self { kind: extension.kind, values }
    }

    fn fields(&self, visitor: &mut dyn Visitor) {
        visitor.item();
        if let Some(name) = name(self.kind) {
            visitor.word(&field::EXTENSION_NAME, name);
        }
        visitor.number(&field::EXTENSION_TYPE, u64::from(self.kind));
        if !self.values.is_empty() {
            visitor.list(&field::EXTENSION_VALUES);
            self.values.iter().for_each(|value| visitor.text(&field::EXTENSION_VALUES, value));
            visitor.close();
        }
        visitor.close();
    }
}

fn list(extensions: Extensions<'_>) -> Vec<Extension> {
    extensions.take(EXTENSIONS).map(Extension::new).collect()
}

/// RFC 6066 section 3.
fn names(inside: &[u8]) -> Vec<Vec<u8>> {
    let mut at = Cursor::new(inside);
    std::iter::from_fn(|| at.u8().and(at.counted16())).map(<[u8]>::to_vec).take(EXTENSIONS).collect()
}

/// Numbers of two bytes.
fn pairs(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).take(EXTENSIONS)
}

/// RFC 8446 section 4.2.1: a client has a list of them, a server one. The names are those that Suricata writes.
fn versions(data: &[u8]) -> Vec<Vec<u8>> {
    let list = if data.len() == 2 { data } else { data.get(1..).unwrap_or_default() };
    let name = |version: u16| match version {
        0x0300 => "Ssl30".into(),
        0x0301 => "Tls10".into(),
        0x0302 => "Tls11".into(),
        0x0303 => "Tls12".into(),
        0x0304 => "Tls13".into(),
        0x7f12..=0x7f17 => format!("Tls13Draft{}", version & 0xff),
        _ => format!("TlsVersion({version} / {version:#x})"),
    };
    pairs(list).map(|version| name(version).into_bytes()).collect()
}

/// RFC 7301 section 3.1.
fn protocols(inside: &[u8]) -> Vec<Vec<u8>> {
    let mut at = Cursor::new(inside);
    std::iter::from_fn(|| at.counted8()).map(<[u8]>::to_vec).take(EXTENSIONS).collect()
}

/// RFC 9000 section 18: pairs of number and counted value.
fn user_agent<'a>(hello: &ClientHello<'a>) -> Option<&'a [u8]> {
    let mut at = Cursor::new(TRANSPORT_PARAMETERS.iter().find_map(|&kind| hello.extension(kind))?);
    loop {
        let number = varint(&mut at)?;
        let value = counted(&mut at)?;
        if number == GOOGLE_USER_AGENT {
            return Some(value);
        }
    }
}

/// Names of IANA's registry "TLS ExtensionType Values", as events show them.
const fn name(kind: u16) -> Option<&'static str> {
    Some(match kind {
        0 => "server_name",
        1 => "max_fragment_length",
        2 => "client_certificate_url",
        3 => "trusted_ca_keys",
        4 => "truncated_hmac",
        5 => "status_request",
        6 => "user_mapping",
        7 => "client_authz",
        8 => "server_authz",
        9 => "cert_type",
        10 => "supported_groups",
        11 => "ec_point_formats",
        12 => "srp",
        13 => "signature_algorithms",
        14 => "use_srtp",
        15 => "heartbeat",
        16 => "alpn",
        17 => "status_request_v2",
        18 => "signed_certificate_timestamp",
        19 => "client_certificate_type",
        20 => "server_certificate_type",
        21 => "padding",
        22 => "encrypt_then_mac",
        23 => "extended_master_secret",
        24 => "token_binding",
        25 => "cached_info",
        26 => "tls_lts",
        27 => "compress_certificate",
        28 => "record_size_limit",
        29 => "pwd_protect",
        30 => "pwd_clear",
        31 => "password_salt",
        32 => "ticket_pinning",
        33 => "tls_cert_with_extern_psk",
        34 => "delegated_credentials",
        35 => "session_ticket",
        36 => "tlmsp",
        37 => "tlmsp_proxying",
        38 => "tlmsp_delegate",
        39 => "supported_ekt_ciphers",
        41 => "pre_shared_key",
        42 => "early_data",
        43 => "supported_versions",
        44 => "cookie",
        45 => "psk_key_exchange_modes",
        47 => "certificate_authorities",
        48 => "oid_filters",
        49 => "post_handshake_auth",
        50 => "signature_algorithms_cert",
        51 => "key_share",
        52 => "transparency_info",
        53 => "connection_id_deprecated",
        54 => "connection_id",
        55 => "external_id_hash",
        56 => "external_session_id",
        57 => "quic_transport_parameters",
        58 => "ticket_request",
        59 => "dnssec_chain",
        13_172 => "next_protocol_negotiation",
        65_281 => "renegotiation_info",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_names_or_numbers() {
        let list = [6, 0x6a, 0x6a, 3, 4, 0x7f, 0x17];
        let words: Vec<String> =
            versions(&list).into_iter().map(|word| String::from_utf8(word).unwrap()).collect();
        assert_eq!(words, ["TlsVersion(27242 / 0x6a6a)", "Tls13", "Tls13Draft23"]);
        assert_eq!(versions(&[3, 3]), [b"Tls12".to_vec()]);
        assert!(versions(&[]).is_empty());
    }
}

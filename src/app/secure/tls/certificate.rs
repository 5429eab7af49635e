//! The first certificate of a chain, as events and rules see it (RFC 5280).

use parse::Anomaly;
use sha1::{Digest, Sha1};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Error};

use super::catalogue as of;

/// Most alternative names kept of one certificate.
const MOST_NAMES: usize = 1024;

/// What is told about a certificate.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) subject: String,
    pub(super) issuer: String,
    /// `00:97:E6:...`
    pub(super) serial: String,
    /// `3a:0b:3b:...`, SHA-1.
    pub(super) fingerprint: String,
    /// Seconds since 1970.
    pub(super) not_before: i64,
    /// Seconds since 1970.
    pub(super) not_after: i64,
    pub(super) names: Vec<String>,
}

impl Certificate {
    /// Reads DER; an anomaly says why it cannot.
    pub(super) fn parse(der: &[u8]) -> Result<Self, &'static Anomaly> {
        let (_, read) = X509Certificate::from_der(der).map_err(|error| reason(&error))?;
        Ok(Self {
            subject: read.subject().to_string(),
            issuer: read.issuer().to_string(),
            serial: joined_hex(read.raw_serial(), b"0123456789ABCDEF"),
            fingerprint: joined_hex(&Sha1::digest(der), b"0123456789abcdef"),
            not_before: read.validity().not_before.timestamp(),
            not_after: read.validity().not_after.timestamp(),
            names: alternative_names(&read),
        })
    }

    /// Heap bytes held.
    pub(super) fn held(&self) -> usize {
        let names: usize = self.names.iter().map(|name| name.capacity() + size_of::<String>()).sum();
        let texts = [&self.subject, &self.issuer, &self.serial, &self.fingerprint];
        size_of::<Self>() + names + texts.into_iter().map(String::capacity).sum::<usize>()
    }
}

fn alternative_names(read: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = read.subject_alternative_name() else { return Vec::new() };
    extension.value.general_names.iter().take(MOST_NAMES).map(name_text).collect()
}

/// Host names and addresses of resources stand alone, an IP address as its bytes, everything else says what it is.
fn name_text(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(text) | GeneralName::URI(text) => (*text).to_owned(),
        GeneralName::IPAddress(bytes) => format!("{bytes:?}"),
        other => other.to_string(),
    }
}

fn joined_hex(bytes: &[u8], digits: &[u8; 16]) -> String {
    let digit = |nibble: u8| digits.get(usize::from(nibble)).map_or('0', |&digit| char::from(digit));
    let mut text = String::with_capacity(bytes.len() * 3);
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            text.push(':');
        }
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0x0f));
    }
    text
}

fn reason(error: &x509_parser::nom::Err<X509Error>) -> &'static Anomaly {
    use x509_parser::nom::Err;
    match error {
        Err::Incomplete(_) => &of::CERTIFICATE_INVALID_LENGTH,
        Err::Error(inner) | Err::Failure(inner) => match inner {
            X509Error::InvalidVersion => &of::CERTIFICATE_INVALID_VERSION,
            X509Error::InvalidSerial => &of::CERTIFICATE_INVALID_SERIAL,
            X509Error::InvalidAlgorithmIdentifier => &of::CERTIFICATE_INVALID_ALGORITHMIDENTIFIER,
            X509Error::InvalidX509Name => &of::CERTIFICATE_INVALID_X509NAME,
            X509Error::InvalidDate => &of::CERTIFICATE_INVALID_DATE,
            X509Error::InvalidExtensions => &of::CERTIFICATE_INVALID_EXTENSIONS,
            X509Error::Der(_) => &of::CERTIFICATE_INVALID_DER,
            _ => &of::INVALID_CERTIFICATE,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_with_colons() {
        assert_eq!(joined_hex(&[0x00, 0x97, 0xe6], b"0123456789ABCDEF"), "00:97:E6");
        assert_eq!(joined_hex(&[], b"0123456789abcdef"), "");
    }

    #[test]
    fn bytes_that_are_no_certificate_have_a_reason() {
        assert_eq!(Certificate::parse(&[0x41; 10]).unwrap_err().name, "INVALID_CERTIFICATE");
        assert_eq!(Certificate::parse(&[0x30, 3, 5, 0, 0]).unwrap_err().name, "CERTIFICATE_INVALID_DER");
        assert!(Certificate::parse(&[]).is_err());
        assert!(Certificate::parse(&[0x30, 0x82, 0x05, 0x00]).is_err());
    }
}

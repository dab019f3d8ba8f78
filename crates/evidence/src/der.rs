//! As much of DER and PEM as public keys need.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// The content of the object identifier of RSA keys, 1.2.840.113549.1.1.1 (RFC 8017, appendix A.1),
/// with its tag and length.
const RSA: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
];

/// The `RSAPublicKey` of PKCS #1 in a key that is one, or that wraps one as `SubjectPublicKeyInfo`
/// (RFC 5280, section 4.1); `None` where the bytes are neither.
pub(crate) fn rsa_public_key(der: &[u8]) -> Option<&[u8]> {
    let (SEQUENCE, body, []) = element(der)? else {
        return None;
    };
    let (tag, first, rest) = element(body)?;
    match tag {
        INTEGER => {
            let (INTEGER, _, []) = element(rest)? else {
                return None;
            };
            Some(der)
        }
        SEQUENCE if first.starts_with(RSA) => {
            let (BIT_STRING, bits, []) = element(rest)? else {
                return None;
            };
            // The first byte says how many bits of the last one are not used.
            let (0, key) = bits.split_first()? else {
                return None;
            };
            // What is wrapped is not wrapped again.
            let (SEQUENCE, inner, []) = element(key)? else {
                return None;
            };
            (element(inner)?.0 == INTEGER).then_some(key)
        }
        _ => None,
    }
}

/// The tag, the content and what follows of the first element.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 | 0x82 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let length = length
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            (length, rest)
        }
        // A key is not longer than 64 KiB.
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// The DER of each block of a PEM file (RFC 7468) that is labelled as a public key.
pub(crate) fn pem(text: &str) -> Vec<Option<Vec<u8>>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let Some((label, after)) = after.split_once("-----") else {
            break;
        };
        let Some((body, after)) = after.split_once("-----END ") else {
            break;
        };
        rest = after;
        if label.ends_with("PUBLIC KEY") {
            let body: String = body.split_ascii_whitespace().collect();
            found.push(STANDARD.decode(body).ok());
        }
    }
    found
}

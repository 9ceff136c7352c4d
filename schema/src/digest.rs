//! SHA-256, as the lower-case hexadecimal text that every layer stores and compares.

use sha2::{Digest, Sha256};

/// The SHA-256 of `bytes` as 64 lower-case hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The first `digits` hexadecimal digits of the SHA-256 of `parts`, joined by a byte that none of them contains
/// (zero), so that `["ab", "c"]` and `["a", "bc"]` differ. Used to keep computed names short, stable and distinct.
#[must_use]
pub fn short_hash(parts: &[&str], digits: usize) -> String {
    let mut text = sha256_hex(parts.join("\0").as_bytes());
    text.truncate(digits);
    text
}

//! A value of user code, as the bytes that its codec made of it. The engine never looks inside.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// The bytes of a value of user code: JSON text in all our hosts. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Payload(Arc<[u8]>);

impl Payload {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// JSON's `null`: the payload of what carries no value.
    #[must_use]
    pub fn null() -> Self {
        Self(Arc::from(&b"null"[..]))
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match core::str::from_utf8(&self.0) {
            Ok(text) => f.write_str(text),
            Err(_) => write!(f, "{} bytes", self.0.len()),
        }
    }
}

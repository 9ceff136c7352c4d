//! What clients may send to executions: refused where it is sent, so that nothing that is too large is on its way to one.

use eventual_core::Payload;
use eventual_core::limits::{MESSAGE_NAME_MAX, PAYLOAD_MAX};

use crate::client::ClientError;

/// Whether a signal, update or query (`kind`) can have this name and payload.
pub(crate) fn message(kind: &str, name: &str, payload: &Payload) -> Result<(), ClientError> {
    if name.is_empty() || name.len() > MESSAGE_NAME_MAX {
        let bytes = name.len();
        return Err(ClientError::Name(format!(
            "the name of a {kind} has 1 to {MESSAGE_NAME_MAX} bytes, this one {bytes}"
        )));
    }
    payload_of(&format!("{kind} `{name}`"), payload)
}

/// Whether `what` can carry this payload.
pub(crate) fn payload_of(what: &str, payload: &Payload) -> Result<(), ClientError> {
    let bytes = payload.as_bytes().len();
    if bytes <= PAYLOAD_MAX {
        return Ok(());
    }
    Err(ClientError::Name(format!(
        "{what} has a payload of {bytes} bytes, the most is {PAYLOAD_MAX}: put it into a bucket, and where it is into the payload"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_told_with_its_number() {
        let told = |it: Result<(), ClientError>| it.unwrap_err().to_string();
        assert!(message("signal", "approved", &Payload::null()).is_ok());
        assert!(told(message("signal", &"x".repeat(101), &Payload::null())).contains("100"));
        assert!(told(message("query", "", &Payload::null())).contains("query"));
        let large = Payload::from(vec![b'1'; PAYLOAD_MAX + 1]);
        assert!(told(message("update", "add", &large)).contains("67108864"));
    }
}

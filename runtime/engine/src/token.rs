//! Tokens: who holds one may answer for one attempt of a task, from anywhere. Nobody can make one who does not know the
//! secret of the execution.
//!
//! A token is `base64url(what it stands for) "." base64url(HMAC-SHA256 of that with the execution's secret)`. It is a
//! password: neither it nor the secret is ever shown by `Debug`, in an error or in a log.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use eventual_core::{ExecutionId, Seq};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::ports::Clock;

/// What an execution's tokens are signed with: 128 bits that nobody can guess. Empty for executions that were started
/// before there were tokens, until their next turn.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// A new one.
    pub fn random(clock: &dyn Clock) -> Self {
        Self(format!("{:016x}{:016x}", clock.entropy(), clock.entropy()))
    }

    /// As it is stored.
    #[must_use]
    pub const fn from_text(text: String) -> Self {
        Self(text)
    }

    /// As it is stored.
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn mac(&self, signed: &str) -> Option<Hmac<Sha256>> {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok()?;
        Some(mac.chain_update(signed.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What a token stands for. It is worth something only when its signature is right.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) execution: ExecutionId,
    pub(crate) seq: Seq,
    pub(crate) attempt: u32,
    pub(crate) task: String,
    signature: Vec<u8>,
}

/// The text of a token on its way; not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenText(String);

impl TokenText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText")
    }
}

/// The task that a token claims to be for, whoever made it.
#[must_use]
pub fn task_of_token(text: &str) -> Option<String> {
    Token::read(text).map(|it| it.task)
}

/// Names the way in which tokens are written, so that another can follow.
const VERSION: &str = "1";

impl Token {
    /// The text of a token for an attempt; `None` when the execution has no secret.
    pub(crate) fn sign(
        secret: &Secret,
        execution: &ExecutionId,
        seq: Seq,
        attempt: u32,
        task: &str,
    ) -> Option<String> {
        if secret.is_empty() {
            return None;
        }
        let signed = signed(execution, seq, attempt, task);
        let signature = secret.mac(&signed)?.finalize().into_bytes();
        Some(format!("{}.{}", URL_SAFE_NO_PAD.encode(signed), URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Reads a token, whoever made it; `None` for what is no token at all.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (signed, signature) = text.trim().split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let signed = String::from_utf8(URL_SAFE_NO_PAD.decode(signed).ok()?).ok()?;
        let mut parts = signed.split('\n');
        let (version, execution) = (parts.next()?, parts.next()?);
        let (seq, attempt, task) = (parts.next()?, parts.next()?, parts.next()?);
        if version != VERSION || parts.next().is_some() {
            return None;
        }
        Some(Self {
            execution: ExecutionId::parse(execution).ok()?,
            seq: seq.parse().ok()?,
            attempt: attempt.parse().ok()?,
            task: task.to_owned(),
            signature,
        })
    }

    /// Whether it was signed with this secret. Takes as long for a wrong signature as for a right one.
    pub(crate) fn is_signed_with(&self, secret: &Secret) -> bool {
        let signed = signed(&self.execution, self.seq, self.attempt, &self.task);
        let mac = Some(secret).filter(|it| !it.is_empty()).and_then(|it| it.mac(&signed));
        mac.is_some_and(|it| it.verify_slice(&self.signature).is_ok())
    }
}

fn signed(execution: &ExecutionId, seq: Seq, attempt: u32, task: &str) -> String {
    format!("{VERSION}\n{execution}\n{seq}\n{attempt}\n{task}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_with_the_secret_is_right() {
        let (ours, other) = (Secret("0011".into()), Secret("0012".into()));
        let id = ExecutionId::new("order", "a:b@c+=").unwrap();
        let text = Token::sign(&ours, &id, 3, 2, "approve").unwrap();
        assert!(text.chars().all(|it| it.is_ascii_alphanumeric() || "-_.".contains(it)), "{text}");
        let token = Token::read(&text).unwrap();
        assert_eq!((&token.execution, token.seq, token.attempt, token.task.as_str()), (&id, 3, 2, "approve"));
        assert!(token.is_signed_with(&ours));
        assert!(!token.is_signed_with(&other) && !token.is_signed_with(&Secret::default()));
        // Another attempt, with the signature of this one.
        assert!(!Token { attempt: 3, ..token.clone() }.is_signed_with(&ours));
        let mut cut = token;
        cut.signature.pop();
        assert!(!cut.is_signed_with(&ours), "a part of the signature is not enough");
        assert_eq!(Token::sign(&Secret::default(), &id, 3, 2, "approve"), None);
        for nothing in ["", ".", "abc", "a.b", &text[2..], text.split_once('.').unwrap().0] {
            assert!(Token::read(nothing).is_none_or(|it| !it.is_signed_with(&ours)), "{nothing}");
        }
    }

    #[test]
    fn signatures_are_hmac_sha256() {
        // Test case 2 of RFC 4231: others can check our tokens.
        let mac = Secret("Jefe".into()).mac("what do ya want for nothing?").unwrap();
        let hex: String = mac.finalize().into_bytes().iter().map(|it| format!("{it:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret("0011".into())), "Secret");
    }
}

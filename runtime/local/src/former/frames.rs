//! What goes over the line between two programs, as bytes: a frame is a length and then parts, each of which has a length too.
//! Deliberately knows no meaning but texts, numbers and lists; what the parts are is said in `talk.rs` and `ask.rs`.
//!
//! What is read may come from any program, so nothing is taken for granted: a length is no reason to set memory aside.

use std::fmt::Display;
use std::io::{self, Read};
use std::str::FromStr;

/// Largest frame, in bytes: more than the largest history that a store answers with.
pub(crate) const FRAME_MAX: usize = 256 << 20;
/// Bytes of a length.
const LENGTH: usize = 4;

/// A frame that is being written.
#[derive(Clone, Debug)]
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    /// A frame whose first part says what it is.
    pub(crate) fn new(kind: &str) -> Self {
        Self(vec![0; LENGTH]).text(kind)
    }

    pub(crate) fn bytes(mut self, part: &[u8]) -> Self {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        self.0.extend(length.to_be_bytes());
        self.0.extend(part);
        self
    }

    pub(crate) fn text(self, part: &str) -> Self {
        self.bytes(part.as_bytes())
    }

    pub(crate) fn number(self, part: impl Display) -> Self {
        self.text(&part.to_string())
    }

    /// A part that may be absent.
    pub(crate) fn maybe(self, part: Option<impl AsRef<[u8]>>) -> Self {
        match part {
            Some(part) => self.text("some").bytes(part.as_ref()),
            None => self.text("none"),
        }
    }

    /// How many there are, then each of them.
    pub(crate) fn all(self, parts: impl ExactSizeIterator<Item = impl AsRef<[u8]>>) -> Self {
        let begun = self.number(parts.len());
        parts.fold(begun, |frame, part| frame.bytes(part.as_ref()))
    }

    /// The whole frame with its length, or how long it would be when nobody would read it.
    pub(crate) fn finish(self) -> Result<Vec<u8>, usize> {
        let Self(mut bytes) = self;
        let length = bytes.len() - LENGTH;
        let Some(small) = u32::try_from(length).ok().filter(|_| length <= FRAME_MAX) else {
            return Err(length);
        };
        bytes[..LENGTH].copy_from_slice(&small.to_be_bytes());
        Ok(bytes)
    }
}

/// The parts of a frame that are not read yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    pub(crate) const fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], String> {
        let short = || "a frame ends in the middle of a part".to_owned();
        let (length, rest) = self.0.split_first_chunk::<LENGTH>().ok_or_else(short)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|error| error.to_string())?;
        let (part, rest) = rest.split_at_checked(length).ok_or_else(short)?;
        self.0 = rest;
        Ok(part)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, String> {
        std::str::from_utf8(self.bytes()?).map_err(|error| error.to_string())
    }

    pub(crate) fn number<T: FromStr>(&mut self) -> Result<T, String> {
        let text = self.text()?;
        text.parse().map_err(|_| format!("{:?} is not the number that was expected", shown(text)))
    }

    /// What [`Frame::maybe`] wrote.
    pub(crate) fn maybe(&mut self) -> Result<Option<&'a [u8]>, String> {
        match self.text()? {
            "none" => Ok(None),
            "some" => self.bytes().map(Some),
            other => Err(format!("{:?} is neither `some` nor `none`", shown(other))),
        }
    }

    /// What [`Frame::all`] wrote, each read by `read`.
    pub(crate) fn all<T>(
        &mut self,
        mut read: impl FnMut(&'a [u8]) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let count: usize = self.number()?;
        (0..count).map(|_| read(self.bytes()?)).collect()
    }
}

/// The beginning of a text that may be long.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Reads the body of the next frame; `None` when the other side ended in order.
///
/// # Errors
/// When the other side ended within a frame, or sent what is none.
pub(crate) fn read(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let wrong = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
    let mut head = Vec::new();
    from.by_ref().take(LENGTH as u64).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(None);
    }
    let Ok(length) = <[u8; LENGTH]>::try_from(head.as_slice()) else {
        return Err(wrong("it ended within the length of a frame".to_owned()));
    };
    let length = u32::from_be_bytes(length);
    if length as usize > FRAME_MAX {
        let said = String::from_utf8_lossy(&head).into_owned();
        return Err(wrong(format!("{said:?} is not the beginning of a frame: it would have {length} bytes")));
    }
    let mut body = Vec::new();
    from.by_ref().take(u64::from(length)).read_to_end(&mut body)?;
    if body.len() < length as usize {
        return Err(wrong(format!("it ended after {} of {length} bytes of a frame", body.len())));
    }
    Ok(Some(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_parts() -> Vec<u8> {
        let frame = Frame::new("kind").number(7_u64).maybe(Some("")).maybe(None::<&str>);
        frame.all(["a", "", "\n"].iter()).finish().unwrap()
    }

    #[test]
    fn parts_are_read_as_they_were_written() {
        let mut bytes = &[all_parts(), all_parts()].concat()[..];
        for _ in 0..2 {
            let body = read(&mut bytes).unwrap().unwrap();
            let mut parts = Parts::new(&body);
            assert_eq!(parts.text(), Ok("kind"));
            assert_eq!(parts.number(), Ok(7_u64));
            assert_eq!((parts.maybe(), parts.maybe()), (Ok(Some(&b""[..])), Ok(None)));
            assert_eq!(parts.all(|it| Ok(it.to_vec())).unwrap(), [&b"a"[..], b"", b"\n"]);
            assert!(parts.bytes().is_err(), "there is nothing behind its end");
        }
        assert!(read(&mut bytes).unwrap().is_none());
    }

    #[test]
    fn what_ends_too_early_is_an_error_wherever_it_ends() {
        let whole = all_parts();
        for end in 1..whole.len() {
            let error = read(&mut &whole[..end]).unwrap_err().to_string();
            assert!(error.contains("ended"), "{end}: {error}");
        }
        let body = read(&mut &whole[..]).unwrap().unwrap();
        let read_all = |body: &[u8]| {
            let mut parts = Parts::new(body);
            parts.text()?;
            parts.number::<u64>()?;
            parts.maybe()?;
            parts.maybe()?;
            parts.all(|_| Ok(()))
        };
        assert!(read_all(&body).is_ok());
        for end in 0..body.len() {
            assert!(read_all(&body[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn garbage_is_an_error_and_takes_no_memory() {
        let error = read(&mut &b"running 0 tests"[..]).unwrap_err().to_string();
        assert!(error.contains("runn"), "{error}");
        // A part that says to be of 4 GB, and a list that says to have 2^64 - 1 members.
        assert!(Parts::new(&[0xff; 20]).bytes().is_err());
        let many = Frame::new("k").number(u64::MAX).finish().unwrap();
        let mut parts = Parts::new(&many[LENGTH..]);
        assert!(parts.text().is_ok() && parts.all(|_| Ok(())).is_err());
        let mut parts = Parts::new(&many[LENGTH..]);
        assert!(parts.number::<u64>().unwrap_err().contains("\"k\""));
        assert!(Parts::new(&many[LENGTH..]).maybe().is_err());
    }

    #[test]
    fn a_frame_that_nobody_would_read_is_not_sent() {
        let large = Frame::new("k").bytes(&vec![0; FRAME_MAX]);
        assert!(large.finish().unwrap_err() > FRAME_MAX);
    }
}

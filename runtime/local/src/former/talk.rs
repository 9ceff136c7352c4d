//! What the program that serves and a former program say to each other. The calls that the former makes on the store and on
//! deliveries are in `ask.rs`.
//!
//! | from the former | |
//! |---|---|
//! | `hello` protocol | first of all, by which the other sees whether they understand each other |
//! | `ready`, `failed` why | it has built its states, or could not |
//! | `ask` forward call ... | a call on a port, made for a forward, or for none (0) |
//! | `done` forward ... | what came of a forward |
//!
//! | to the former | |
//! |---|---|
//! | `begin` code twins | who it is, and how many instances take a turn |
//! | `forward` number until ... | handle a message or answer a query, and begin nothing more after `until` |
//! | `reply` call ... | what came of a call |
//! | `abandon` forward | nobody waits for it any more |
//!
//! Whoever reads leaves the parts that it does not know at the end of a frame, so that later releases may add some; everything else
//! that changes is another [`PROTOCOL`].

use eventual_core::Millis;
use eventual_engine::codec::{self, ForwardMessage};
use eventual_engine::ports::{Fault, Forwarded};

use super::ask::{Ask, Reply};
use super::frames::{Frame, Parts, shown};

/// The version of all this.
pub(crate) const PROTOCOL: u32 = 1;

/// What the former says.
#[derive(Debug)]
pub(crate) enum Up {
    Ask { forward: u64, call: u64, ask: Ask },
    Done { forward: u64, answer: Result<Forwarded, Fault> },
    Failed(String),
    Hello(u32),
    Ready,
}

/// What it is told.
#[derive(Debug)]
pub(crate) enum Down {
    Abandon(u64),
    Begin { code: String, twins: u32 },
    Forward { number: u64, until: Millis, message: ForwardMessage },
    Reply { call: u64, reply: Result<Reply, Fault> },
}

impl Up {
    pub(crate) fn encode(&self) -> Result<Vec<u8>, usize> {
        let frame = match self {
            Self::Ask { forward, call, ask } => ask.encode(Frame::new("ask").number(forward).number(call)),
            Self::Done { forward, answer: Ok(answer) } => {
                Frame::new("done").number(forward).text("ok").text(&codec::encode_forwarded(answer))
            }
            Self::Done { forward, answer: Err(fault) } => {
                encode_fault(Frame::new("done").number(forward), fault)
            }
            Self::Failed(why) => Frame::new("failed").text(why),
            Self::Hello(protocol) => Frame::new("hello").number(protocol),
            Self::Ready => Frame::new("ready"),
        };
        frame.finish()
    }

    /// Reads what [`Up::encode`] wrote.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, String> {
        let mut parts = Parts::new(body);
        Ok(match parts.text()? {
            "ask" => {
                let (forward, call) = (parts.number()?, parts.number()?);
                Self::Ask { forward, call, ask: Ask::decode(&mut parts)? }
            }
            "done" => {
                let forward = parts.number()?;
                let read = |it: &mut Parts<'_>| {
                    codec::decode_forwarded(it.bytes()?).map_err(|error| error.to_string())
                };
                Self::Done { forward, answer: decode_result(&mut parts, read)? }
            }
            "failed" => Self::Failed(parts.text()?.to_owned()),
            "hello" => Self::Hello(parts.number()?),
            "ready" => Self::Ready,
            other => return Err(format!("{:?} is nothing that a former program says", shown(other))),
        })
    }
}

impl Down {
    pub(crate) fn encode(&self) -> Result<Vec<u8>, usize> {
        let frame = match self {
            Self::Abandon(forward) => Frame::new("abandon").number(forward),
            Self::Begin { code, twins } => Frame::new("begin").text(code).number(twins),
            Self::Forward { number, until, message } => {
                let begun = Frame::new("forward").number(number).number(until);
                begun.text(&codec::encode_forward(message))
            }
            Self::Reply { call, reply: Ok(reply) } => {
                reply.encode(Frame::new("reply").number(call).text("ok"))
            }
            Self::Reply { call, reply: Err(fault) } => encode_fault(Frame::new("reply").number(call), fault),
        };
        frame.finish()
    }

    /// Reads what [`Down::encode`] wrote.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, String> {
        let mut parts = Parts::new(body);
        Ok(match parts.text()? {
            "abandon" => Self::Abandon(parts.number()?),
            "begin" => Self::Begin { code: parts.text()?.to_owned(), twins: parts.number()? },
            "forward" => {
                let (number, until) = (parts.number()?, parts.number()?);
                let message = codec::decode_forward(parts.bytes()?).map_err(|error| error.to_string())?;
                Self::Forward { number, until, message }
            }
            "reply" => {
                let call = parts.number()?;
                Self::Reply { call, reply: decode_result(&mut parts, Reply::decode)? }
            }
            other => return Err(format!("{:?} is nothing that a former program is told", shown(other))),
        })
    }
}

fn encode_fault(frame: Frame, fault: &Fault) -> Frame {
    frame.text("fault").text(&fault.operation).text(&fault.source.to_string())
}

fn decode_result<T>(
    parts: &mut Parts<'_>,
    read: impl FnOnce(&mut Parts<'_>) -> Result<T, String>,
) -> Result<Result<T, Fault>, String> {
    match parts.text()? {
        "ok" => read(parts).map(Ok),
        "fault" => Ok(Err(Fault::new(parts.text()?, parts.text()?.to_owned()))),
        other => Err(format!("{:?} is neither `ok` nor `fault`", shown(other))),
    }
}

#[cfg(test)]
mod tests {
    use eventual_core::{ExecutionId, Outcome};
    use eventual_engine::ports::{Forward, Message};

    use super::*;

    /// What is written and read, as text; and that every end before the whole is an error.
    fn again<T: std::fmt::Debug>(frame: &[u8], decode: fn(&[u8]) -> Result<T, String>) -> String {
        let body = &frame[4..];
        for end in 0..body.len() {
            assert!(decode(&body[..end]).is_err(), "{end} bytes of {frame:?}");
        }
        // A later release may say more.
        let more = [body, &[0, 0, 0, 1, b'x']].concat();
        assert_eq!(format!("{:?}", decode(&more).unwrap()), format!("{:?}", decode(body).unwrap()));
        format!("{:?}", decode(body).unwrap())
    }

    fn fault() -> Fault {
        Fault::new("write", "the disk is full")
    }

    #[test]
    fn everything_that_is_said_is_understood() {
        let id = ExecutionId::new("w", "n").unwrap();
        let answer = Ok(Forwarded::Answered(Ok(Outcome::Succeeded("{\"a\":\n1}".into()))));
        let ups = [
            Up::Ask { forward: 0, call: 2, ask: Ask::Meta(id.clone()) },
            Up::Done { forward: 3, answer },
            Up::Done { forward: 3, answer: Err(fault()) },
            Up::Failed("no database".into()),
            Up::Hello(PROTOCOL),
            Up::Ready,
        ];
        for up in ups {
            assert_eq!(again(&up.encode().unwrap(), Up::decode), format!("{up:?}"));
        }
        let forward = Forward::Wake { message: Message::default(), redelivered: true };
        let message = ForwardMessage { execution: id, code: "c".into(), forward };
        let downs = [
            Down::Abandon(4),
            Down::Begin { code: "c".into(), twins: 2 },
            Down::Forward { number: 5, until: 6, message },
            Down::Reply { call: 7, reply: Ok(Reply::Done) },
            Down::Reply { call: 7, reply: Err(fault()) },
        ];
        for down in downs {
            assert_eq!(again(&down.encode().unwrap(), Down::decode), format!("{down:?}"));
        }
    }

    #[test]
    fn what_nobody_says_is_refused_by_name() {
        let unknown = Frame::new("sing").finish().unwrap();
        assert!(Up::decode(&unknown[4..]).unwrap_err().contains("sing"));
        assert!(Down::decode(&unknown[4..]).unwrap_err().contains("sing"));
        let ask = Frame::new("ask").number(1_u8).number(2_u8).text("store.drop").finish().unwrap();
        assert!(Up::decode(&ask[4..]).unwrap_err().contains("store.drop"));
        let done = Frame::new("done").number(1_u8).text("perhaps").finish().unwrap();
        assert!(Up::decode(&done[4..]).unwrap_err().contains("perhaps"));
    }
}

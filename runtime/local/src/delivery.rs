//! What is on its way, and how it is written down in the store's queue: one letter for the kind, then lines.

use eventual_core::{Emitted, ExecutionId, Payload};
use eventual_engine::codec;
use eventual_engine::ports::{Message, TaskRequest};

/// Something that is on its way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Delivery {
    /// An event to one subscription, and how often it was tried.
    Event { subscription: String, event: Emitted, tried: u32 },
    /// The end of a closed execution's retention.
    Expire(ExecutionId),
    /// An attempt to a worker.
    Task(Box<TaskRequest>),
    /// A message to an execution.
    Wake(ExecutionId, Message),
}

impl Delivery {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let text = match self {
            Self::Event { subscription, event, tried } => {
                let payload = String::from_utf8_lossy(event.payload.as_bytes());
                format!("e{tried}\n{subscription}\n{}\n{payload}", event.name)
            }
            Self::Expire(id) => format!("x{id}"),
            Self::Task(request) => format!("t{}", codec::encode_task(request)),
            Self::Wake(id, message) => format!("w{id}\n{}", codec::encode_message(message)),
        };
        text.into_bytes()
    }

    /// Reads what [`Delivery::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let short = || "a delivery with too few lines".to_owned();
        let id = |text: &str| ExecutionId::parse(text).map_err(|error| error.to_string());
        let (kind, rest) = text.split_at_checked(1).ok_or_else(short)?;
        match kind {
            "e" => {
                let mut lines = rest.splitn(4, '\n');
                let mut line = || lines.next().ok_or_else(short);
                let tried = line()?.parse().map_err(|_| "no number of tries".to_owned())?;
                let subscription = line()?.to_owned();
                let event = Emitted { name: line()?.to_owned(), payload: Payload::from(line()?) };
                Ok(Self::Event { subscription, event, tried })
            }
            "t" => {
                let request = codec::decode_task(rest.as_bytes()).map_err(|error| error.to_string())?;
                Ok(Self::Task(Box::new(request)))
            }
            "w" => {
                let (name, message) = rest.split_once('\n').ok_or_else(short)?;
                let message = codec::decode_message(message.as_bytes()).map_err(|error| error.to_string())?;
                Ok(Self::Wake(id(name)?, message))
            }
            "x" => Ok(Self::Expire(id(rest)?)),
            other => Err(format!("{other:?} is no kind of delivery")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_are_read_as_they_were_written() {
        let id = ExecutionId::new("w", "n").unwrap();
        let event = Emitted { name: "Created".into(), payload: "{\"text\":\"a\\nb\"}".into() };
        let all = [
            Delivery::Event { subscription: "s".into(), event, tried: 2 },
            Delivery::Expire(id.clone()),
            Delivery::Wake(id, Message::default()),
        ];
        for delivery in all {
            assert_eq!(Delivery::decode(&delivery.encode()), Ok(delivery));
        }
        assert!(Delivery::decode(b"").is_err() && Delivery::decode(b"q").is_err());
    }
}

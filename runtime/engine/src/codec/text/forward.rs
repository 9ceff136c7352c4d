//! The shapes of what is asked of a process that runs other code, and of its answers.

use eventual_core::Outcome;
use serde::{Deserialize, Serialize};

use super::super::ForwardMessage;
use super::messages::MessageText;
use super::outcomes::OutcomeText;
use super::{Raw, payload, raw};
use crate::ports::{Forward, Forwarded, Message};

#[derive(Serialize, Deserialize)]
pub(in crate::codec) struct ForwardText {
    execution: String,
    code: String,
    forward: AskedText,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum AskedText {
    Query { name: String, input: Raw },
    Wake { message: MessageText, redelivered: bool },
}

impl From<&ForwardMessage> for ForwardText {
    fn from(it: &ForwardMessage) -> Self {
        let forward = match &it.forward {
            Forward::Query { name, input } => AskedText::Query { name: name.clone(), input: raw(input) },
            Forward::Wake { message, redelivered } => {
                AskedText::Wake { message: message.into(), redelivered: *redelivered }
            }
        };
        Self { execution: it.execution.to_string(), code: it.code.clone(), forward }
    }
}

impl TryFrom<ForwardText> for ForwardMessage {
    type Error = String;
    fn try_from(text: ForwardText) -> Result<Self, String> {
        let forward = match text.forward {
            AskedText::Query { name, input } => Forward::Query { name, input: payload(&input) },
            AskedText::Wake { message, redelivered } => {
                Forward::Wake { message: Message::try_from(message)?, redelivered }
            }
        };
        Ok(Self { execution: super::id(&text.execution)?, code: text.code, forward })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::codec) enum ForwardedText {
    Answered(OutcomeText),
    Handled,
    NoSuchCode,
    Unanswered(String),
}

impl From<&Forwarded> for ForwardedText {
    fn from(it: &Forwarded) -> Self {
        match it {
            Forwarded::Answered(Ok(outcome)) => Self::Answered(outcome.into()),
            Forwarded::Answered(Err(why)) => Self::Unanswered(why.clone()),
            Forwarded::Handled => Self::Handled,
            Forwarded::NoSuchCode => Self::NoSuchCode,
        }
    }
}

impl From<ForwardedText> for Forwarded {
    fn from(text: ForwardedText) -> Self {
        match text {
            ForwardedText::Answered(outcome) => Self::Answered(Ok(Outcome::from(outcome))),
            ForwardedText::Handled => Self::Handled,
            ForwardedText::NoSuchCode => Self::NoSuchCode,
            ForwardedText::Unanswered(why) => Self::Answered(Err(why)),
        }
    }
}

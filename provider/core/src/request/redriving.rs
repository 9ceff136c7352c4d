//! Redriving dead letters: each message of a dead-letter queue goes back to where it came from, and only then away.
//!
//! Where that is stands in the message: Scheduler and EventBridge write it into attributes, Lambda into the body. Delivery
//! is at least once, as everything of a service is.

use std::collections::BTreeSet;

use super::lookup::{Looker, Service, refused};
use super::{Control, Said};
use crate::diagnostic::Diagnostic;
use crate::operations::Letter;
use crate::path::Path;
use crate::value::Value;

/// Largest limit.
const LIMIT_MAX: f64 = 1_000_000.0;
/// Messages after which it is said how far it is.
const SAY_EVERY: u64 = 25;

/// Which dead letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    /// Messages to executions.
    Workflows,
    /// Timers, events, the relay.
    Other,
}

impl Which {
    const ALL: [Self; 2] = [Self::Workflows, Self::Other];

    const fn name(self) -> &'static str {
        match self {
            Self::Workflows => "workflows",
            Self::Other => "other",
        }
    }
}

fn chosen(config: &Value) -> Result<Vec<Which>, Diagnostic> {
    let Some(name) = config.get("queue").as_str() else { return Ok(Which::ALL.to_vec()) };
    let found: Vec<Which> = Which::ALL.into_iter().filter(|it| it.name() == name).collect();
    if found.is_empty() {
        let detail = format!("{name:?} is neither \"workflows\" nor \"other\".");
        return Err(Diagnostic::error("Invalid value", detail).at(Path::of("queue")));
    }
    Ok(found)
}

fn limit(config: &Value) -> Result<Option<u64>, Diagnostic> {
    let Some(number) = config.get("limit").as_f64() else { return Ok(None) };
    if number.fract() != 0.0 || !(1.0..=LIMIT_MAX).contains(&number) {
        let detail = format!("{number} is not a whole number from 1 to {LIMIT_MAX}.");
        return Err(Diagnostic::error("Invalid value", detail).at(Path::of("limit")));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    Ok(Some(number as u64))
}

/// What is wrong with the configuration.
pub(super) fn validate(config: &Value) -> Vec<Diagnostic> {
    [chosen(config).err(), limit(config).err()].into_iter().flatten().collect()
}

/// Where a message goes.
#[derive(Debug, PartialEq, Eq)]
enum Destination {
    /// To the queue of this name, as it is.
    Queue(String),
    /// To the function of this ARN, with this payload.
    Function(String, String),
    /// Nowhere: what it tells of is gone.
    Nowhere,
}

fn destination(service: &Service, which: Which, letter: &Letter) -> Destination {
    let names = service.place.names();
    if which == Which::Workflows {
        return Destination::Queue(names.workflow_queue());
    }
    // EventBridge and Scheduler say whom they could not reach.
    if let Some(target) = letter.attributes.get("TARGET_ARN") {
        return match target.split(':').nth(2) {
            Some("lambda") => Destination::Function(target.clone(), letter.body.clone()),
            _ => Destination::Queue(names.timer_queue()),
        };
    }
    let body: serde_json::Value = serde_json::from_str(&letter.body).unwrap_or_default();
    if body.get("DDBStreamBatchInfo").is_some() {
        return Destination::Nowhere;
    }
    match (body["requestContext"]["functionArn"].as_str(), body.get("requestPayload")) {
        (Some(function), Some(payload)) => Destination::Function(function.to_owned(), payload.to_string()),
        _ => Destination::Queue(names.timer_queue()),
    }
}

/// What became of the letters of one queue.
#[derive(Default)]
struct Tally {
    delivered: u64,
    left: u64,
}

pub(super) async fn redrive(
    looker: &Looker<'_>,
    config: &Value,
    control: &Control,
    said: Said<'_>,
) -> Result<(), Diagnostic> {
    let (which, limit) = (chosen(config)?, limit(config)?);
    let service = looker.service(config, "service").await?;
    let mut open = limit;
    for which in which {
        let names = service.place.names();
        let queue = match which {
            Which::Workflows => names.workflow_dead_letter_queue(),
            Which::Other => names.dead_letter_queue(),
        };
        let depth = looker.operations.depth(&queue).await;
        let Some(depth) = depth.map_err(|error| refused(&format!("look into {queue}"), &error))? else {
            continue;
        };
        let most = open.unwrap_or(depth).min(depth);
        said(format!("{queue} holds {depth} messages"));
        let tally = empty(looker, &service, which, &queue, most, control, said).await?;
        open = open.map(|open| open - tally.delivered);
        let left = match tally.left {
            0 => String::new(),
            left => format!("; {left} tell of a stream that has gone on, and stay"),
        };
        said(format!("{queue}: {} redriven{left}", tally.delivered));
    }
    Ok(())
}

async fn empty(
    looker: &Looker<'_>,
    service: &Service,
    which: Which,
    queue: &str,
    most: u64,
    control: &Control,
    said: Said<'_>,
) -> Result<Tally, Diagnostic> {
    let (mut tally, mut seen) = (Tally::default(), BTreeSet::new());
    while tally.delivered < most {
        let letters = looker.operations.receive(queue, most - tally.delivered).await;
        let letters = letters.map_err(|error| refused(&format!("receive from {queue}"), &error))?;
        let new: Vec<Letter> = letters.into_iter().filter(|it| seen.insert(it.id.clone())).collect();
        if new.is_empty() {
            break;
        }
        for letter in new {
            if control.is_cancelled() || tally.delivered == most {
                return Ok(tally);
            }
            let sent = match destination(service, which, &letter) {
                Destination::Queue(name) => looker.operations.send(&name, &letter).await,
                Destination::Function(arn, payload) => looker.operations.enqueue(&arn, &payload).await,
                Destination::Nowhere => {
                    tally.left += 1;
                    continue;
                }
            };
            sent.map_err(|error| refused(&format!("redrive a message of {queue}"), &error))?;
            let gone = looker.operations.discard(queue, &letter).await;
            gone.map_err(|error| refused(&format!("remove a redriven message of {queue}"), &error))?;
            tally.delivered += 1;
            if tally.delivered % SAY_EVERY == 0 {
                said(format!("{queue}: {} of {most} redriven", tally.delivered));
            }
        }
    }
    Ok(tally)
}

#[cfg(test)]
#[path = "redriving/tests.rs"]
mod tests;

//! Where dead letters go, by what stands in them.

use std::collections::BTreeMap;

use super::super::lookup::Service;
use super::*;
use crate::cloud::{Identity, Ownership, Progress};
use crate::desired::Place;
use crate::state::State;

fn service() -> Service {
    let identity = Identity { account: "1".to_owned(), region: "r".to_owned(), partition: "aws".to_owned() };
    let record = Ownership {
        owner: String::new(),
        incarnation: String::new(),
        service: "shop".to_owned(),
        claimant: String::new(),
        holder: String::new(),
        since_s: 0,
        writer: String::new(),
        progress: Progress::Complete,
        beat: 0,
        children: BTreeMap::new(),
        inputs: Value::Null,
    };
    Service { place: Place::new("shop", &identity), record, state: State::default(), artifact: None }
}

fn letter(body: &str, target: Option<&str>) -> Letter {
    let attributes = target.map(|arn| ("TARGET_ARN".to_owned(), arn.to_owned())).into_iter().collect();
    Letter { body: body.to_owned(), attributes, ..Letter::default() }
}

#[test]
fn a_dead_letter_goes_back_to_where_it_came_from() {
    let to = |which, letter: &Letter| destination(&service(), which, letter);
    let function = "arn:aws:lambda:r:1:function:shop-subscription-noted:live";
    let workflows = to(Which::Workflows, &letter("{}", None));
    assert_eq!(workflows, Destination::Queue("shop-workflows.fifo".to_owned()));
    assert_eq!(to(Which::Other, &letter("{}", None)), Destination::Queue("shop-timers".to_owned()));
    let timer = letter("{}", Some("arn:aws:sqs:r:1:shop-timers"));
    assert_eq!(to(Which::Other, &timer), Destination::Queue("shop-timers".to_owned()));
    let event = letter("{\"detail\":1}", Some(function));
    let expected = Destination::Function(function.to_owned(), "{\"detail\":1}".to_owned());
    assert_eq!(to(Which::Other, &event), expected);
    let failed =
        format!(r#"{{"requestContext":{{"functionArn":"{function}"}},"requestPayload":{{"detail":2}}}}"#);
    let expected = Destination::Function(function.to_owned(), "{\"detail\":2}".to_owned());
    assert_eq!(to(Which::Other, &letter(&failed, None)), expected);
    let batch = r#"{"requestContext":{"functionArn":"x"},"DDBStreamBatchInfo":{"shardId":"s"}}"#;
    assert_eq!(to(Which::Other, &letter(batch, None)), Destination::Nowhere);
}

#[test]
fn what_is_asked_is_checked() {
    let config =
        |name: &'static str, value: Value| Value::map([("service", Value::from("shop")), (name, value)]);
    assert_eq!(validate(&config("limit", Value::Number(5.0))), []);
    for (name, value) in
        [("limit", Value::Number(0.0)), ("limit", Value::Number(1.5)), ("queue", Value::from("dead"))]
    {
        let wrong = validate(&config(name, value));
        assert_eq!(wrong[0].path, Some(Path::of(name)), "{wrong:?}");
    }
}

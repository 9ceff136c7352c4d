//! Event bus -> subscription. An error fails the invocation, so that Lambda tries again and then keeps the event in the
//! dead-letter queue.

use eventual_core::{Outcome, Payload};
use eventual_schema::FunctionKind;

use crate::host::Host;
use crate::refusal::Refusal;
use crate::wire::bus;

pub(crate) async fn handle(host: &Host, event: &str) -> Result<(), Refusal> {
    let event = bus::delivered(event)?;
    let mut reactions =
        host.handlers(FunctionKind::Subscription).filter_map(|name| host.manifest.subscription(name));
    let Some(subscription) = reactions.find(|it| it.event.as_str() == event.name) else {
        let function = &host.config.function.name;
        return Err(Refusal::misrouted(format!(
            "{function} has no subscription to event {:?} (delivery {})",
            event.name, event.id
        )));
    };
    let name = subscription.name.as_str();
    let failed =
        |what: String| Err(Refusal::failed(format!("subscription {name} on delivery {}: {what}", event.id)));
    match host.engine.react(name, Payload::from(event.payload())).await {
        Outcome::Succeeded(_) => Ok(()),
        Outcome::Failed(failure) => failed(format!("{}: {}", failure.class, failure.message)),
        Outcome::Crashed(reason) => failed(format!("crashed: {reason}")),
        Outcome::Terminated(reason) => failed(format!("terminated: {reason}")),
        Outcome::TimedOut | Outcome::HeartbeatLost => failed("ran out of time".to_owned()),
        Outcome::Cancelled => failed("was cancelled".to_owned()),
    }
}

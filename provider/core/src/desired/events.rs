//! The event bus, and a rule for each subscription.

use serde_json::json;

use super::Graph;
use super::engine::DEAD;
use crate::resource::{BusSpec, PermissionSpec, RuleSpec, Spec};

pub(super) const BUS: &str = "bus";

pub(super) fn add(graph: &mut Graph<'_>) {
    let inputs = graph.inputs;
    let place = inputs.place;
    let bus = place.names().event_bus();
    graph.add(BUS, bus.clone(), Some(place.bus_arn()), Spec::Bus(BusSpec {}), &[]);
    for subscription in &inputs.manifest.subscriptions {
        let function = format!("subscription-{}", subscription.name);
        let name = place.names().rule(subscription.name.as_str());
        let arn = place.rule_arn(&name);
        let permission = PermissionSpec {
            function: place.names().function(&function),
            principal: "events.amazonaws.com".to_owned(),
            source_arn: arn.clone().into(),
        };
        let (function_key, permission_key) =
            (format!("function/{function}"), format!("permission/{function}"));
        graph.add(&permission_key, "events".to_owned(), None, Spec::Permission(permission), &[&function_key]);
        let pattern = json!({"source": [place.service()], "detail-type": [subscription.event.as_str()]});
        let rule = RuleSpec {
            bus: bus.clone(),
            pattern: pattern.to_string(),
            target: place.alias_arn(&function),
            dead_letters: place.queue_arn(&place.names().dead_letter_queue()),
        };
        let key = format!("rule/{}", subscription.name);
        graph.add(&key, name, Some(arn), Spec::Rule(rule), &[BUS, DEAD, &permission_key]);
    }
}

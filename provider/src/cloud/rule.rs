//! Rules of the bus, each with its one target.

use aws_sdk_eventbridge::types::{DeadLetterConfig, RuleState, Target};
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner};
use eventual_provider_core::resource::{Resource, RuleSpec, policy_digest};
use eventual_provider_core::state::Recorded;

use super::bus::sdk_tags;
use super::{AwsCloud, gone, malformed, present, tags};

/// Id of the target within the rule.
const TARGET: &str = "function";

impl AwsCloud {
    pub(super) async fn ensure_rule(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &RuleSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let arn = resource.arn.clone().unwrap_or_default();
        let wanted = tags::wanted(owner, resource);
        let mut put = self
            .events
            .put_rule()
            .name(&resource.name)
            .event_bus_name(&spec.bus)
            .event_pattern(&spec.pattern)
            .state(RuleState::Enabled);
        // The bus is ours, and so is a rule on it; AWS refuses tags for a rule that is there.
        let there = if recorded.is_some() { present(self.event_tags(&arn).await)? } else { None };
        match &there {
            Some(there) => self.tag_event(&arn, there, &wanted).await?,
            None => put = put.set_tags(Some(sdk_tags(&wanted)?)),
        }
        self.call("events PutRule", put.send()).await?;
        let target = Target::builder()
            .id(TARGET)
            .arn(&spec.target)
            .dead_letter_config(DeadLetterConfig::builder().arn(&spec.dead_letters).build())
            .build()
            .map_err(|error| malformed("events PutTargets", error))?;
        let put = self.events.put_targets().rule(&resource.name).event_bus_name(&spec.bus).targets(target);
        let answer = self.call("events PutTargets", put.send()).await?;
        if let Some(failed) = answer.failed_entries().first() {
            let message = failed.error_message().unwrap_or_default();
            return Err(CloudError {
                code: failed.error_code().unwrap_or_default().to_owned(),
                ..malformed("events PutTargets", message)
            });
        }
        Ok(Made { arn, attributes: [("bus".to_owned(), spec.bus.clone())].into() })
    }

    /// EventBridge refuses to delete a rule that has targets.
    pub(super) async fn delete_rule(&self, recorded: &Recorded) -> Result<(), CloudError> {
        let (name, bus) = (&recorded.name, recorded.attribute("bus"));
        let list = self.events.list_targets_by_rule().rule(name).event_bus_name(bus);
        let Some(targets) = present(self.call("events ListTargetsByRule", list.send()).await)? else {
            return Ok(());
        };
        let ids: Vec<String> = targets.targets().iter().map(|target| target.id().to_owned()).collect();
        if !ids.is_empty() {
            let remove = self.events.remove_targets().rule(name).event_bus_name(bus).set_ids(Some(ids));
            gone(self.call("events RemoveTargets", remove.send()).await)?;
        }
        gone(
            self.call("events DeleteRule", self.events.delete_rule().name(name).event_bus_name(bus).send())
                .await,
        )
    }

    pub(super) async fn describe_rule(&self, recorded: &Recorded) -> Result<Option<Observed>, CloudError> {
        let (name, bus) = (&recorded.name, recorded.attribute("bus"));
        let describe = self.events.describe_rule().name(name).event_bus_name(bus);
        let Some(rule) = present(self.call("events DescribeRule", describe.send()).await)? else {
            return Ok(None);
        };
        let list = self.events.list_targets_by_rule().rule(name).event_bus_name(bus);
        let targets = present(self.call("events ListTargetsByRule", list.send()).await)?;
        let target = targets.iter().flat_map(|it| it.targets()).find(|it| it.id() == TARGET);
        let enabled = rule.state() != Some(&RuleState::Disabled);
        let pattern = if enabled {
            policy_digest(rule.event_pattern().unwrap_or_default())
        } else {
            "disabled".to_owned()
        };
        let settings = [
            ("pattern".to_owned(), pattern),
            ("target".to_owned(), target.map(|it| it.arn().to_owned()).unwrap_or_default()),
        ];
        Ok(Some(Observed { settings: settings.into(), ..Observed::default() }))
    }
}

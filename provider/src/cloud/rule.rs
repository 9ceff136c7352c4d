//! Rules of the bus, each with its one target.

use aws_sdk_eventbridge::types::{DeadLetterConfig, RuleState, Target};
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner};
use eventual_provider_core::resource::settings::{self, policy_digest};
use eventual_provider_core::resource::{Resource, RuleSpec};
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
        if recorded.is_some_and(|it| it.fingerprint.is_empty()) {
            // Somebody changed it, perhaps by a target of their own.
            let others = self.targets(&resource.name, &spec.bus).await?.into_iter().map(|it| it.id);
            self.remove_targets(&resource.name, &spec.bus, others.filter(|id| id != TARGET).collect())
                .await?;
        }
        Ok(Made { arn, attributes: [("bus".to_owned(), spec.bus.clone())].into() })
    }

    /// EventBridge refuses to delete a rule that has targets.
    pub(super) async fn delete_rule(&self, recorded: &Recorded) -> Result<(), CloudError> {
        let (name, bus) = (&recorded.name, recorded.attribute("bus"));
        let ids = self.targets(name, bus).await?.into_iter().map(|target| target.id).collect();
        self.remove_targets(name, bus, ids).await?;
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
        let targets = self.targets(name, bus).await?;
        let tags = present(self.event_tags(&recorded.arn).await)?.unwrap_or_default();
        let mut targets: Vec<String> = targets.iter().map(described).collect();
        targets.sort();
        Ok(Some(Observed::of([
            ("pattern", policy_digest(rule.event_pattern().unwrap_or_default())),
            ("state", rule.state().map_or("", |it| it.as_str()).to_owned()),
            ("targets", targets.join(",")),
            ("tags", tags::digest(&tags)),
        ])))
    }

    /// The targets of a rule; none when it is not there.
    async fn targets(&self, rule: &str, bus: &str) -> Result<Vec<Target>, CloudError> {
        let list = self.events.list_targets_by_rule().rule(rule).event_bus_name(bus);
        let answer = present(self.call("events ListTargetsByRule", list.send()).await)?;
        Ok(answer.and_then(|it| it.targets).unwrap_or_default())
    }

    async fn remove_targets(&self, rule: &str, bus: &str, ids: Vec<String>) -> Result<(), CloudError> {
        if ids.is_empty() {
            return Ok(());
        }
        let remove = self.events.remove_targets().rule(rule).event_bus_name(bus).set_ids(Some(ids));
        gone(self.call("events RemoveTargets", remove.send()).await)
    }
}

/// A target that is there, in the form of the setting `targets`.
fn described(target: &Target) -> String {
    let dead = target.dead_letter_config().and_then(|it| it.arn()).unwrap_or_default();
    let plain = settings::rule_target(target.arn(), dead);
    let shaped = target.input().or(target.input_path()).is_some() || target.input_transformer().is_some();
    // Ours gives the event as it is, and is tried as often as AWS does by default.
    if shaped || target.retry_policy().is_some() { format!("{plain}, changed on the way") } else { plain }
}

//! What happens in the cloud outside of any engine, and whether anything is left there in the end.

use eventual_provider::connect;
use eventual_provider::ports::Session;
use eventual_provider_core::cloud::Owner;
use eventual_provider_core::config::{ProviderConfig, Setting};
use eventual_provider_core::resource::Kind;
use eventual_provider_core::state::{Recorded, owner_of};
use eventual_schema::deploy::Names;
use serde_json::Value;

use super::{Event, Kept};
use crate::emulated::{clients, setting};

/// Name of the child whose log group vanishes, and is in the way.
const CHILD: &str = "command-getOrder";

/// The emulated AWS.
pub(crate) struct World {
    session: Session,
    logs: aws_sdk_cloudwatchlogs::Client,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl World {
    pub(crate) async fn new() -> Self {
        let endpoint = setting("EVENTUAL_TEST_ENDPOINT");
        let config = ProviderConfig {
            region: Setting::Known("us-east-1".to_owned()),
            endpoint: Setting::Known(endpoint.clone()),
            ..ProviderConfig::default()
        };
        let session = connect(&config).await.unwrap();
        let settings = clients(&endpoint).await;
        Self { session, logs: aws_sdk_cloudwatchlogs::Client::new(&settings) }
    }

    pub(crate) async fn happens(&mut self, event: Event, name: &str, kept: Option<&Kept>) {
        let identity = &self.session.identity;
        let group = Names::new(name, &identity.account, &identity.region).log_group(CHILD);
        match event {
            Event::ObstacleMade => {
                self.logs.create_log_group().log_group_name(group).send().await.unwrap();
            }
            Event::ObstacleGone => {
                self.logs.delete_log_group().log_group_name(group).send().await.unwrap();
            }
            Event::LogGroupGone => {
                let outputs = &kept.expect("a service is in the state").outputs;
                let child = &outputs["resources"][format!("log_group/{CHILD}")];
                let recorded = Recorded {
                    kind: Kind::parse(child["type"].as_str().unwrap()).unwrap(),
                    name: text(&child["name"]),
                    arn: text(&child["arn"]),
                    fingerprint: String::new(),
                    attributes: std::collections::BTreeMap::new(),
                };
                let owner = Owner {
                    id: owner_of(&text(&outputs["incarnation"])).to_owned(),
                    service: name.to_owned(),
                };
                self.session.cloud.delete(&owner, &recorded, false).await.unwrap();
            }
        }
    }

    /// Nothing of the deployment is left: neither its bucket, which goes last, nor a log group.
    pub(crate) async fn assert_empty(&self, name: &str) {
        let identity = &self.session.identity;
        let bucket = Names::new(name, &identity.account, &identity.region).bucket();
        let found = self.session.cloud.ownership(&bucket).await.unwrap();
        assert!(
            matches!(found, eventual_provider_core::cloud::OwnershipState::NoBucket),
            "{name} is still there: {found:?}"
        );
        let groups = self.logs.describe_log_groups().send().await.unwrap();
        let groups: Vec<&str> = groups.log_groups().iter().filter_map(|it| it.log_group_name()).collect();
        assert!(!groups.iter().any(|it| it.contains(name)), "log groups of {name} are left: {groups:?}");
    }
}

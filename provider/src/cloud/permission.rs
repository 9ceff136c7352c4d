//! Permissions on the alias of a function.

use eventual_provider_core::cloud::{CloudError, Made, Observed};
use eventual_provider_core::resource::{PermissionSpec, settings};
use eventual_provider_core::state::Recorded;
use eventual_schema::deploy::ALIAS;
use serde_json::Value;

use super::{AwsCloud, gone, present};

fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(it) => it == text,
        Value::Array(items) => items.iter().any(|it| mentions(it, text)),
        Value::Object(members) => members.values().any(|it| mentions(it, text)),
        _ => false,
    }
}

/// The setting `statement` of a statement that is there. Lambda writes the condition that we gave it as `ArnLike`.
fn described(statement: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let source = ["ArnLike", "ArnEquals"].iter().find_map(|operator| {
        let keys = statement["Condition"][operator].as_object()?;
        keys.iter().find(|(key, _)| key.eq_ignore_ascii_case("aws:SourceArn")).map(|(_, arn)| text(arn))
    });
    let allowed = if statement["Effect"] == "Allow" { text(&statement["Action"]) } else { String::new() };
    let principal = text(&statement["Principal"]["Service"]);
    settings::permission(&allowed, &principal, &source.unwrap_or_default())
}

impl AwsCloud {
    /// The statement of this id in the alias's policy.
    async fn statement(&self, function: &str, id: &str) -> Result<Option<Value>, CloudError> {
        let get = self.lambda.get_policy().function_name(function).qualifier(ALIAS);
        let Some(answer) = present(self.call("lambda GetPolicy", get.send()).await)? else { return Ok(None) };
        let policy: Value = serde_json::from_str(answer.policy().unwrap_or_default()).unwrap_or_default();
        let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
        Ok(statements.into_iter().find(|it| it["Sid"] == id))
    }

    async fn add_permission(&self, id: &str, spec: &PermissionSpec) -> Result<(), CloudError> {
        let mut add = self
            .lambda
            .add_permission()
            .function_name(&spec.function)
            .qualifier(ALIAS)
            .statement_id(id)
            .action("lambda:InvokeFunction")
            .principal(&spec.principal)
            .source_arn(spec.source_arn.as_str());
        // ARNs of rules carry the account; one of an API does too, but API Gateway does not send the account.
        if spec.principal.starts_with("events.") {
            add = add.source_account(&self.identity.account);
        }
        self.call("lambda AddPermission", add.send()).await.map(|_| ())
    }

    pub(super) async fn ensure_permission(
        &self,
        id: &str,
        spec: &PermissionSpec,
    ) -> Result<Made, CloudError> {
        match self.add_permission(id, spec).await {
            Err(error)
                if error.code == "ResourceConflictException" && error.message.contains("already exists") =>
            {
                let there = self.statement(&spec.function, id).await?;
                let same = there.is_some_and(|it| {
                    mentions(&it, spec.source_arn.as_str()) && mentions(&it, &spec.principal)
                });
                if !same {
                    self.remove_permission(&spec.function, id).await?;
                    self.add_permission(id, spec).await?;
                }
            }
            answer => answer?,
        }
        Ok(Made { arn: String::new(), attributes: [("function".to_owned(), spec.function.clone())].into() })
    }

    async fn remove_permission(&self, function: &str, id: &str) -> Result<(), CloudError> {
        let remove =
            self.lambda.remove_permission().function_name(function).qualifier(ALIAS).statement_id(id);
        gone(self.call("lambda RemovePermission", remove.send()).await)
    }

    pub(super) async fn delete_permission(&self, recorded: &Recorded) -> Result<(), CloudError> {
        self.remove_permission(recorded.attribute("function"), &recorded.name).await
    }

    pub(super) async fn describe_permission(
        &self,
        recorded: &Recorded,
    ) -> Result<Option<Observed>, CloudError> {
        let statement = self.statement(recorded.attribute("function"), &recorded.name).await?;
        Ok(statement.map(|it| Observed::of([("statement", described(&it))])))
    }
}

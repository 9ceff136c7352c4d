//! Versions of functions that are not the live one: the one before it stays for calls that are under way, those that open
//! executions are pinned to stay as long as they are needed, and the others are put away, so that code does not pile up.

use aws_sdk_lambda::types::AliasConfiguration;
use eventual_provider_core::cloud::{CloudError, Trouble};
use eventual_provider_core::operations::Operations;
use eventual_provider_core::resource::FunctionSpec;
use eventual_provider_core::state::Recorded;
use eventual_schema::deploy::{CODE_ALIAS, CODE_ATTRIBUTE, code_alias};
use serde_json::{Value, json};

use super::function::PREVIOUS;
use super::{AwsCloud, gone};

/// The statuses of executions that need their code.
const OPEN: [&str; 3] = ["running", "parked", "paused"];

impl AwsCloud {
    /// Makes a version findable by the hash of its code, before anything can be pinned to it.
    pub(super) async fn keep_code(
        &self,
        name: &str,
        spec: &FunctionSpec,
        version: &str,
    ) -> Result<(), CloudError> {
        match &spec.keeps {
            // An alias is too short a name for a hash; the description says all of it.
            Some(keeps) => {
                let alias = code_alias(&keeps.code);
                self.point_alias(name, (&alias, Some(&keeps.code)), version, false).await
            }
            None => Ok(()),
        }
    }

    /// Deletes versions that nothing leads to any more, now that `version` is live. Answers the one before it, which
    /// stays until the next.
    pub(super) async fn put_away(
        &self,
        name: &str,
        spec: &FunctionSpec,
        version: &str,
        recorded: Option<&Recorded>,
    ) -> Result<String, CloudError> {
        let before =
            |attribute: &str| recorded.map(|it| it.attribute(attribute).to_owned()).unwrap_or_default();
        let (live, older) = (before("version"), before(PREVIOUS));
        if live == version {
            return Ok(older);
        }
        if spec.keeps.is_some() {
            self.put_code_away(name, spec, &[version, &live]).await?;
        }
        if !older.is_empty() && older != version && older != live {
            self.delete_version(name, &older).await?;
        }
        Ok(live)
    }

    /// Deletes the aliases, with their versions, of code that no open execution is pinned to. Those of `stay` stay: calls of
    /// them may be under way that pin more.
    async fn put_code_away(&self, name: &str, spec: &FunctionSpec, stay: &[&str]) -> Result<(), CloudError> {
        let Some(keeps) = &spec.keeps else { return Ok(()) };
        for alias in self.aliases(name).await? {
            let (alias_name, version) = (alias.name().unwrap_or_default(), alias.function_version());
            let version = version.unwrap_or_default();
            let code = alias.description().filter(|_| alias_name.starts_with(CODE_ALIAS));
            let Some(code) = code else { continue };
            if stay.contains(&version) || self.is_needed(&keeps.asks, code).await {
                continue;
            }
            let delete = self.lambda.delete_alias().function_name(name).name(alias_name);
            gone(self.call("lambda DeleteAlias", delete.send()).await)?;
            self.delete_version(name, version).await?;
        }
        Ok(())
    }

    async fn aliases(&self, name: &str) -> Result<Vec<AliasConfiguration>, CloudError> {
        let (mut aliases, mut marker) = (Vec::new(), None);
        loop {
            let list = self.lambda.list_aliases().function_name(name).set_marker(marker);
            let page = self.call("lambda ListAliases", list.send()).await?;
            aliases.extend(page.aliases.unwrap_or_default());
            marker = page.next_marker;
            if marker.is_none() {
                return Ok(aliases);
            }
        }
    }

    /// Whether an open execution is pinned to the code of this hash. Who cannot be asked is taken to say yes: to keep
    /// code costs its storage, to lose it stops whoever needs it.
    async fn is_needed(&self, asks: &str, code: &str) -> bool {
        for status in OPEN {
            let filter = json!([{ "name": CODE_ATTRIBUTE, "is": code }]);
            let question = json!({ "op": "count", "status": status, "attributes": filter });
            let answer = match self.invoke(asks, &question.to_string()).await {
                Ok(invocation) if !invocation.failed => invocation.answer,
                _ => return true,
            };
            let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
            if answer["count"] != 0 {
                return true;
            }
        }
        false
    }

    /// Deletes a version, unless an alias leads to it.
    async fn delete_version(&self, name: &str, version: &str) -> Result<(), CloudError> {
        let delete = self.lambda.delete_function().function_name(name).qualifier(version);
        match gone(self.call("lambda DeleteFunction", delete.send()).await) {
            Err(error) if error.code == "ResourceConflictException" && error.trouble != Trouble::Busy => {
                Ok(())
            }
            answer => answer,
        }
    }
}

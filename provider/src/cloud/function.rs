//! Functions, each with its published version behind the alias.
//!
//! A change of code is one publishing update and a move of the alias; a change of settings is one update, a published
//! version and a move of the alias. What is called is always a version that is ready.

use std::collections::BTreeMap;
use std::fmt::Write;

use aws_sdk_lambda::types::{
    Architecture, Environment, EphemeralStorage, FunctionCode, FunctionConfiguration, LastUpdateStatus,
    Runtime, State, VpcConfig, VpcConfigResponse,
};
use eventual_provider_core::cloud::{CloudError, Made, Observed, Owner, Trouble};
use eventual_provider_core::config::Confidential;
use eventual_provider_core::resource::{FunctionSpec, Resource, VpcSpec, settings};
use eventual_provider_core::state::Recorded;
use eventual_schema::deploy::{ALIAS, BOOTSTRAP_FILE};

use super::tags::{self, Tags};
use super::{AwsCloud, LOOK, SETTLE, busy, foreign, gone, malformed, present};

/// Attribute: the version before the one behind the alias, if there was one.
pub(super) const PREVIOUS: &str = "previous";
/// Attribute: names of the environment variables whose values leave no trace, with commas between them.
const HIDDEN: &str = "hidden";

fn environment(spec: &FunctionSpec) -> Environment {
    let shown = spec.environment.iter().map(|(name, value)| (name.clone(), value.as_str().to_owned()));
    let hidden = spec.hidden.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned()));
    let variables = shown.chain(hidden).collect();
    Environment::builder().set_variables(Some(variables)).build()
}

fn vpc(spec: &FunctionSpec) -> VpcConfig {
    let (subnets, groups) = spec
        .vpc
        .as_ref()
        .map(|vpc| (vpc.subnet_ids.clone(), vpc.security_group_ids.clone()))
        .unwrap_or_default();
    VpcConfig::builder().set_subnet_ids(Some(subnets)).set_security_group_ids(Some(groups)).build()
}

fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A hash as Lambda writes it, in hexadecimal.
fn hexadecimal(base64_hash: &str) -> String {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64_hash).unwrap_or_default();
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn made(resource: &Resource, spec: &FunctionSpec, version: &str) -> Made {
    let arn = resource.arn.clone().unwrap_or_default();
    let mut attributes = BTreeMap::from([
        ("alias_arn".to_owned(), format!("{arn}:{ALIAS}")),
        ("version".to_owned(), version.to_owned()),
        ("code".to_owned(), spec.code_sha256.clone()),
        ("configuration".to_owned(), spec.configuration()),
        ("concurrency".to_owned(), spec.reserved_concurrency.map(|it| it.to_string()).unwrap_or_default()),
    ]);
    if !spec.hidden.is_empty() {
        let names: Vec<&str> = spec.hidden.keys().map(String::as_str).collect();
        attributes.insert(HIDDEN.to_owned(), names.join(","));
    }
    Made { arn, attributes }
}

/// What is recorded of a function whose versions before this one were put away.
fn made_anew(resource: &Resource, spec: &FunctionSpec, version: &str, previous: String) -> Made {
    let mut made = made(resource, spec, version);
    made.attributes.insert(PREVIOUS.to_owned(), previous);
    made
}

impl AwsCloud {
    pub(super) async fn function_tags(&self, name: &str) -> Result<Tags, CloudError> {
        self.lambda_tags(&self.arn("lambda", &format!("function:{name}"))).await
    }

    /// Tags of a function or mapping.
    pub(super) async fn lambda_tags(&self, arn: &str) -> Result<Tags, CloudError> {
        let answer = self.call("lambda ListTags", self.lambda.list_tags().resource(arn).send()).await?;
        Ok(answer.tags().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    async fn configuration(
        &self,
        name: &str,
        qualifier: Option<&str>,
    ) -> Result<Option<FunctionConfiguration>, CloudError> {
        let get = self.lambda.get_function().function_name(name).set_qualifier(qualifier.map(str::to_owned));
        Ok(present(self.call("lambda GetFunction", get.send()).await)?.and_then(|it| it.configuration))
    }

    pub(super) async fn ensure_function(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &FunctionSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        if recorded.is_some() {
            return self.update_function(owner, resource, spec, recorded).await;
        }
        let name = &resource.name;
        match self.create_function(owner, resource, spec).await {
            Ok(version) => self.open_function(resource, spec, &version).await,
            Err(error) if error.code == "ResourceConflictException" && error.trouble != Trouble::Busy => {
                if !tags::ours(owner, &self.function_tags(name).await?) {
                    return Err(foreign("lambda CreateFunction", &format!("the function {name}")));
                }
                self.update_function(owner, resource, spec, None).await
            }
            Err(error) => Err(error),
        }
    }

    /// Creates the function with its first version, whose number is answered.
    async fn create_function(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &FunctionSpec,
    ) -> Result<String, CloudError> {
        let mut create = self
            .lambda
            .create_function()
            .function_name(&resource.name)
            .runtime(Runtime::Providedal2023)
            .handler(BOOTSTRAP_FILE)
            .role(&spec.role)
            .architectures(Architecture::from(spec.architecture.as_str()))
            .code(FunctionCode::builder().s3_bucket(&spec.code_bucket).s3_key(&spec.code_object).build())
            .memory_size(number(spec.memory_mb))
            .timeout(number(spec.timeout_s))
            .description(&spec.description)
            .environment(environment(spec))
            .publish(true)
            .set_tags(tags::map(&tags::wanted(owner, resource)));
        if spec.vpc.is_some() {
            create = create.vpc_config(vpc(spec));
        }
        let answer = self.call("lambda CreateFunction", create.send()).await?;
        Ok(answer.version().unwrap_or("1").to_owned())
    }

    /// Lets a function that was just created be called.
    async fn open_function(
        &self,
        resource: &Resource,
        spec: &FunctionSpec,
        version: &str,
    ) -> Result<Made, CloudError> {
        let name = &resource.name;
        self.reserve(name, spec, "").await?;
        self.keep_code(name, spec, version).await?;
        self.point_alias(name, (ALIAS, None), version, false).await?;
        Ok(made(resource, spec, version))
    }

    /// Brings a function that is there to its spec. What `recorded` says is so already is not written; without a
    /// fingerprint, or a record at all, it is looked up.
    async fn update_function(
        &self,
        owner: &Owner,
        resource: &Resource,
        spec: &FunctionSpec,
        recorded: Option<&Recorded>,
    ) -> Result<Made, CloudError> {
        let name = &resource.name;
        let Some(there) = self.settled(name, None).await? else {
            let version = self.create_function(owner, resource, spec).await?;
            return self.open_function(resource, spec, &version).await;
        };
        let trusted = recorded.filter(|it| !it.fingerprint.is_empty());
        let same_configuration =
            trusted.is_some_and(|it| it.attribute("configuration") == spec.configuration());
        let code = there.code_sha256().map(hexadecimal).unwrap_or_default();
        let mut changed = false;
        if !same_configuration {
            self.configure(name, spec, trusted.is_none()).await?;
            changed = true;
        }
        let mut version = None;
        if code != spec.code_sha256 {
            self.settled(name, None).await?;
            let update = self
                .lambda
                .update_function_code()
                .function_name(name)
                .architectures(Architecture::from(spec.architecture.as_str()))
                .s3_bucket(&spec.code_bucket)
                .s3_key(&spec.code_object)
                .publish(true);
            version = self.call("lambda UpdateFunctionCode", update.send()).await?.version;
        } else if changed || trusted.is_none_or(|it| it.attribute("code") != spec.code_sha256) {
            // Also when an update of the code took effect and its answer never came: the alias has to follow.
            self.settled(name, None).await?;
            // Answers the version that is there when nothing changed since.
            version = self
                .call("lambda PublishVersion", self.lambda.publish_version().function_name(name).send())
                .await?
                .version;
        }
        if let Some(version) = &version {
            self.settled(name, Some(version)).await?;
            self.keep_code(name, spec, version).await?;
            self.point_alias(name, (ALIAS, None), version, trusted.is_some()).await?;
        }
        self.reserve(name, spec, trusted.map_or("?", |it| it.attribute("concurrency"))).await?;
        self.tag_function(owner, resource).await?;
        let version = version
            .unwrap_or_else(|| recorded.map(|it| it.attribute("version").to_owned()).unwrap_or_default());
        let previous = self.put_away(name, spec, &version, recorded).await?;
        Ok(made_anew(resource, spec, &version, previous))
    }

    /// Writes the settings; with `all`, also those that are otherwise only if somebody else wrote them.
    async fn configure(&self, name: &str, spec: &FunctionSpec, all: bool) -> Result<(), CloudError> {
        let mut update = self
            .lambda
            .update_function_configuration()
            .function_name(name)
            .role(&spec.role)
            .memory_size(number(spec.memory_mb))
            .timeout(number(spec.timeout_s))
            .description(&spec.description)
            .environment(environment(spec))
            .vpc_config(vpc(spec));
        if all {
            let scratch = i32::try_from(settings::SCRATCH_MB).unwrap_or_default();
            let scratch = EphemeralStorage::builder().size(scratch).build();
            let scratch = scratch.map_err(|error| malformed("lambda UpdateFunctionConfiguration", error))?;
            update = update
                .runtime(Runtime::Providedal2023)
                .handler(BOOTSTRAP_FILE)
                .set_layers(Some(Vec::new()))
                .ephemeral_storage(scratch);
        }
        self.call("lambda UpdateFunctionConfiguration", update.send()).await.map(|_| ())
    }

    /// Waits until the function (or one version of it) is active and not being updated; `None` when it is not there.
    async fn settled(
        &self,
        name: &str,
        qualifier: Option<&str>,
    ) -> Result<Option<FunctionConfiguration>, CloudError> {
        let began = tokio::time::Instant::now();
        loop {
            let Some(there) = self.configuration(name, qualifier).await? else { return Ok(None) };
            let failed = there.state() == Some(&State::Failed)
                || there.last_update_status() == Some(&LastUpdateStatus::Failed);
            let reason =
                there.state_reason().or(there.last_update_status_reason()).unwrap_or_default().to_owned();
            if failed && qualifier.is_some() {
                return Err(malformed(
                    "lambda GetFunction",
                    format!("the function {name} failed to start: {reason}"),
                ));
            }
            let waits = there.state() == Some(&State::Pending)
                || there.last_update_status() == Some(&LastUpdateStatus::InProgress);
            if !waits {
                return Ok(Some(there));
            }
            if began.elapsed() >= SETTLE {
                return Err(busy(
                    "lambda GetFunction",
                    format!("the function {name} is not ready yet: {reason}"),
                ));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the version behind the alias can be called.
    pub(super) async fn settle_function(&self, recorded: &Recorded) -> Result<(), CloudError> {
        self.settled(&recorded.name, Some(ALIAS)).await.map(|_| ())
    }

    /// Lets the alias lead to that version. Whether it is `there` is a guess that saves a refused call.
    pub(super) async fn point_alias(
        &self,
        name: &str,
        (alias, description): (&str, Option<&str>),
        version: &str,
        there: bool,
    ) -> Result<(), CloudError> {
        let description = description.map(str::to_owned);
        let update = self.lambda.update_alias().function_name(name).name(alias).function_version(version);
        let update = update.set_description(description.clone());
        if there && present(self.call("lambda UpdateAlias", update.clone().send()).await)?.is_some() {
            return Ok(());
        }
        let create = self.lambda.create_alias().function_name(name).name(alias).function_version(version);
        let create = create.set_description(description);
        match self.call("lambda CreateAlias", create.send()).await {
            Err(error) if error.code == "ResourceConflictException" => {
                self.call("lambda UpdateAlias", update.send()).await.map(|_| ())
            }
            answer => answer.map(|_| ()),
        }
    }

    async fn reserve(&self, name: &str, spec: &FunctionSpec, before: &str) -> Result<(), CloudError> {
        match spec.reserved_concurrency {
            Some(reserved) if before != reserved.to_string() => {
                let put = self
                    .lambda
                    .put_function_concurrency()
                    .function_name(name)
                    .reserved_concurrent_executions(number(reserved));
                self.call("lambda PutFunctionConcurrency", put.send()).await.map(|_| ())
            }
            None if !before.is_empty() => {
                let delete = self.lambda.delete_function_concurrency().function_name(name);
                gone(self.call("lambda DeleteFunctionConcurrency", delete.send()).await)
            }
            _ => Ok(()),
        }
    }

    async fn tag_function(&self, owner: &Owner, resource: &Resource) -> Result<(), CloudError> {
        let arn = resource.arn.clone().unwrap_or_default();
        self.tag_lambda(&arn, &tags::wanted(owner, resource)).await
    }

    /// Brings the tags of a function or mapping up to date.
    pub(super) async fn tag_lambda(&self, arn: &str, wanted: &Tags) -> Result<(), CloudError> {
        let (set, remove) = tags::difference(&self.lambda_tags(arn).await?, wanted);
        if !set.is_empty() {
            let tag = self.lambda.tag_resource().resource(arn).set_tags(tags::map(&set));
            self.call("lambda TagResource", tag.send()).await?;
        }
        if !remove.is_empty() {
            let untag = self.lambda.untag_resource().resource(arn).set_tag_keys(Some(remove));
            self.call("lambda UntagResource", untag.send()).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_function(&self, recorded: &Recorded) -> Result<(), CloudError> {
        gone(
            self.call(
                "lambda DeleteFunction",
                self.lambda.delete_function().function_name(&recorded.name).send(),
            )
            .await,
        )
    }

    /// Environment variables of the version behind the alias.
    pub(super) async fn function_environment(
        &self,
        recorded: &Recorded,
    ) -> Result<BTreeMap<String, Confidential>, CloudError> {
        let there = self.configuration(&recorded.name, Some(ALIAS)).await?;
        let variables = there.as_ref().and_then(|it| it.environment()).and_then(|it| it.variables());
        let variables = variables.into_iter().flatten();
        Ok(variables.map(|(name, value)| (name.clone(), Confidential::new(value))).collect())
    }

    /// Settings of the code that is published next, and which version the alias leads to. What a version is does not
    /// change; without the alias nothing can call it.
    pub(super) async fn describe_function(
        &self,
        recorded: &Recorded,
    ) -> Result<Option<Observed>, CloudError> {
        let name = &recorded.name;
        let get = self.lambda.get_function().function_name(name);
        let Some(answer) = present(self.call("lambda GetFunction", get.send()).await)? else {
            return Ok(None);
        };
        let live = self.configuration(name, Some(ALIAS)).await?;
        let Some(there) = answer.configuration() else { return Ok(None) };
        let variables = there.environment().and_then(|it| it.variables()).into_iter().flatten();
        let hidden: Vec<&str> = recorded.attribute(HIDDEN).split(',').collect();
        let variables = variables.map(|(name, value)| {
            let value = if hidden.contains(&name.as_str()) { "" } else { value.as_str() };
            (name.as_str(), value)
        });
        let layers: Vec<&str> = there.layers().iter().filter_map(|it| it.arn()).collect();
        let reserved = answer.concurrency().and_then(|it| it.reserved_concurrent_executions());
        let tags = answer.tags().into_iter().flatten();
        let mut seen = Observed::of([
            ("alias", if live.is_some() { ALIAS } else { "" }.to_owned()),
            ("role", there.role().unwrap_or_default().to_owned()),
            ("memory", text(there.memory_size())),
            ("timeout", text(there.timeout())),
            ("environment", settings::environment_digest(variables)),
            ("reserved_concurrency", text(reserved)),
            ("vpc", there.vpc_config().map(described_vpc).unwrap_or_default()),
            ("layers", layers.join(",")),
            ("description", there.description().unwrap_or_default().to_owned()),
            ("architecture", there.architectures().first().map_or("x86_64", |it| it.as_str()).to_owned()),
            ("runtime", there.runtime().map_or("", |it| it.as_str()).to_owned()),
            ("handler", there.handler().unwrap_or_default().to_owned()),
            ("tags", tags::digest(&tags.map(|(key, value)| (key.clone(), value.clone())).collect())),
        ]);
        if let Some(scratch) = there.ephemeral_storage() {
            seen.settings.insert("scratch_space".to_owned(), scratch.size().to_string());
        }
        let code = there.code_sha256().map(hexadecimal).unwrap_or_default();
        seen.attributes.insert("code".to_owned(), code);
        if let Some(version) = live.and_then(|it| it.version) {
            seen.attributes.insert("version".to_owned(), version);
        }
        Ok(Some(seen))
    }
}

fn text(number: Option<i32>) -> String {
    number.map(|it| it.to_string()).unwrap_or_default()
}

/// The setting `vpc` of a function that is there.
fn described_vpc(there: &VpcConfigResponse) -> String {
    if there.subnet_ids().is_empty() && there.security_group_ids().is_empty() {
        return String::new();
    }
    settings::vpc(&VpcSpec {
        subnet_ids: there.subnet_ids().to_vec(),
        security_group_ids: there.security_group_ids().to_vec(),
    })
}

//! Reads single values into [`Setting`]s, remembering where it is and what was wrong.
//!
//! A value of the wrong kind is read as absent without a word: the check of shapes has said it already.

use std::collections::BTreeMap;

use eventual_schema::Auth;

use super::limits;
use super::{
    AssumeRole, Confidential, Cors, Environment, FunctionSettings, ProviderConfig, ServiceConfig, Setting,
    Statement, Tags, Timeouts, Vpc, WorkflowSettings,
};
use crate::diagnostic::Diagnostic;
use crate::path::Path;
use crate::value::Value;

/// An object that is being read.
pub(super) struct Reader<'a> {
    value: &'a Value,
    path: Path,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(value: &'a Value, path: Path, diagnostics: &'a mut Vec<Diagnostic>) -> Self {
        Self { value, path, diagnostics }
    }

    fn refuse(&mut self, summary: &str, detail: impl Into<String>, path: Path) {
        self.diagnostics.push(Diagnostic::error(summary, detail).at(path));
    }

    /// The attribute, by `get` to its Rust type and by `check` to what it means.
    fn setting<R, T>(
        &mut self,
        name: &str,
        get: impl FnOnce(&'a Value) -> Option<R>,
        check: impl FnOnce(R) -> Result<T, String>,
    ) -> Setting<T> {
        let value: &'a Value = self.value.get(name);
        if value.is_unknown() {
            return Setting::Unknown;
        }
        match get(value).map(check) {
            None => Setting::Absent,
            Some(Ok(known)) => Setting::Known(known),
            Some(Err(wrong)) => {
                let path = self.path.attr(name);
                self.diagnostics.push(Diagnostic::error("Invalid value", wrong).at(path));
                Setting::Absent
            }
        }
    }

    fn text<T>(&mut self, name: &str, check: impl FnOnce(&str) -> Result<T, String>) -> Setting<T> {
        self.setting(name, Value::as_str, check)
    }

    fn number(&mut self, name: &str, check: impl FnOnce(f64) -> Result<u32, String>) -> Setting<u32> {
        self.setting(name, Value::as_f64, check)
    }

    fn truth(&mut self, name: &str) -> Setting<bool> {
        self.setting(name, Value::as_bool, Ok)
    }

    /// A list of texts of which one may be unknown, which makes the list unknown.
    fn texts(&mut self, name: &str) -> Setting<Vec<String>> {
        let value = self.value.get(name);
        if value.has_unknown() {
            return Setting::Unknown;
        }
        match value.as_list() {
            Some(items) => {
                Setting::Known(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            None => Setting::Absent,
        }
    }

    /// Like [`Reader::texts`], of which there must be one at least.
    fn some_texts(&mut self, name: &str) -> Setting<Vec<String>> {
        let texts = self.texts(name);
        if texts.known().is_some_and(Vec::is_empty) {
            self.refuse("Invalid value", "An empty list is not possible here.", self.path.attr(name));
        }
        texts
    }

    /// Numbers of accounts, one at least.
    fn accounts(&mut self, name: &str) -> Setting<Vec<String>> {
        let accounts = self.some_texts(name);
        let wrong = accounts.known().into_iter().flatten().enumerate();
        let wrong: Vec<(usize, String)> = wrong
            .filter(|(_, it)| it.len() != 12 || !it.chars().all(|c| c.is_ascii_digit()))
            .map(|(index, it)| (index, it.clone()))
            .collect();
        for (index, it) in wrong {
            let path = self.path.attr(name).index(index);
            self.refuse("Invalid value", format!("{it:?} is not the number of an account: 12 digits."), path);
        }
        accounts
    }

    /// The attribute as an object of its own.
    fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> Setting<T> {
        let path = self.path.attr(name);
        read_object(self.value.get(name), path, self.diagnostics, read)
    }

    /// The attribute as an object that is unknown as a whole when a part of it is.
    fn whole_object<T>(&mut self, name: &str, read: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Setting<T> {
        let unknown = self.value.get(name).has_unknown();
        flatten(unknown, self.object(name, read))
    }

    fn map<T>(
        &mut self,
        name: &str,
        mut read: impl FnMut(&mut Reader<'_>) -> T,
    ) -> Setting<BTreeMap<String, Setting<T>>> {
        let value = self.value.get(name);
        let Some(members) = value.as_map() else {
            return if value.is_unknown() { Setting::Unknown } else { Setting::Absent };
        };
        let path = self.path.attr(name);
        let entries = members.iter().map(|(key, member)| {
            (key.clone(), read_object(member, path.key(key), self.diagnostics, &mut read))
        });
        Setting::Known(entries.collect())
    }

    fn text_map<T>(
        &mut self,
        name: &str,
        key_check: impl Fn(&str) -> Result<(), String>,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Setting<BTreeMap<String, Setting<T>>> {
        let value = self.value.get(name);
        let Some(members) = value.as_map() else {
            return if value.is_unknown() { Setting::Unknown } else { Setting::Absent };
        };
        let path = self.path.attr(name);
        let mut known = BTreeMap::new();
        for (key, member) in members.iter().filter(|(_, member)| !member.is_null()) {
            let checked = key_check(key).and_then(|()| match member.as_str() {
                Some(text) => check(text).map(Setting::Known),
                None if member.is_unknown() => Ok(Setting::Unknown),
                None => Ok(Setting::Absent),
            });
            match checked {
                Ok(setting) => {
                    known.insert(key.clone(), setting);
                }
                Err(wrong) => self.refuse("Invalid value", wrong, path.key(key)),
            }
        }
        Setting::Known(known)
    }

    fn environment(&mut self, name: &str) -> Environment {
        let environment = self.text_map(name, limits::variable_name, |text| Ok(Confidential::new(text)));
        let size = |(name, value): (&String, &Setting<Confidential>)| {
            name.len() + value.known().map_or(0, |it| it.reveal().len())
        };
        let bytes: usize = environment.known().map_or(0, |it| it.iter().map(size).sum());
        if bytes > limits::ENVIRONMENT_MAX_BYTES {
            let detail = format!(
                "These variables have {bytes} bytes, a function's environment holds {}. Keep large values in a parameter \
                 or secret store and pass their names.",
                limits::ENVIRONMENT_MAX_BYTES
            );
            self.refuse("Environment too large", detail, self.path.attr(name));
        }
        environment
    }

    fn tags(&mut self, name: &str) -> Tags {
        let tags = self.text_map(name, limits::tag_key, limits::tag_value);
        let count = tags.known().map_or(0, BTreeMap::len);
        if count > limits::TAGS_MAX {
            let detail = format!("These are {count} tags, at most {} are possible.", limits::TAGS_MAX);
            self.refuse("Too many tags", detail, self.path.attr(name));
        }
        tags
    }

    pub(super) fn service(&mut self) -> ServiceConfig {
        ServiceConfig {
            name: self.text("name", limits::service_name),
            artifact: self.text("artifact", limits::not_empty),
            environment: self.environment("environment"),
            environment_wo: self.environment("environment_wo"),
            environment_wo_version: self.text("environment_wo_version", |text| Ok(text.to_owned())),
            defaults: self.object("defaults", |it| it.function()),
            commands: self.map("commands", |it| it.function()),
            tasks: self.map("tasks", |it| it.function()),
            subscriptions: self.map("subscriptions", |it| it.function()),
            workflows: self.map("workflows", |it| it.workflow()),
            orchestrator: self.object("orchestrator", |it| it.function()),
            tags: self.tags("tags"),
            cors: self.whole_object("cors", |it| it.cors()),
            force_destroy: self.truth("force_destroy"),
            resume: self.text("on_create_failure", limits::on_create_failure),
            timeouts: self.object("timeouts", |it| it.timeouts()).known().copied().unwrap_or_default(),
        }
    }

    pub(super) fn provider(&mut self) -> ProviderConfig {
        ProviderConfig {
            region: self.text("region", limits::not_empty),
            profile: self.text("profile", limits::not_empty),
            assume_role: self.whole_object("assume_role", |it| it.assume_role()),
            endpoint: self.text("endpoint", url),
            allowed_account_ids: self.accounts("allowed_account_ids"),
            ca_bundle: self.text("ca_bundle", limits::not_empty),
            default_tags: self.tags("default_tags"),
        }
    }

    fn function(&mut self) -> FunctionSettings {
        FunctionSettings {
            memory_mb: self.number("memory_mb", limits::memory),
            timeout_s: self.number("timeout", limits::timeout),
            log_retention_days: self.number("log_retention_days", limits::log_retention),
            reserved_concurrency: self.number("reserved_concurrency", limits::concurrency),
            environment: self.environment("environment"),
            policies: self.policies(),
            vpc: self.whole_object("vpc", |it| it.vpc()),
            auth: self.whole_object("auth", |it| it.auth()),
        }
    }

    fn workflow(&mut self) -> WorkflowSettings {
        WorkflowSettings {
            retention_days: self.number("retention_days", limits::retention),
            policies: self.policies(),
        }
    }

    fn policies(&mut self) -> Setting<Vec<Setting<Statement>>> {
        let value = self.value.get("policies");
        let Some(items) = value.as_list() else {
            return if value.is_unknown() { Setting::Unknown } else { Setting::Absent };
        };
        let path = self.path.attr("policies");
        let statements = items.iter().enumerate().map(|(index, item)| {
            flatten(
                item.has_unknown(),
                read_object(item, path.index(index), self.diagnostics, |it| it.statement()),
            )
        });
        Setting::Known(statements.collect())
    }

    fn statement(&mut self) -> Option<Statement> {
        let effect = self.text("effect", |text| match text {
            "Allow" => Ok(true),
            "Deny" => Ok(false),
            other => Err(format!("{other:?} is not \"Allow\" or \"Deny\".")),
        });
        let condition = self.text("condition_json", |text| match serde_json::from_str(text) {
            Ok(condition @ serde_json::Value::Object(_)) => Ok(condition),
            Ok(_) => Err("The condition is JSON, but no object.".to_owned()),
            Err(error) => Err(format!("The condition is not JSON: {error}.")),
        });
        let (actions, resources) = (self.some_texts("actions"), self.some_texts("resources"));
        Some(Statement {
            allow: effect.known().copied().unwrap_or(true),
            actions: actions.known()?.clone(),
            resources: resources.known()?.clone(),
            condition: condition.known().cloned(),
        })
    }

    fn vpc(&mut self) -> Option<Vpc> {
        let (subnets, groups) = (self.some_texts("subnet_ids"), self.some_texts("security_group_ids"));
        Some(Vpc { subnet_ids: subnets.known()?.clone(), security_group_ids: groups.known()?.clone() })
    }

    fn auth(&mut self) -> Option<Auth> {
        let jwt = self.text("type", |text| match text {
            "none" | "iam" => Ok(false),
            "jwt" => Ok(true),
            other => Err(format!("{other:?} is not \"none\", \"iam\" or \"jwt\".")),
        });
        let (issuer, audience) = (self.text("issuer", url), self.some_texts("audience"));
        for (name, absent) in
            [("issuer", issuer == Setting::Absent), ("audience", audience == Setting::Absent)]
        {
            let given = !self.value.get(name).is_null();
            match jwt.known() {
                Some(true) if absent && !given => {
                    let detail = format!(
                        "Auth of type \"jwt\" needs {name:?}: without it every token would be accepted."
                    );
                    self.refuse("Missing attribute", detail, self.path.attr(name));
                }
                Some(false) if given => {
                    self.refuse(
                        "Invalid value",
                        format!("Only auth of type \"jwt\" has {name:?}."),
                        self.path.attr(name),
                    );
                }
                _ => {}
            }
        }
        match (self.value.get("type").as_str()?, *jwt.known()?) {
            (_, true) => {
                Some(Auth::Jwt { issuer: issuer.known()?.clone(), audience: audience.known()?.clone() })
            }
            ("iam", false) => Some(Auth::Iam),
            (_, false) => Some(Auth::None),
        }
    }

    fn cors(&mut self) -> Option<Cors> {
        let mut texts = |name| self.texts(name).known().cloned().unwrap_or_default();
        let allow_origins: Vec<String> = texts("allow_origins");
        let (allow_methods, allow_headers) = (texts("allow_methods"), texts("allow_headers"));
        let expose_headers = texts("expose_headers");
        let allow_credentials = self.truth("allow_credentials").known().copied().unwrap_or_default();
        if allow_credentials && allow_origins.iter().any(|it| it == "*") {
            let detail = "Cookies cannot be allowed for every origin: name the origins.";
            self.refuse("Invalid value", detail, self.path.attr("allow_credentials"));
        }
        let max_age_s = self.number("max_age", limits::max_age).known().copied();
        Some(Cors {
            allow_origins,
            allow_methods,
            allow_headers,
            expose_headers,
            allow_credentials,
            max_age_s,
        })
    }

    fn timeouts(&mut self) -> Timeouts {
        let default = Timeouts::default();
        let mut one = |name, or| self.text(name, limits::duration).known().copied().unwrap_or(or);
        Timeouts {
            create: one("create", default.create),
            read: one("read", default.read),
            update: one("update", default.update),
            delete: one("delete", default.delete),
        }
    }

    fn assume_role(&mut self) -> Option<AssumeRole> {
        let role_arn = self.text("role_arn", |text| match text.starts_with("arn:") {
            true => Ok(text.to_owned()),
            false => Err(format!("{text:?} is not an ARN.")),
        });
        let session_name = self.text("session_name", limits::not_empty);
        let external_id = self.text("external_id", |text| Ok(Confidential::new(text)));
        Some(AssumeRole {
            role_arn: role_arn.known()?.clone(),
            session_name: session_name.known().cloned(),
            external_id: external_id.known().cloned(),
        })
    }
}

/// Reads `value` as an object; nothing for null, and for a value of another kind, of which the shape check spoke.
fn read_object<T>(
    value: &Value,
    path: Path,
    diagnostics: &mut Vec<Diagnostic>,
    read: impl FnOnce(&mut Reader<'_>) -> T,
) -> Setting<T> {
    match value.reveal() {
        Value::Unknown => Setting::Unknown,
        Value::Map(_) => Setting::Known(read(&mut Reader::new(value, path, diagnostics))),
        _ => Setting::Absent,
    }
}

fn flatten<T>(unknown: bool, setting: Setting<Option<T>>) -> Setting<T> {
    match setting {
        Setting::Known(Some(value)) if !unknown => Setting::Known(value),
        Setting::Unknown | Setting::Known(_) if unknown => Setting::Unknown,
        Setting::Known(_) | Setting::Unknown | Setting::Absent => Setting::Absent,
    }
}

fn url(text: &str) -> Result<String, String> {
    if text.starts_with("https://") || text.starts_with("http://") {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(format!("{text:?} is not a URL: it starts with https:// or http://."))
    }
}

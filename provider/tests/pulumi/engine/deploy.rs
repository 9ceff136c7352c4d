//! `preview` and `up`.

use std::future::Future;
use std::time::Duration;

use eventual_provider_wire::pulumirpc::diff_response::DiffChanges;
use eventual_provider_wire::pulumirpc::property_diff::Kind;
use eventual_provider_wire::pulumirpc::{
    CheckRequest, CreateRequest, DiffRequest, DiffResponse, UpdateRequest,
};
use serde_json::Value;
use tonic::{Response, Status};

use super::plugin::Plugin;
use super::state::Entry;
use super::values::{by_hash, from_struct, has_unknown, revealed, secret_texts, to_struct};
use super::{Engine, Interrupt, Program, Report, TYPE, init_failed, urn};

/// How long a provider may take to finish what it began after its engine died.
const ORPHANED: Duration = Duration::from_secs(120);

impl Engine {
    /// `pulumi preview`.
    pub(crate) async fn preview(&mut self, program: &Program) -> Report {
        let before = self.state.clone();
        let report = self.deploy(program, true).await;
        assert_eq!(self.state, before, "a preview changes nothing");
        report
    }

    /// `pulumi up -f`: without a preview.
    pub(crate) async fn up(&mut self, program: &Program) -> Report {
        self.deploy(program, false).await
    }

    async fn deploy(&mut self, program: &Program, preview: bool) -> Report {
        self.secrets.extend(secret_texts(&program.provider));
        self.secrets.extend(program.services.iter().flat_map(|(_, inputs)| secret_texts(inputs)));
        let mut report = Report::default();
        let mut plugin = self.start(&program.provider).await;
        let Some(provider) = self.check_provider(&mut plugin, program, &mut report).await else {
            self.finish(plugin, &report).await;
            return report;
        };
        if preview && has_unknown(&provider) {
            // The real engine answers for the provider then, and calls nothing.
            report.operations.extend(program.services.iter().map(|(name, _)| ("create", name.clone())));
            self.finish(plugin, &report).await;
            return report;
        }
        if let Err(status) =
            self.configure(&mut plugin, &provider, preview && self.state.provider.is_none()).await
        {
            report.errors.push(status.message().to_owned());
            self.finish(plugin, &report).await;
            return report;
        }
        if !preview {
            self.state.provider = Some(provider);
        }
        for (name, inputs) in &program.services {
            if self.service(&mut plugin, name, inputs, preview, &mut report).await.is_some() {
                self.assert_discreet(&plugin, &report);
                plugin.abandon(ORPHANED).await;
                return report;
            }
        }
        let kept: Vec<&String> = program.services.iter().map(|(name, _)| name).collect();
        let gone: Vec<Entry> =
            self.state.entries.iter().filter(|it| !kept.contains(&&it.name)).cloned().collect();
        for entry in gone {
            self.delete(&mut plugin, &entry, preview, &mut report).await;
        }
        self.finish(plugin, &report).await;
        report
    }

    /// CheckConfig and DiffConfig; answers the configuration to go on with.
    async fn check_provider(
        &self,
        plugin: &mut Plugin,
        program: &Program,
        report: &mut Report,
    ) -> Option<Value> {
        let (olds, plain) = (self.state.provider.clone(), revealed(&program.provider));
        let request = CheckRequest {
            urn: "urn:pulumi:test::orders::pulumi:providers:eventual::default".to_owned(),
            olds: olds.as_ref().map(to_struct),
            news: Some(to_struct(&plain)),
            ..CheckRequest::default()
        };
        let answer = plugin.client.check_config(request).await.unwrap().into_inner();
        report.errors.extend(answer.failures.into_iter().map(|it| it.reason));
        assert_eq!(from_struct(answer.inputs), plain, "the configuration keeps its shape");
        if !report.errors.is_empty() {
            return None;
        }
        let Some(olds) = olds else { return Some(program.provider.clone()) };
        let request = DiffRequest {
            old_inputs: Some(to_struct(&olds)),
            olds: Some(to_struct(&olds)),
            news: Some(to_struct(&program.provider)),
            ..DiffRequest::default()
        };
        let answer = plugin.client.diff_config(request).await.unwrap().into_inner();
        assert!(answer.replaces.is_empty(), "this engine does not replace providers");
        // With NONE the engine goes on with the old configuration.
        Some(if answer.changes() == DiffChanges::DiffNone { olds } else { program.provider.clone() })
    }

    /// One registered service. Answers the abandoned call when the engine was to die in it.
    async fn service(
        &mut self,
        plugin: &mut Plugin,
        name: &str,
        inputs: &Value,
        preview: bool,
        report: &mut Report,
    ) -> Option<Died> {
        let old = self.state.entry(name).cloned();
        let checked = self.check(plugin, name, old.as_ref().map(|it| &it.inputs), inputs, report).await?;
        let Some(old) = old else { return self.create(plugin, name, &checked, preview, report).await };
        let request = DiffRequest {
            id: old.id.clone(),
            urn: urn(name),
            olds: Some(to_struct(&by_hash(&old.outputs))),
            news: Some(to_struct(&by_hash(&checked))),
            old_inputs: Some(to_struct(&by_hash(&old.inputs))),
            name: name.to_owned(),
            r#type: TYPE.to_owned(),
            ..DiffRequest::default()
        };
        let diff = match plugin.client.diff(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                report.errors.push(status.message().to_owned());
                return None;
            }
        };
        assert_consistent(&diff);
        report
            .details
            .extend(diff.detailed_diff.iter().map(|(path, it)| (path.clone(), format!("{:?}", it.kind()))));
        if !diff.replaces.is_empty() {
            assert!(diff.delete_before_replace, "our names are fixed");
            let checked = self.check(plugin, name, None, inputs, report).await?;
            self.delete(plugin, &old, preview, report).await;
            return self.create(plugin, name, &checked, preview, report).await;
        }
        if diff.changes() == DiffChanges::DiffSome || !old.init_errors.is_empty() {
            return self.update(plugin, &old, &checked, preview, report).await;
        }
        report.operations.push(("same", name.to_owned()));
        report.outputs.insert(name.to_owned(), old.outputs.clone());
        if !preview {
            self.state.put(Entry { inputs: checked, ..old });
        }
        None
    }

    /// Check; `None` when it failed.
    async fn check(
        &self,
        plugin: &mut Plugin,
        name: &str,
        olds: Option<&Value>,
        news: &Value,
        report: &mut Report,
    ) -> Option<Value> {
        let request = CheckRequest {
            urn: urn(name),
            olds: olds.map(|it| to_struct(&by_hash(it))),
            news: Some(to_struct(news)),
            random_seed: vec![7; 32],
            name: name.to_owned(),
            r#type: TYPE.to_owned(),
            autonaming: None,
        };
        let answer = match plugin.client.check(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                report.errors.push(status.message().to_owned());
                return None;
            }
        };
        for failure in &answer.failures {
            assert_eq!(failure.property, "", "with a property the engine prints its value, secrets in clear");
            report.errors.push(format!("{TYPE} resource '{name}' has a problem: {}", failure.reason));
        }
        let inputs = from_struct(answer.inputs);
        self.assert_marked("the answer of Check", &inputs);
        answer.failures.is_empty().then_some(inputs)
    }

    async fn create(
        &mut self,
        plugin: &mut Plugin,
        name: &str,
        inputs: &Value,
        preview: bool,
        report: &mut Report,
    ) -> Option<Died> {
        report.operations.push(("create", name.to_owned()));
        let request = CreateRequest {
            urn: urn(name),
            properties: Some(to_struct(inputs)),
            preview,
            name: name.to_owned(),
            r#type: TYPE.to_owned(),
            ..CreateRequest::default()
        };
        let mut client = plugin.client.clone();
        if !preview {
            self.state.pending_creates.push(name.to_owned());
        }
        let call = async move { client.create(request).await };
        let answer = match self.interruptible(plugin, call).await {
            Ok(answer) => answer,
            Err(died) => return Some(died),
        };
        let entry = match answer {
            Ok(answer) => {
                let answer = answer.into_inner();
                let outputs = self.result(name, answer.properties, preview, report);
                Entry {
                    name: name.to_owned(),
                    id: answer.id,
                    inputs: inputs.clone(),
                    outputs,
                    init_errors: Vec::new(),
                }
            }
            Err(status) => {
                report.errors.push(status.message().to_owned());
                let Some(failed) = init_failed(&status) else {
                    self.state.pending_creates.retain(|it| it != name);
                    return None;
                };
                let outputs = self.result(name, failed.properties, preview, report);
                let inputs = from_struct(failed.inputs);
                Entry { name: name.to_owned(), id: failed.id, inputs, outputs, init_errors: failed.reasons }
            }
        };
        if !preview {
            self.state.put(entry);
        }
        None
    }

    async fn update(
        &mut self,
        plugin: &mut Plugin,
        old: &Entry,
        inputs: &Value,
        preview: bool,
        report: &mut Report,
    ) -> Option<Died> {
        report.operations.push(("update", old.name.clone()));
        let request = UpdateRequest {
            id: old.id.clone(),
            urn: urn(&old.name),
            olds: Some(to_struct(&by_hash(&old.outputs))),
            news: Some(to_struct(inputs)),
            old_inputs: Some(to_struct(&by_hash(&old.inputs))),
            preview,
            name: old.name.clone(),
            r#type: TYPE.to_owned(),
            ..UpdateRequest::default()
        };
        let mut client = plugin.client.clone();
        let call = async move { client.update(request).await };
        let answer = match self.interruptible(plugin, call).await {
            Ok(answer) => answer,
            Err(died) => return Some(died),
        };
        let entry = match answer {
            Ok(answer) => {
                let outputs = self.result(&old.name, answer.into_inner().properties, preview, report);
                Entry { inputs: inputs.clone(), outputs, init_errors: Vec::new(), ..old.clone() }
            }
            Err(status) => {
                report.errors.push(status.message().to_owned());
                let failed = init_failed(&status)?;
                let outputs = self.result(&old.name, failed.properties, preview, report);
                // The inputs of a failed update are ignored: the old ones stay.
                Entry { outputs, init_errors: failed.reasons, ..old.clone() }
            }
        };
        if !preview {
            self.state.put(entry);
        }
        None
    }

    /// Outputs of a call, which hold no secret in clear and, after a real one, nothing unknown.
    fn result(
        &self,
        name: &str,
        properties: Option<prost_types::Struct>,
        preview: bool,
        report: &mut Report,
    ) -> Value {
        let outputs = from_struct(properties);
        self.assert_marked("an answer", &outputs);
        assert!(preview || !has_unknown(&outputs), "a real result is known: {outputs}");
        report.outputs.insert(name.to_owned(), outputs.clone());
        outputs
    }

    /// Waits for the call, unless the engine is to die in it.
    async fn interruptible<T: Send + 'static>(
        &mut self,
        plugin: &Plugin,
        call: impl Future<Output = Result<Response<T>, Status>> + Send + 'static,
    ) -> Result<Result<Response<T>, Status>, Died> {
        match self.interrupt.take() {
            None => Ok(call.await),
            Some(Interrupt::Cancel(lines)) => {
                let (log, mut client) = (self.log.clone(), plugin.client.clone());
                let cancel = async move {
                    log.more(lines).await;
                    client.cancel(()).await.unwrap();
                };
                let (answer, ()) = tokio::join!(call, cancel);
                Ok(answer)
            }
            Some(Interrupt::Kill(lines)) => {
                let kill = async {
                    self.log.more(lines).await;
                    plugin.kill();
                };
                let (answer, ()) = tokio::join!(call, kill);
                // "error reading from server: EOF", for the real engine: nothing in the state, no pending operation.
                assert!(answer.is_err(), "a killed provider does not answer");
                Ok(answer)
            }
            Some(Interrupt::Die(lines)) => {
                let task = tokio::spawn(call);
                self.log.more(lines).await;
                task.abort();
                Err(Died)
            }
        }
    }
}

/// The engine died while it waited for a call.
pub(super) struct Died;

fn assert_consistent(diff: &DiffResponse) {
    let some = diff.changes() == DiffChanges::DiffSome;
    assert_ne!(diff.changes(), DiffChanges::DiffUnknown);
    assert_eq!(some, !diff.diffs.is_empty(), "{diff:?}");
    assert_eq!(some, !diff.detailed_diff.is_empty(), "{diff:?}");
    let top = |path: &str| path.split(['.', '[']).next().unwrap_or_default().to_owned();
    for (path, difference) in &diff.detailed_diff {
        assert!(diff.diffs.contains(&top(path)), "{path} is not among {:?}", diff.diffs);
        let replaces =
            matches!(difference.kind(), Kind::AddReplace | Kind::DeleteReplace | Kind::UpdateReplace);
        assert!(!replaces || diff.replaces.contains(&top(path)), "{path}: {:?}", diff.replaces);
    }
    for name in &diff.replaces {
        assert!(diff.diffs.contains(name), "{name} is not among {:?}", diff.diffs);
    }
}

//! `preview` and `up`.

use std::time::Duration;

use eventual_provider_wire::pulumirpc::diff_response::DiffChanges;
use eventual_provider_wire::pulumirpc::property_diff::Kind;
use eventual_provider_wire::pulumirpc::{CheckRequest, DiffRequest, DiffResponse};
use serde_json::{Value, json};

use super::calls::Reached;
use super::interrupt::Died;
use super::plugin::Plugin;
use super::state::Entry;
use super::values::{from_struct, has_unknown, revealed, secret_texts, to_struct};
use super::{Engine, Program, Report, ResourceOption, provider_urn};
use crate::trace::Answer;

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
        if !preview {
            self.state.pending.retain(|(what, _)| *what == "creating");
        }
        let mut plugin = self.start(&program.provider).await;
        let configured = self.read_first(&mut plugin, preview, &mut report).await;
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
        if !preview && self.state.provider_id.is_none() {
            // Written down before the first resource.
            self.state.provider_id = Some(super::made_up_id());
        }
        if !(configured && self.state.provider.as_ref() == Some(&provider))
            && let Err(status) = self.configure(&mut plugin, &provider).await
        {
            report.errors.push(status.message().to_owned());
            self.finish(plugin, &report).await;
            return report;
        }
        if !preview {
            self.state.provider = Some(provider);
        }
        for (name, inputs) in &program.services {
            match self.service(&mut plugin, program, name, inputs, preview, &mut report).await {
                Ok(()) => {}
                Err(died) => return self.died(died, plugin, report).await,
            }
        }
        if report.errors.is_empty() {
            self.delete_what_is_over(&mut plugin, program, preview, &mut report).await;
        }
        self.finish(plugin, &report).await;
        report
    }

    /// The end of a command whose call nobody waits for any more.
    pub(super) async fn died(&mut self, died: Died, plugin: Plugin, mut report: Report) -> Report {
        match died {
            Died::Engine => {
                self.assert_discreet(&plugin, &report);
                plugin.abandon(ORPHANED).await;
            }
            Died::Abandoned => {
                report.errors.push("update canceled".to_owned());
                self.finish(plugin, &report).await;
            }
        }
        report
    }

    /// At the very end: what was replaced, and what the program does not name any more.
    pub(super) async fn delete_what_is_over(
        &mut self,
        plugin: &mut Plugin,
        program: &Program,
        preview: bool,
        report: &mut Report,
    ) {
        let named = |entry: &Entry| program.services.iter().any(|(name, _)| *name == entry.name);
        let over: Vec<Entry> =
            self.state.entries.iter().filter(|it| it.delete || !named(it)).cloned().collect();
        for entry in over {
            // Who interferes has interfered with the first call.
            let done =
                entry.external || matches!(self.delete(plugin, &entry, preview, report).await, Ok(true));
            if done && !preview {
                self.state.remove(&entry.name, entry.delete);
            }
        }
    }

    /// Reads, with the configuration in the state, what has to be read before it is changed. Answers whether anything was.
    async fn read_first(&mut self, plugin: &mut Plugin, preview: bool, report: &mut Report) -> bool {
        let unsure: Vec<Entry> = self.state.entries.iter().filter(|it| it.refresh_first).cloned().collect();
        let Some(provider) = self.state.provider.clone().filter(|_| !unsure.is_empty() && !preview) else {
            return false;
        };
        self.configure(plugin, &provider).await.unwrap();
        let mut unseen = Report::default();
        for entry in unsure {
            self.refresh_one(plugin, entry, &mut unseen).await;
        }
        report.errors.extend(unseen.errors);
        true
    }

    /// CheckConfig and DiffConfig; answers the configuration to go on with.
    pub(super) async fn check_provider(
        &self,
        plugin: &mut Plugin,
        program: &Program,
        report: &mut Report,
    ) -> Option<Value> {
        let (olds, plain) = (self.state.provider.clone(), revealed(&program.provider));
        let request = CheckRequest {
            urn: provider_urn(),
            olds: olds.as_ref().map(to_struct),
            news: Some(to_struct(&plain)),
            ..CheckRequest::default()
        };
        let answer = plugin.client.check_config(request).await.unwrap().into_inner();
        let said = json!({ "failures": vec![0; answer.failures.len()] });
        self.note("CheckConfig", &json!({ "olds": olds, "news": plain }), &Answer::Is(said));
        report.errors.extend(answer.failures.into_iter().map(|it| it.reason));
        assert_eq!(from_struct(answer.inputs), plain, "the configuration keeps its shape");
        if !report.errors.is_empty() {
            return None;
        }
        let Some(olds) = olds else { return Some(program.provider.clone()) };
        let request = DiffRequest {
            urn: provider_urn(),
            old_inputs: Some(to_struct(&olds)),
            olds: Some(to_struct(&olds)),
            news: Some(to_struct(&program.provider)),
            ..DiffRequest::default()
        };
        let answer = plugin.client.diff_config(request).await.unwrap().into_inner();
        let said = json!({
            "changes": answer.changes().as_str_name(), "diffs": answer.diffs, "replaces": answer.replaces,
        });
        self.note("DiffConfig", &json!({ "oldInputs": olds, "news": program.provider }), &Answer::Is(said));
        assert!(answer.replaces.is_empty(), "this engine does not replace providers");
        // With NONE the engine goes on with the old configuration.
        Some(if answer.changes() == DiffChanges::DiffNone { olds } else { program.provider.clone() })
    }

    /// One registered service.
    pub(super) async fn service(
        &mut self,
        plugin: &mut Plugin,
        program: &Program,
        name: &str,
        inputs: &Value,
        preview: bool,
        report: &mut Report,
    ) -> Result<(), Died> {
        let mut old = self.state.entry(name).cloned();
        if let ResourceOption::Get(id) = &program.option {
            if let Some(read) = self.read_by_id(plugin, name, id, true, report).await {
                self.state.put(Entry { inputs: Value::Null, external: true, ..read });
            }
            return Ok(());
        }
        let mut imported = false;
        if let (ResourceOption::Import(id), None) = (&program.option, &old) {
            imported = true;
            old = self.read_by_id(plugin, name, id, true, report).await;
            if old.is_none() {
                return Ok(());
            }
        }
        let replaced = old.as_ref().is_some_and(|it| it.taint || self.replace);
        let olds = old.as_ref().filter(|_| !replaced).map(|it| &it.inputs);
        let Some(checked) = self.check(plugin, name, olds, inputs, report).await else { return Ok(()) };
        let Some(old) = old else {
            return self.make(plugin, name, &checked, preview, report).await;
        };
        if replaced {
            // Diff is not asked: it is created first, whatever Diff would say, unless the user says otherwise.
            let first = program.option == ResourceOption::DeleteBeforeReplace;
            return self.replace_it(plugin, &old, &checked, first, preview, report).await;
        }
        let diff = match self.diff(plugin, &old, &checked).await {
            Ok(answer) => answer,
            Err(status) => {
                report.errors.push(status.message().to_owned());
                return Ok(());
            }
        };
        report
            .details
            .extend(diff.detailed_diff.iter().map(|(path, it)| (path.clone(), format!("{:?}", it.kind()))));
        if !diff.replaces.is_empty() || old.pending_replacement {
            let Some(checked) = self.check(plugin, name, None, inputs, report).await else { return Ok(()) };
            return self
                .replace_it(plugin, &old, &checked, diff.delete_before_replace, preview, report)
                .await;
        }
        if diff.changes() == DiffChanges::DiffSome || !old.init_errors.is_empty() {
            let reached = self.update(plugin, &old, &checked, preview, report).await?;
            if let (Reached::Entry(entry), false) = (reached, preview) {
                self.state.put(entry);
            }
            return Ok(());
        }
        report.operations.push(("same", name.to_owned()));
        report.outputs.insert(name.to_owned(), old.outputs.clone());
        if !preview {
            // What was imported and needs no change is kept as it was read.
            let inputs = if imported { old.inputs.clone() } else { checked };
            self.state.put(Entry { inputs, ..old });
        }
        Ok(())
    }

    async fn make(
        &mut self,
        plugin: &mut Plugin,
        name: &str,
        inputs: &Value,
        preview: bool,
        report: &mut Report,
    ) -> Result<(), Died> {
        let reached = self.create(plugin, name, inputs, preview, report).await?;
        if let (Reached::Entry(entry), false) = (reached, preview) {
            self.state.put(entry);
        }
        Ok(())
    }

    /// One after the other, in the order that is asked for.
    async fn replace_it(
        &mut self,
        plugin: &mut Plugin,
        old: &Entry,
        inputs: &Value,
        delete_first: bool,
        preview: bool,
        report: &mut Report,
    ) -> Result<(), Died> {
        if delete_first {
            if !old.pending_replacement {
                if !self.delete(plugin, old, preview, report).await? {
                    return Ok(());
                }
                if let (Some(entry), false) = (self.state.entry_mut(&old.name), preview) {
                    entry.pending_replacement = true;
                }
            }
            return self.make(plugin, &old.name, inputs, preview, report).await;
        }
        let reached = self.create(plugin, &old.name, inputs, preview, report).await?;
        if let (Reached::Entry(entry), false) = (reached, preview) {
            if let Some(old) = self.state.entry_mut(&old.name) {
                (old.delete, old.taint) = (true, false);
            }
            self.state.put(entry);
        }
        Ok(())
    }
}

/// What the parts of an answer to Diff say of each other.
pub(super) fn assert_consistent(diff: &DiffResponse) {
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

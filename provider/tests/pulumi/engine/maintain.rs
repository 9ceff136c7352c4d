//! `refresh` and `destroy`, which do not run the program.

use eventual_provider_wire::pulumirpc::{DeleteRequest, DiffRequest, ReadRequest};
use serde_json::{Value, json};

use super::plugin::Plugin;
use super::state::Entry;
use super::values::{by_hash, from_struct, to_struct};
use super::{Engine, Report, TYPE, init_failed, urn};

impl Engine {
    /// `pulumi refresh -f`.
    pub(crate) async fn refresh(&mut self) -> Report {
        let mut report = Report::default();
        let provider = self.state.provider.clone().unwrap_or_else(|| json!({}));
        let mut plugin = self.start(&provider).await;
        // There is no CheckConfig: the configuration in the state was checked.
        self.configure(&mut plugin, &provider, false).await.unwrap();
        for entry in self.state.entries.clone() {
            self.read(&mut plugin, entry, &mut report).await;
        }
        self.finish(plugin, &report).await;
        report
    }

    /// `pulumi destroy -f`.
    pub(crate) async fn destroy(&mut self) -> Report {
        let mut report = Report::default();
        let provider = self.state.provider.clone().unwrap_or_else(|| json!({}));
        let mut plugin = self.start(&provider).await;
        self.configure(&mut plugin, &provider, false).await.unwrap();
        for entry in self.state.entries.clone().into_iter().rev() {
            self.delete(&mut plugin, &entry, false, &mut report).await;
        }
        self.finish(plugin, &report).await;
        report
    }

    async fn read(&mut self, plugin: &mut Plugin, entry: Entry, report: &mut Report) {
        let request = ReadRequest {
            id: entry.id.clone(),
            urn: urn(&entry.name),
            properties: Some(to_struct(&by_hash(&entry.outputs))),
            inputs: Some(to_struct(&by_hash(&entry.inputs))),
            name: entry.name.clone(),
            r#type: TYPE.to_owned(),
            ..ReadRequest::default()
        };
        let (id, outputs, inputs, init_errors) = match plugin.client.read(request).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                (answer.id, answer.properties, answer.inputs, Vec::new())
            }
            Err(status) => match init_failed(&status) {
                Some(failed) => (failed.id, failed.properties, failed.inputs, failed.reasons),
                None => return report.errors.push(status.message().to_owned()),
            },
        };
        report.warnings.extend(init_errors.clone());
        if id.is_empty() {
            report.operations.push(("delete", entry.name.clone()));
            return self.state.remove(&entry.name);
        }
        let (outputs, inputs) = (from_struct(outputs), from_struct(inputs));
        self.assert_marked("the answer of Read", &json!([outputs, inputs]));
        self.diff_after_read(plugin, &entry, &outputs, &inputs).await;
        let changed = by_hash(&entry.outputs) != by_hash(&outputs);
        report.operations.push((if changed { "update" } else { "same" }, entry.name.clone()));
        report.outputs.insert(entry.name.clone(), outputs.clone());
        self.state.put(Entry { outputs, inputs, init_errors, ..entry });
    }

    /// The Diff of a refresh, turned round: what was read is old, what the state holds is new. No Check precedes it, so
    /// the provider has not been told where the artifact is.
    async fn diff_after_read(&self, plugin: &mut Plugin, entry: &Entry, outputs: &Value, inputs: &Value) {
        let request = DiffRequest {
            id: entry.id.clone(),
            urn: urn(&entry.name),
            olds: Some(to_struct(&by_hash(outputs))),
            news: Some(to_struct(&by_hash(&entry.inputs))),
            old_inputs: Some(to_struct(&by_hash(inputs))),
            name: entry.name.clone(),
            r#type: TYPE.to_owned(),
            ..DiffRequest::default()
        };
        plugin.client.diff(request).await.unwrap();
    }

    pub(super) async fn delete(
        &mut self,
        plugin: &mut Plugin,
        entry: &Entry,
        preview: bool,
        report: &mut Report,
    ) {
        report.operations.push(("delete", entry.name.clone()));
        if preview {
            return;
        }
        let request = DeleteRequest {
            id: entry.id.clone(),
            urn: urn(&entry.name),
            properties: Some(to_struct(&by_hash(&entry.outputs))),
            old_inputs: Some(to_struct(&by_hash(&entry.inputs))),
            name: entry.name.clone(),
            r#type: TYPE.to_owned(),
            ..DeleteRequest::default()
        };
        match plugin.client.delete(request).await {
            Ok(_) => self.state.remove(&entry.name),
            Err(status) => report.errors.push(status.message().to_owned()),
        }
    }
}

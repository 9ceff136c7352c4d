//! The calls of one resource: each is made, written into the trace, and judged as the real engine does.

use std::collections::BTreeMap;

use eventual_provider_wire::pulumirpc::{
    CheckRequest, CreateRequest, DeleteRequest, DiffRequest, DiffResponse, ReadRequest, UpdateRequest,
};
use serde_json::{Value, json};
use tonic::{Response, Status};

use super::interrupt::Died;
use super::plugin::Plugin;
use super::state::Entry;
use super::values::{by_hash, from_struct, has_unknown, to_struct};
use super::{Engine, Report, init_failed};
use crate::trace::{self, Answer};

/// What a call that makes or changes something came to.
pub(super) enum Reached {
    /// The resource, perhaps not whole.
    Entry(Entry),
    /// Nothing.
    Nothing,
}

impl Engine {
    pub(super) fn note(&self, method: &str, request: &Value, answer: &Answer) {
        self.trace.lock().unwrap().extend(trace::line(method, request, answer));
    }

    fn noted<T>(
        &self,
        method: &str,
        request: &Value,
        answer: Result<Response<T>, Status>,
        json: impl Fn(&T) -> Value,
    ) -> Result<T, Status> {
        let said = match &answer {
            Ok(answer) => Answer::Is(json(answer.get_ref())),
            Err(status) => error(status),
        };
        self.note(method, request, &said);
        answer.map(Response::into_inner)
    }

    /// Check; `None` when it failed.
    pub(super) async fn check(
        &self,
        plugin: &mut Plugin,
        name: &str,
        olds: Option<&Value>,
        news: &Value,
        report: &mut Report,
    ) -> Option<Value> {
        let request = CheckRequest {
            urn: self.urn(name),
            olds: Some(to_struct(olds.unwrap_or(&json!({})))),
            news: Some(to_struct(news)),
            random_seed: vec![7; 32],
            name: name.to_owned(),
            r#type: self.kind.clone(),
            autonaming: None,
        };
        let answer = plugin.client.check(request).await;
        let told = json!({ "olds": olds, "news": news });
        let answer =
            self.noted("Check", &told, answer, |it| json!({ "failures": vec![0; it.failures.len()] }));
        let answer = match answer {
            Ok(answer) => answer,
            Err(status) => {
                report.errors.push(status.message().to_owned());
                return None;
            }
        };
        for failure in &answer.failures {
            assert_eq!(failure.property, "", "with a property the engine prints its value, secrets in clear");
            report.errors.push(format!("{} resource '{name}' has a problem: {}", self.kind, failure.reason));
        }
        let inputs = from_struct(answer.inputs);
        self.assert_marked("the answer of Check", &inputs);
        answer.failures.is_empty().then_some(inputs)
    }

    /// Diff of a state with new inputs.
    pub(super) async fn diff(
        &self,
        plugin: &mut Plugin,
        old: &Entry,
        news: &Value,
    ) -> Result<DiffResponse, Status> {
        let (olds, news, inputs) = (by_hash(&old.outputs), by_hash(news), by_hash(&old.inputs));
        let request = DiffRequest {
            id: old.id.clone(),
            urn: self.urn(&old.name),
            olds: Some(to_struct(&olds)),
            news: Some(to_struct(&news)),
            old_inputs: Some(to_struct(&inputs)),
            name: old.name.clone(),
            r#type: self.kind.clone(),
            ..DiffRequest::default()
        };
        let answer = plugin.client.diff(request).await;
        let told = json!({ "olds": olds, "news": news, "oldInputs": inputs });
        let answer = self.noted("Diff", &told, answer, |it| {
            let detailed: BTreeMap<&String, i32> =
                it.detailed_diff.iter().map(|(path, it)| (path, it.kind)).collect();
            json!({
                "changes": it.changes().as_str_name(), "replaces": it.replaces,
                "deleteBeforeReplace": it.delete_before_replace, "detailedDiff": detailed,
            })
        })?;
        super::deploy::assert_consistent(&answer);
        Ok(answer)
    }

    pub(super) async fn create(
        &mut self,
        plugin: &mut Plugin,
        name: &str,
        inputs: &Value,
        preview: bool,
        report: &mut Report,
    ) -> Result<Reached, Died> {
        report.operations.push(("create", name.to_owned()));
        let token = self.stage.begin();
        let request = CreateRequest {
            urn: self.urn(name),
            properties: Some(to_struct(inputs)),
            preview,
            name: name.to_owned(),
            r#type: self.kind.clone(),
            resource_status_address: self.stage_address.clone(),
            resource_status_token: token.clone(),
            ..CreateRequest::default()
        };
        let mut client = plugin.client.clone();
        let call = async move { client.create(request).await };
        let told = json!({ "properties": inputs, "preview": preview });
        let answer = match self.interruptible(plugin, call).await {
            Ok(answer) => answer,
            Err(died) => {
                self.note("Create", &told, &Answer::Never);
                self.state.pending.push(("creating", name.to_owned()));
                return Err(died);
            }
        };
        let answer = self.noted(
            "Create",
            &told,
            answer,
            |it| json!({ "properties": from_struct(it.properties.clone()) }),
        );
        let entry = Entry { name: name.to_owned(), inputs: inputs.clone(), ..Entry::default() };
        Ok(match answer {
            Ok(answer) => {
                let outputs = self.result(name, answer.properties, preview, report);
                self.take_views(name, &token, preview);
                Reached::Entry(Entry { id: answer.id, outputs, ..entry })
            }
            Err(status) => {
                report.errors.push(status.message().to_owned());
                let Some(failed) = init_failed(&status) else {
                    assert!(
                        self.stage.end(&token).is_empty(),
                        "views of a resource that is not in the state"
                    );
                    return Ok(Reached::Nothing);
                };
                let outputs = self.result(name, failed.properties, preview, report);
                self.take_views(name, &token, preview);
                Reached::Entry(Entry {
                    id: failed.id,
                    inputs: from_struct(failed.inputs),
                    outputs,
                    init_errors: failed.reasons,
                    refresh_first: failed.refresh_before_update,
                    ..entry
                })
            }
        })
    }

    pub(super) async fn update(
        &mut self,
        plugin: &mut Plugin,
        old: &Entry,
        inputs: &Value,
        preview: bool,
        report: &mut Report,
    ) -> Result<Reached, Died> {
        report.operations.push(("update", old.name.clone()));
        let token = self.stage.begin();
        let (olds, old_inputs) = (by_hash(&old.outputs), by_hash(&old.inputs));
        let request = UpdateRequest {
            id: old.id.clone(),
            urn: self.urn(&old.name),
            olds: Some(to_struct(&olds)),
            news: Some(to_struct(inputs)),
            old_inputs: Some(to_struct(&old_inputs)),
            preview,
            name: old.name.clone(),
            r#type: self.kind.clone(),
            resource_status_address: self.stage_address.clone(),
            resource_status_token: token.clone(),
            old_views: self.state.old_views(&old.name),
            ..UpdateRequest::default()
        };
        let mut client = plugin.client.clone();
        let call = async move { client.update(request).await };
        let told = json!({ "olds": olds, "oldInputs": old_inputs, "news": inputs, "preview": preview });
        let answer = match self.interruptible(plugin, call).await {
            Ok(answer) => answer,
            Err(died) => {
                self.note("Update", &told, &Answer::Never);
                self.state.pending.push(("updating", old.name.clone()));
                return Err(died);
            }
        };
        let answer = self.noted(
            "Update",
            &told,
            answer,
            |it| json!({ "properties": from_struct(it.properties.clone()) }),
        );
        let entry = Entry { init_errors: Vec::new(), refresh_first: false, ..old.clone() };
        self.take_views(&old.name, &token, preview);
        Ok(match answer {
            Ok(answer) => {
                let outputs = self.result(&old.name, answer.properties, preview, report);
                Reached::Entry(Entry { inputs: inputs.clone(), outputs, ..entry })
            }
            Err(status) => {
                report.errors.push(status.message().to_owned());
                let Some(failed) = init_failed(&status) else { return Ok(Reached::Nothing) };
                let outputs = self.result(&old.name, failed.properties, preview, report);
                // The inputs of a failed update are ignored: the old ones stay.
                let refresh_first = failed.refresh_before_update;
                Reached::Entry(Entry { outputs, init_errors: failed.reasons, refresh_first, ..entry })
            }
        })
    }

    /// Read of `entry`: by its id alone when it has no outputs yet. `None` when it is gone.
    pub(super) async fn read(
        &mut self,
        plugin: &mut Plugin,
        entry: &Entry,
        token: bool,
        report: &mut Report,
    ) -> Result<Option<Entry>, Status> {
        let (properties, inputs) = (by_hash(&entry.outputs), by_hash(&entry.inputs));
        let given = |value: &Value| value.is_object().then(|| to_struct(value));
        let token = if token { self.stage.begin() } else { String::new() };
        let by_id = !properties.is_object();
        let request = ReadRequest {
            id: entry.id.clone(),
            urn: self.urn(&entry.name),
            properties: given(&properties),
            inputs: given(&inputs),
            name: entry.name.clone(),
            r#type: self.kind.clone(),
            resource_status_address: self.stage_address.clone(),
            resource_status_token: token.clone(),
            old_views: if by_id { Vec::new() } else { self.state.old_views(&entry.name) },
            ..ReadRequest::default()
        };
        let told = json!({ "properties": properties, "inputs": inputs, "resourceStatusToken": token });
        let answer = plugin.client.read(request).await;
        let answer = self.noted("Read", &told, answer, |it| {
            let (outputs, inputs) = (from_struct(it.properties.clone()), from_struct(it.inputs.clone()));
            json!({ "id": it.id, "properties": outputs, "inputs": inputs })
        });
        self.take_views(&entry.name, &token, false);
        let (id, outputs, inputs, init_errors) = match answer {
            Ok(it) => (it.id, it.properties, it.inputs, Vec::new()),
            Err(status) => match init_failed(&status) {
                Some(failed) => (failed.id, failed.properties, failed.inputs, failed.reasons),
                None => return Err(status),
            },
        };
        if id.is_empty() {
            return Ok(None);
        }
        let (outputs, inputs) = (from_struct(outputs), super::values::without_files(&from_struct(inputs)));
        self.assert_marked("the answer of Read", &json!([outputs, inputs]));
        report.warnings.extend(init_errors.clone());
        report.outputs.insert(entry.name.clone(), outputs.clone());
        let refresh_first = !init_errors.is_empty();
        Ok(Some(Entry { id, outputs, inputs, init_errors, refresh_first, ..entry.clone() }))
    }

    /// Read of what only its id is known of; `None` after an error.
    pub(super) async fn read_by_id(
        &mut self,
        plugin: &mut Plugin,
        name: &str,
        id: &str,
        token: bool,
        report: &mut Report,
    ) -> Option<Entry> {
        let entry = Entry { name: name.to_owned(), id: id.to_owned(), ..Entry::default() };
        match self.read(plugin, &entry, token, report).await {
            Ok(Some(read)) => return Some(read),
            Ok(None) => report.errors.push(format!("resource '{id}' does not exist")),
            Err(status) => report.errors.push(status.message().to_owned()),
        }
        None
    }

    /// Delete; whether it was done.
    pub(super) async fn delete(
        &mut self,
        plugin: &mut Plugin,
        entry: &Entry,
        preview: bool,
        report: &mut Report,
    ) -> Result<bool, Died> {
        report.operations.push(("delete", entry.name.clone()));
        if preview {
            return Ok(true);
        }
        let (properties, old_inputs) = (by_hash(&entry.outputs), by_hash(&entry.inputs));
        let token = self.stage.begin();
        let request = DeleteRequest {
            id: entry.id.clone(),
            urn: self.urn(&entry.name),
            properties: Some(to_struct(&properties)),
            old_inputs: Some(to_struct(&old_inputs)),
            name: entry.name.clone(),
            r#type: self.kind.clone(),
            resource_status_address: self.stage_address.clone(),
            resource_status_token: token.clone(),
            old_views: self.state.old_views(&entry.name),
            ..DeleteRequest::default()
        };
        let told = json!({ "properties": properties, "oldInputs": old_inputs });
        let mut client = plugin.client.clone();
        let call = async move { client.delete(request).await };
        let answer = match self.interruptible(plugin, call).await {
            Ok(answer) => answer,
            Err(died) => {
                self.note("Delete", &told, &Answer::Never);
                self.state.pending.push(("deleting", entry.name.clone()));
                return Err(died);
            }
        };
        self.take_views(&entry.name, &token, false);
        Ok(match self.noted("Delete", &told, answer, |()| json!({})) {
            Ok(()) => true,
            Err(status) => {
                report.errors.push(status.message().to_owned());
                false
            }
        })
    }

    /// Ends a call: what it published is in the state from now on, unless this is a preview.
    fn take_views(&mut self, owner: &str, token: &str, preview: bool) {
        let steps = self.stage.end(token);
        if !preview {
            self.state.apply_views(owner, steps);
        }
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
}

fn error(status: &Status) -> Answer {
    use tonic::Code;
    // The connection broke.
    if matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Unknown) {
        return Answer::Never;
    }
    Answer::Error(format!("{:?}", status.code()))
}

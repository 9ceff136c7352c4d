//! Commands that do not run the program: `refresh`, `destroy`, `import`, and those that only change the state.

use serde_json::json;

use super::plugin::Plugin;
use super::state::Entry;
use super::values::by_hash;
use super::{Engine, Report};

impl Engine {
    /// `pulumi refresh -f`.
    pub(crate) async fn refresh(&mut self) -> Report {
        let mut report = Report::default();
        let mut plugin = self.start_configured().await;
        for entry in self.state.entries.clone() {
            self.refresh_one(&mut plugin, entry, &mut report).await;
        }
        self.finish(plugin, &report).await;
        report
    }

    /// `pulumi destroy -f`.
    pub(crate) async fn destroy(&mut self) -> Report {
        let mut report = Report::default();
        self.state.pending.retain(|(what, _)| *what == "creating");
        let mut plugin = self.start_configured().await;
        for entry in self.state.entries.clone().into_iter().rev() {
            let deleted = if entry.external {
                Ok(true)
            } else {
                self.delete(&mut plugin, &entry, false, &mut report).await
            };
            match deleted {
                Ok(true) => self.state.remove(&entry.name, entry.delete),
                Ok(false) => {}
                Err(died) => return self.died(died, plugin, report).await,
            }
        }
        if self.state.entries.is_empty() {
            // The provider's own entry goes last.
            (self.state.provider, self.state.provider_id) = (None, None);
        }
        self.finish(plugin, &report).await;
        report
    }

    /// `pulumi import`.
    pub(crate) async fn import(&mut self, name: &str, id: &str) -> Report {
        let mut report = Report::default();
        let mut plugin = self.start_configured().await;
        if let Some(read) = self.read_by_id(&mut plugin, name, id, false, &mut report).await {
            let mut wrong = Report::default();
            self.check(&mut plugin, name, Some(&read.inputs), &read.inputs, &mut wrong).await;
            report.warnings.extend(wrong.errors);
            self.state.put(read);
        }
        self.finish(plugin, &report).await;
        report
    }

    /// `pulumi state taint`.
    pub(crate) fn taint(&mut self, name: &str) {
        self.state.entry_mut(name).unwrap().taint = true;
    }

    /// `pulumi state delete`.
    pub(crate) fn forget(&mut self, name: &str) {
        self.state.views.retain(|it| it.owner != name);
        self.state.remove(name, false);
    }

    /// There is no CheckConfig: the configuration in the state was checked.
    async fn start_configured(&mut self) -> Plugin {
        let provider = self.state.provider.clone().unwrap_or_else(|| json!({}));
        let mut plugin = self.start(&provider).await;
        self.configure(&mut plugin, &provider).await.unwrap();
        plugin
    }

    /// Reads one, and lets Diff say what changed, turned round: what was read is old, what the state holds is new. No Check
    /// precedes it, so the provider has not been told where the artifact is.
    pub(super) async fn refresh_one(&mut self, plugin: &mut Plugin, entry: Entry, report: &mut Report) {
        let name = entry.name.clone();
        let read = match self.read(plugin, &entry, true, report).await {
            Ok(Some(read)) => read,
            Ok(None) => {
                report.operations.push(("delete", name.clone()));
                return self.state.remove(&name, entry.delete);
            }
            Err(status) => return report.errors.push(status.message().to_owned()),
        };
        if entry.external {
            return self.state.put(Entry { inputs: entry.inputs, ..read });
        }
        self.diff(plugin, &read, &entry.inputs).await.unwrap();
        let changed = by_hash(&entry.outputs) != by_hash(&read.outputs);
        report.operations.push((if changed { "update" } else { "same" }, name));
        self.state.put(read);
    }
}

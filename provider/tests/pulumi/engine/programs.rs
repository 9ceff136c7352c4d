//! `preview` and `up` of a real program in Node or Python, in a process of its own on the SDK of its language.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::interrupt::Died;
use super::log::Log;
use super::monitor::{Monitor, Wanted};
use super::plugin::Plugin;
use super::values::with_hashes;
use super::{Engine, Program, Report, ResourceOption};

impl Engine {
    /// Runs the program that `command` starts, with the addresses of monitor and engine; answers what it exported, and all
    /// that it said.
    pub(crate) async fn run(
        &mut self,
        preview: bool,
        command: impl FnOnce(&str, &str) -> Command,
    ) -> (Report, Value, String) {
        let (monitor, address, mut wanted) = Monitor::serve().await;
        // What the SDK says of its own doing is not the provider's, and is only shown with `--debug`.
        let (_, log) = Log::serve().await;
        let mut command = command(&address, &log);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let running = tokio::task::spawn_blocking(move || command.output());
        tokio::pin!(running);
        let mut report = Report::default();
        let mut plugin = None;
        let mut names = Vec::new();
        let output = loop {
            tokio::select! {
                Some(it) = wanted.recv() => {
                    names.push(it.name.clone());
                    self.wanted(&mut plugin, it, preview, &mut report).await;
                }
                output = &mut running => break output.unwrap().unwrap(),
            }
        };
        let said =
            [output.stdout, output.stderr].map(|it| String::from_utf8_lossy(&it).into_owned()).concat();
        if !output.status.success() && report.errors.is_empty() {
            report.errors.push(said.clone());
        }
        if let Some(mut plugin) = plugin {
            if report.errors.is_empty() {
                let services = names.into_iter().map(|name| (name, json!({}))).collect();
                let program = Program { provider: json!({}), services, option: ResourceOption::None };
                self.delete_what_is_over(&mut plugin, &program, preview, &mut report).await;
            }
            self.finish(plugin, &report).await;
        }
        (report, monitor.outputs(), said)
    }

    async fn wanted(&mut self, plugin: &mut Option<Plugin>, it: Wanted, preview: bool, report: &mut Report) {
        let Wanted { kind, name, inputs, parameter, answer } = it;
        self.kind = kind;
        let inputs = with_hashes(self.folder.path(), &inputs);
        self.secrets.extend(super::values::secret_texts(&inputs));
        let services = vec![(name.clone(), inputs.clone())];
        let program = Program { provider: json!({}), services, option: ResourceOption::None };
        if plugin.is_none() {
            *plugin = self.started(&program, parameter, preview, report).await;
        }
        if let Some(plugin) = plugin {
            let ran = self.service(plugin, &program, &name, &inputs, preview, report).await;
            assert!(!matches!(ran, Err(Died::Engine | Died::Abandoned)), "nobody interferes with a program");
        }
        let answered = match (report.errors.first(), report.outputs.get(&name)) {
            (None, Some(outputs)) => Ok((name, outputs.clone())),
            (why, _) => Err(why.cloned().unwrap_or_default()),
        };
        // A program that has ended does not hear it.
        let _ = answer.send(answered);
    }

    async fn started(
        &mut self,
        program: &Program,
        parameter: Option<Vec<u8>>,
        preview: bool,
        report: &mut Report,
    ) -> Option<Plugin> {
        self.parameter = parameter;
        let mut plugin = self.start(&program.provider).await;
        let provider = self.check_provider(&mut plugin, program, report).await?;
        if !preview && self.state.provider_id.is_none() {
            self.state.provider_id = Some(super::made_up_id());
        }
        if let Err(status) = self.configure(&mut plugin, &provider).await {
            report.errors.push(status.message().to_owned());
        }
        if !preview {
            self.state.provider = Some(provider);
        }
        Some(plugin)
    }
}

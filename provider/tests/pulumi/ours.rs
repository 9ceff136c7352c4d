//! Plays sequences on our own engine.

use serde_json::json;

use crate::emulated::setting;
use crate::engine::state::{Entry, State};
use crate::engine::values::{archive, secret};
use crate::engine::{Engine, Interrupt, Program, Report, ResourceOption};
use crate::fixtures;
use crate::sequences::{Choice, Command, Driver, Kept, Ran, TOKEN, Wish};

/// Our engine in front of a program.
pub(crate) struct Ours {
    engine: Engine,
    backend: usize,
    /// States of the other backends.
    elsewhere: Vec<State>,
}

impl Ours {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (key, secret) = (setting("AWS_ACCESS_KEY_ID"), setting("AWS_SECRET_ACCESS_KEY"));
        let environment = [
            ("AWS_ENDPOINT_URL", setting("EVENTUAL_TEST_ENDPOINT")),
            ("AWS_ACCESS_KEY_ID", key),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_REGION", "us-east-1".to_owned()),
        ];
        let environment: Vec<(&str, &str)> =
            environment.iter().map(|(key, it)| (*key, it.as_str())).collect();
        Self {
            engine: Engine::new(folder, &environment).await,
            backend: 0,
            elsewhere: vec![State::default(); 2],
        }
    }

    fn program(&self, wish: &Wish, name: &str) -> Program {
        let file = self.engine.folder().join("orders.zip");
        fixtures::write_artifact(&file, ["0.1.0", "0.2.0"][(wish.build - 1) as usize]);
        let mut inputs = json!({
            "name": name, "artifact": archive(self.engine.folder(), "orders.zip"),
            "environment": { "TOKEN": secret(TOKEN) }, "forceDestroy": true, "defaults": { "auth": { "type": "iam" } },
        });
        inputs.as_object_mut().unwrap().extend(wish.inputs.as_object().unwrap().clone());
        let option = match wish.option {
            Choice::None => ResourceOption::None,
            Choice::Import => ResourceOption::Import(name.to_owned()),
            Choice::Get => ResourceOption::Get(name.to_owned()),
            Choice::DeleteFirst => ResourceOption::DeleteBeforeReplace,
        };
        Program { provider: wish.provider.clone(), services: vec![("orders".to_owned(), inputs)], option }
    }

    async fn give(&mut self, program: &Program, name: &str, command: Command) -> Report {
        let engine = &mut self.engine;
        engine.interrupt = match command {
            Command::UpCtrlC => Some(Interrupt::Cancel(6)),
            Command::UpCtrlCTwice => Some(Interrupt::CancelTwice(6)),
            Command::UpKillEngine => Some(Interrupt::Die(6)),
            Command::UpKillProvider => Some(Interrupt::Kill(6)),
            // What can be deleted at once is under way with the first line.
            Command::DestroyCtrlC => Some(Interrupt::Cancel(1)),
            Command::DestroyCtrlCTwice => Some(Interrupt::CancelTwice(1)),
            Command::DestroyKillEngine => Some(Interrupt::Die(1)),
            Command::DestroyKillProvider => Some(Interrupt::Kill(1)),
            _ => None,
        };
        match command {
            Command::DestroyCtrlC
            | Command::DestroyCtrlCTwice
            | Command::DestroyKillEngine
            | Command::DestroyKillProvider => engine.destroy().await,
            Command::Preview => engine.preview(program).await,
            Command::Refresh => engine.refresh().await,
            Command::Destroy => engine.destroy().await,
            Command::Import => engine.import("orders", name).await,
            Command::Taint => {
                engine.taint("orders");
                Report::default()
            }
            Command::Forget => {
                engine.forget("orders");
                Report::default()
            }
            Command::UpReplace | Command::UpTargetReplace => {
                engine.replace = true;
                let report = engine.up(program).await;
                engine.replace = false;
                report
            }
            _ => engine.up(program).await,
        }
    }
}

fn kept(entry: &Entry) -> Kept {
    let marks = [
        ("delete", entry.delete),
        ("pendingReplacement", entry.pending_replacement),
        ("taint", entry.taint),
        ("external", entry.external),
    ];
    Kept {
        id: entry.id.clone(),
        outputs: entry.outputs.clone(),
        init_errors: entry.init_errors.len(),
        marks: marks.into_iter().filter(|(_, it)| *it).map(|(mark, _)| mark).collect(),
    }
}

impl Driver for Ours {
    async fn run(&mut self, wish: &Wish, name: &str, command: Command) -> Ran {
        let program = self.program(wish, name);
        let report = self.give(&program, name, command).await;
        let died = matches!(command, Command::UpKillEngine | Command::DestroyKillEngine);
        let said: Vec<String> = report.errors.iter().chain(&report.warnings).cloned().collect();
        let state = &self.engine.state;
        Ran {
            well: report.errors.is_empty() && !died,
            said: said.join("\n"),
            calls: self.engine.calls(),
            views: state.views.len(),
            kept: state.entries.iter().map(kept).collect(),
            pending: state.pending.iter().map(|(what, _)| (*what).to_owned()).collect(),
        }
    }

    async fn backend(&mut self, number: usize) {
        let next = std::mem::take(&mut self.elsewhere[number]);
        self.elsewhere[self.backend] = std::mem::replace(&mut self.engine.state, next);
        self.backend = number;
    }
}

//! Terraform or OpenTofu with our provider, in a folder of its own: a configuration, its variables, its state. Deliberately through
//! the real program only; what it prints and its exit codes are what users see.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::failure::{Context, Result, require};
use crate::process::{self, Finished, Terms};

/// No operation of ours may take longer.
const LIMIT: Terms = Terms::seconds(300);

/// One root module and its state.
#[derive(Debug)]
pub(crate) struct Terraform {
    program: PathBuf,
    folder: PathBuf,
    environment: Vec<(String, String)>,
}

impl Terraform {
    /// Prepares `folder` (created if missing) with the `.tf` files of `configuration`, to be run by `program` with the
    /// provider's file `provider` and the variables of `cloud`.
    pub(crate) fn new(
        program: &Path,
        provider: &Path,
        configuration: &Path,
        folder: &Path,
        cloud: &[(&'static str, String)],
    ) -> Result<Self> {
        let plugins = folder.join(".provider");
        fs::create_dir_all(&plugins).context(plugins.display())?;
        symlink(provider, plugins.join("terraform-provider-eventual")).context("cannot link the provider")?;
        for entry in fs::read_dir(configuration).context(configuration.display())? {
            let file = entry.context(configuration.display())?.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(".tf") || name.ends_with(".hcl") {
                fs::copy(&file, folder.join(name)).context(file.display())?;
            }
        }
        let settings = folder.join(".terraformrc");
        let words = format!(
            "provider_installation {{\n  dev_overrides {{ \"eventual/eventual\" = {} }}\n  direct {{}}\n}}\ndisable_checkpoint = true\n",
            json!(plugins)
        );
        fs::write(&settings, words).context(settings.display())?;
        let mut environment: Vec<(String, String)> =
            cloud.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        environment.push(("TF_CLI_CONFIG_FILE".into(), settings.display().to_string()));
        environment.push(("CHECKPOINT_DISABLE".into(), "1".into()));
        Ok(Self { program: program.to_path_buf(), folder: folder.to_path_buf(), environment })
    }

    /// Where it runs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The program that runs in it.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The variables that it needs, for a person who takes over.
    pub(crate) fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// Sets a variable of the environment of everything that runs from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
    }

    /// Writes a further file of the configuration.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        let file = self.folder.join(name);
        fs::write(&file, text).context(file.display())
    }

    /// Sets the values of the configuration's variables.
    pub(crate) fn variables(&self, values: &Value) -> Result<()> {
        let file = self.folder.join("terraform.tfvars.json");
        fs::write(&file, format!("{values:#}\n")).context(file.display())
    }

    /// Replaces attributes of the resource `eventual_service.<name>`, as an override file does. `null` removes the file.
    pub(crate) fn amend(&self, name: &str, attributes: &Value) -> Result<()> {
        let file = self.folder.join("amended_override.tf.json");
        if attributes.is_null() {
            return if file.exists() { fs::remove_file(&file).context(file.display()) } else { Ok(()) };
        }
        let words = json!({ "resource": { "eventual_service": { name: attributes } } });
        fs::write(&file, format!("{words:#}\n")).context(file.display())
    }

    /// The command with `arguments`, not run yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        // A clean environment: the developer's own AWS profile must not be what the provider finds.
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.folder);
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).env("TF_IN_AUTOMATION", "1");
        // Sockets of a provider that is killed go with the folder.
        command.env("TMPDIR", &self.folder).current_dir(&self.folder).args(arguments);
        command
    }

    /// Runs it with `arguments`; how it ended is the caller's to judge.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Finished> {
        process::run(&mut self.command(arguments), LIMIT)
    }

    /// Runs it with `arguments`; a failure shows its output.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> Result<Finished> {
        self.run(arguments)?.success(format!("{} {}", self.name(), arguments.join(" ")))
    }

    /// `apply`.
    pub(crate) fn apply(&self) -> Result<Finished> {
        self.succeed(&["apply", "-auto-approve", "-input=false", "-no-color"])
    }

    /// `destroy`.
    pub(crate) fn destroy(&self) -> Result<Finished> {
        self.succeed(&["destroy", "-auto-approve", "-input=false", "-no-color"])
    }

    /// `plan -detailed-exitcode`: whether there is something to do.
    pub(crate) fn has_changes(&self) -> Result<bool> {
        let done = self.run(&["plan", "-detailed-exitcode", "-input=false", "-no-color"])?;
        require(matches!(done.code(), 0 | 2), || format!("{} plan failed\n{}", self.name(), done.all))?;
        Ok(done.code() == 2)
    }

    /// Fails if a plan has something to do, showing what.
    pub(crate) fn require_no_changes(&self) -> Result<()> {
        let done = self.run(&["plan", "-detailed-exitcode", "-input=false", "-no-color"])?;
        require(done.code() == 0, || {
            format!("the plan is not empty (exit code {})\n{}", done.code(), done.all)
        })
    }

    /// The attributes of a resource in the state.
    pub(crate) fn state(&self, address: &str) -> Result<Value> {
        let done = self.succeed(&["show", "-json"])?;
        let shown: Value = serde_json::from_str(&done.stdout).context("terraform show -json")?;
        let resources = shown["values"]["root_module"]["resources"].as_array().cloned().unwrap_or_default();
        let found = resources.into_iter().find(|each| each["address"] == address);
        Ok(found.context(format!("{address} is not in the state"))?["values"].take())
    }

    fn name(&self) -> String {
        self.program.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

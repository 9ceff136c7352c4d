//! Where a service is deployed to and driven from: an emulated AWS, a payments gateway, a client with our provider, artifacts. One
//! for a whole run of the end-to-end tests, one for a demo.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::builds::{self, Client};
use crate::cloud::Cloud;
use crate::emulator::{Emulator, Settings};
use crate::failure::{Context, Result};
use crate::gateway::Gateway;
use crate::places::Places;
use crate::terraform::Terraform;

/// Everything that a deployment needs around it.
#[derive(Debug)]
pub(crate) struct Site {
    /// The emulated AWS.
    pub(crate) emulator: Emulator,
    /// The outside world that payments are made with.
    pub(crate) gateway: Gateway,
    /// The folders of the run.
    pub(crate) places: Places,
    work: TempDir,
    client: PathBuf,
    provider: PathBuf,
    artifacts: BTreeMap<String, PathBuf>,
}

/// What a site is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish<'a> {
    /// Who drives the provider.
    pub(crate) client: Client,
    /// Packages of the services whose artifacts are needed.
    pub(crate) services: &'a [&'a str],
    /// Whether it may outlive us.
    pub(crate) outlives: bool,
    /// Whether the output of builds goes to the terminal.
    pub(crate) echo: bool,
    /// Whether provider and artifacts are taken as the last build left them.
    pub(crate) built: bool,
}

impl Site {
    /// Builds what must be built, then starts what must run. `report` hears of each step before it begins.
    pub(crate) fn open(places: &Places, wish: Wish<'_>, mut report: impl FnMut(&str)) -> Result<Self> {
        wish.client.check(places)?;
        report("build the provider");
        let provider =
            if wish.built { builds::provider_file(places) } else { builds::provider(places, wish.echo)? };
        let mut artifacts = BTreeMap::new();
        for service in wish.services {
            report(&format!("build the artifact of {service}"));
            let built = builds::artifact_file(places, service);
            let artifact = if wish.built { built } else { builds::artifact(places, service, wish.echo)? };
            artifacts.insert((*service).to_owned(), artifact);
        }
        report(wish.client.name());
        let client = wish.client.program(places, wish.echo)?;
        report("start the emulated AWS");
        let settings = Settings { outlives: wish.outlives, echo: wish.echo, ..Settings::default() };
        let emulator = Emulator::start(places, settings)?;
        let gateway = Gateway::start()?;
        let work = TempDir::with_prefix("eventual-site-").context("cannot make a temporary folder")?;
        Ok(Self { emulator, gateway, places: places.clone(), work, client, provider, artifacts })
    }

    /// The account of the emulated AWS.
    pub(crate) fn cloud(&self) -> Cloud<'_> {
        Cloud::of(&self.emulator)
    }

    /// The artifact of a service that the site was opened with.
    pub(crate) fn artifact(&self, service: &str) -> Result<&Path> {
        self.artifacts
            .get(service)
            .map(PathBuf::as_path)
            .context(format!("no artifact of {service} was built"))
    }

    /// A root module of its own, called `name`, from the `.tf` files of `configuration` (relative to the checkout).
    pub(crate) fn terraform(&self, name: &str, configuration: &str) -> Result<Terraform> {
        self.terraform_with(&self.client, name, configuration)
    }

    /// The same, driven by another program.
    pub(crate) fn terraform_with(
        &self,
        program: &Path,
        name: &str,
        configuration: &str,
    ) -> Result<Terraform> {
        let folder = self.folder(name)?;
        let cloud = self.emulator.credentials();
        Terraform::new(program, &self.provider, &self.places.root.join(configuration), &folder, &cloud)
    }

    /// A folder of its own, empty, called `name`.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.work.path().join(name);
        fs::create_dir_all(&folder).context(folder.display())?;
        Ok(folder)
    }

    /// The program that drives the provider.
    pub(crate) fn client(&self) -> &Path {
        &self.client
    }

    /// Lets everything outlive us; the answer says how to end it, one command a line.
    pub(crate) fn keep(self) -> Vec<String> {
        let folder = self.work.keep();
        vec![self.gateway.keep(), self.emulator.keep().to_string(), format!("rm -rf {}", folder.display())]
    }
}

//! Generated clients: they compile under the strictest settings of their languages, and call running services. The services
//! run on this machine, on the embedded host, which answers as the deployed ones do.

mod python;
mod serving;
mod terraform;
mod typescript;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use self::serving::Serving;
use crate::builds;
use crate::failure::{Context, Result};
use crate::places::Places;
use crate::process::{self, Finished, Terms};
use crate::suite::{Options, Outcome};

/// The services that are called, by package.
const SERVICES: [&str; 2] = ["orders", "warehouse"];
/// Longest run of one program of this stage.
const LIMIT: Terms = Terms::seconds(120);

/// Builds services, generates their clients, compiles and runs them.
pub(super) fn run(places: &Places, options: &Options) -> Result<Outcome> {
    let bench = Bench::new(places, options)?;
    let mut outcome = Outcome::default();
    python::run(&bench, &mut outcome)?;
    terraform::run(&bench, &mut outcome)?;
    typescript::run(&bench, &mut outcome)?;
    Ok(outcome)
}

/// Where the packages of random types are, one for each language.
const RANDOM: &str = "random";

/// What the languages' parts work with.
struct Bench<'a> {
    places: &'a Places,
    options: &'a Options,
    /// Goes away at the end.
    folder: TempDir,
    services: Vec<Service>,
}

/// A service of the examples.
struct Service {
    name: &'static str,
    binary: PathBuf,
    manifest: PathBuf,
}

impl<'a> Bench<'a> {
    fn new(places: &'a Places, options: &'a Options) -> Result<Self> {
        let folder = TempDir::with_prefix("eventual-sdk-").context("cannot make a temporary folder")?;
        if !options.no_build {
            builds::cargo_build(places, &["--package", "cargo-eventual"], options.verbose)?;
            let packages = SERVICES.iter().flat_map(|name| ["--package", name]);
            let all: Vec<&str> = packages.chain(["--features", "eventual/local"]).collect();
            builds::cargo_build(places, &all, options.verbose)?;
        }
        let mut services = Vec::new();
        for name in SERVICES {
            let binary = places.target.join("debug").join(name);
            let mut printer = Command::new(&binary);
            let printed = process::run(printer.env("EVENTUAL_PRINT_MANIFEST", "1"), LIMIT)?.success(name)?;
            let manifest = folder.path().join(format!("{name}.json"));
            fs::write(&manifest, printed.stdout).context(manifest.display())?;
            services.push(Service { name, binary, manifest });
        }
        let bench = Self { places, options, folder, services };
        let mut random = places.cargo();
        random.args(["test", "--package", "eventual-sdk-gen", "--test", "random", "many_types"]);
        random.env("EVENTUAL_TEST_CLIENTS", bench.folder.path().join(RANDOM));
        process::run(&mut random, Terms { echo: options.verbose, ..Terms::seconds(1200) })?
            .success("writing clients of random types")?;
        Ok(bench)
    }

    /// The package of random types for a language.
    fn random(&self, lang: &str) -> PathBuf {
        self.folder.path().join(RANDOM).join(lang)
    }

    /// Generates the client of a manifest, twice, which must change nothing.
    fn generate(&self, lang: &str, manifest: &Path, out: &Path) -> Result<()> {
        let command = |check: &[&str]| {
            let mut command = Command::new(self.places.target.join("debug/cargo-eventual"));
            command
                .args(["eventual", "sdk", "--lang", lang, "--manifest"])
                .arg(manifest)
                .arg("--out")
                .arg(out)
                .args(check);
            command
        };
        self.run(&mut command(&[]), "cargo eventual sdk")?;
        self.run(&mut command(&["--check"]), "cargo eventual sdk --check").map(drop)
    }

    fn run(&self, command: &mut Command, what: &str) -> Result<Finished> {
        process::run(command, Terms { echo: self.options.verbose, ..LIMIT })?.success(what)
    }

    /// Runs a program against a service of its own, and counts what it says.
    fn calls(&self, service: &Service, command: &mut Command, outcome: &mut Outcome) -> Result<()> {
        let serving =
            Serving::start(&service.binary, &self.folder.path().join(format!("{}-store", service.name)))?;
        let done = process::run(command.arg(&serving.url), Terms { echo: self.options.verbose, ..LIMIT })?;
        drop(serving);
        outcome.passed += done.stdout.lines().filter(|it| it.starts_with("ok ")).count();
        if !done.status.success() {
            outcome.failed += 1;
            outcome.text.push_str(&done.all);
        }
        Ok(())
    }
}

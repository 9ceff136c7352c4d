//! Python: generated packages and the programs that use them pass `mypy --strict`, and the programs run.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::Bench;
use crate::failure::{Context, Result};
use crate::suite::Outcome;
use crate::venv;

const PROGRAMS: &str = "xtask/sdk/python";

pub(super) fn run(bench: &Bench<'_>, outcome: &mut Outcome) -> Result<()> {
    let requirements = format!("{PROGRAMS}/requirements.txt");
    let python = venv::python(bench.places, "sdk-venv", &requirements, bench.options.verbose)?;
    let folder = bench.folder.path().join("python");
    let mut sources: Vec<PathBuf> = Vec::new();
    let mut generate = |name: &str, manifest: PathBuf| -> Result<()> {
        let package = folder.join(name);
        bench.generate("python", &manifest, &package)?;
        sources.push(package.join("src"));
        Ok(())
    };
    for service in &bench.services {
        generate(service.name, service.manifest.clone())?;
    }
    generate("nasty", bench.places.root.join("sdk-gen/tests/nasty.json"))?;
    sources.push(bench.random("python").join("src"));
    let programs = folder.join("programs");
    fs::create_dir_all(&programs).context(programs.display())?;
    for entry in fs::read_dir(bench.places.root.join(PROGRAMS)).context(PROGRAMS)? {
        let file = entry.context(PROGRAMS)?.path();
        fs::copy(&file, programs.join(file.file_name().unwrap_or_default())).context(file.display())?;
    }

    let path = std::env::join_paths(sources.iter().chain([&programs])).context("a folder of Python")?;
    let mut mypy = Command::new(&python);
    mypy.args(["-m", "mypy", "--strict", "--no-error-summary", "--cache-dir"]).arg(folder.join("mypy"));
    mypy.args(&sources).arg(&programs).env("MYPYPATH", &path).current_dir(&folder);
    bench.run(&mut mypy, "mypy --strict")?;
    outcome.passed += sources.len() + 1;
    for service in &bench.services {
        let mut program = Command::new(&python);
        program.arg(programs.join(format!("{}.py", service.name))).env("PYTHONPATH", &path);
        bench.calls(service, program.env("PYTHONDONTWRITEBYTECODE", "1"), outcome)?;
    }
    Ok(())
}

//! TypeScript: generated packages and the programs that use them compile with `tsc`, and the programs run on Node.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::Bench;
use crate::failure::{Context, Result};
use crate::npm;
use crate::suite::Outcome;

const PROGRAMS: &str = "xtask/sdk/typescript";

pub(super) fn run(bench: &Bench<'_>, outcome: &mut Outcome) -> Result<()> {
    let modules = npm::modules(bench.places, "sdk-npm", PROGRAMS, bench.options.verbose)?;
    let tsc = modules.join("typescript/bin/tsc");
    let compile = |folder: &Path| {
        let mut command = Command::new("node");
        bench
            .run(command.arg(&tsc).arg("--project").arg(folder), &format!("tsc of {}", folder.display()))
            .map(drop)
    };
    let folder = bench.folder.path().join("typescript");
    let installed = folder.join("node_modules");
    fs::create_dir_all(&installed).context(installed.display())?;
    for service in &bench.services {
        let package = folder.join(format!("{}-client", service.name));
        bench.generate("typescript", &service.manifest, &package)?;
        compile(&package)?;
        symlink(&package, installed.join(format!("{}-client", service.name))).context(package.display())?;
    }
    let nasty = folder.join("nasty-client");
    bench.generate("typescript", &bench.places.root.join("sdk-gen/tests/nasty.json"), &nasty)?;
    compile(&nasty)?;
    compile(&bench.random("typescript"))?;

    let programs = folder.join("programs");
    fs::create_dir_all(&programs).context(programs.display())?;
    for entry in fs::read_dir(bench.places.root.join(PROGRAMS)).context(PROGRAMS)? {
        let file = entry.context(PROGRAMS)?.path();
        let name = file.file_name().unwrap_or_default();
        fs::copy(&file, programs.join(name)).context(file.display())?;
    }
    compile(&programs)?;
    // Nasty, random, and the programs besides.
    outcome.passed += bench.services.len() + 3;
    for service in &bench.services {
        let mut node = Command::new("node");
        node.arg(programs.join(format!("dist/{}.js", service.name)));
        bench.calls(service, &mut node, outcome)?;
    }
    Ok(())
}

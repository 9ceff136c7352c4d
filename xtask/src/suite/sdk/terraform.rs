//! Terraform: generated modules are laid out as `terraform fmt` does it, and are valid for our provider. One of them is
//! applied by the stage `tofu`.

use std::path::PathBuf;

use super::Bench;
use crate::builds::{self, Client};
use crate::failure::Result;
use crate::suite::Outcome;
use crate::terraform::Terraform;

pub(super) fn run(bench: &Bench<'_>, outcome: &mut Outcome) -> Result<()> {
    let (places, echo) = (bench.places, bench.options.verbose);
    let program = Client::Terraform.program(places, echo)?;
    let provider =
        if bench.options.no_build { builds::provider_file(places) } else { builds::provider(places, echo)? };
    let folder = bench.folder.path().join("terraform");
    let nasty = ("nasty", places.root.join("sdk-gen/tests/nasty.json"));
    let services = bench.services.iter().map(|it| (it.name, it.manifest.clone()));
    let all: Vec<(&str, PathBuf)> = services.chain([nasty]).collect();
    let mut modules = vec![("random", bench.random("terraform"))];
    for (name, manifest) in all {
        let module = folder.join(name);
        bench.generate("terraform", &manifest, &module)?;
        modules.push((name, module));
    }
    for (name, module) in modules {
        let terraform =
            Terraform::new(&program, &provider, &module, &folder.join(format!("{name}-root")), &[])?;
        terraform.succeed(&["fmt", "-check", "-diff", "-no-color"])?;
        terraform.succeed(&["validate", "-no-color"])?;
        outcome.passed += 1;
    }
    Ok(())
}

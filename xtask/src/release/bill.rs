//! The bill of materials of the providers: every crate that may be linked into them, with version, licence and checksum, in the
//! form of CycloneDX. It follows from Cargo.lock and the targets alone, so that the same sources have the same bill. The C code
//! of the cryptography is inside of its crates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, NodeDep, PackageId};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use toml::Table;

use super::VERSION;
use crate::failure::{Context, Result};
use crate::places::Places;
use crate::process::{self, Terms};

/// The package that is released.
const PROVIDER: &str = "eventual-provider";

/// A crate in the bill.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    name: String,
    version: String,
    license: String,
    ours: bool,
    /// What it depends on, by reference.
    needs: BTreeSet<String>,
}

impl Part {
    /// Its name in the world.
    fn reference(&self) -> String {
        reference(&self.name, &self.version)
    }
}

fn reference(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{version}")
}

/// The bill for these targets.
pub(super) fn of(places: &Places, targets: &[String]) -> Result<Vec<u8>> {
    let mut parts = BTreeMap::new();
    for target in targets {
        let mut cargo = places.cargo();
        cargo.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", target]);
        let metadata = process::run(&mut cargo, Terms::seconds(300))?.success("cargo metadata")?;
        let metadata = MetadataCommand::parse(&metadata.stdout).context("cargo metadata")?;
        collect(&metadata, &mut parts)?;
    }
    let file = places.root.join("Cargo.lock");
    let lock = fs::read_to_string(&file).context(file.display())?;
    let lock = lock.parse().context(file.display())?;
    Ok(document(&parts, &checksums(&lock)))
}

/// Adds what the provider is made of, by reference: normal dependencies, of normal dependencies.
fn collect(metadata: &Metadata, parts: &mut BTreeMap<String, Part>) -> Result<()> {
    let resolve = metadata.resolve.as_ref().context("cargo metadata tells no dependencies")?;
    let part = |id: &PackageId| {
        let package = &metadata[id];
        Part {
            name: package.name.to_string(),
            version: package.version.to_string(),
            license: package.license.clone().unwrap_or_default(),
            ours: package.source.is_none(),
            needs: BTreeSet::new(),
        }
    };
    let provider = metadata.packages.iter().find(|it| it.name == PROVIDER);
    let root = &provider.context("no provider in the workspace")?.id;
    let (mut waiting, mut seen) = (vec![root], BTreeSet::new());
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        let is_normal = |it: &&NodeDep| it.dep_kinds.iter().any(|it| it.kind == DependencyKind::Normal);
        let needed: Vec<&PackageId> = resolve[id].deps.iter().filter(is_normal).map(|it| &it.pkg).collect();
        let own = part(id);
        let known = parts.entry(own.reference()).or_insert(own);
        known.needs.extend(needed.iter().map(|it| part(it).reference()));
        waiting.extend(needed);
    }
    Ok(())
}

/// Checksums of Cargo.lock, by reference.
fn checksums(lock: &Table) -> BTreeMap<String, String> {
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let checksum = |package: &toml::Value| {
        let member = |name: &str| package.get(name).and_then(toml::Value::as_str);
        Some((reference(member("name")?, member("version")?), member("checksum")?.to_owned()))
    };
    packages.filter_map(checksum).collect()
}

fn document(parts: &BTreeMap<String, Part>, checksums: &BTreeMap<String, String>) -> Vec<u8> {
    let component = |(reference, part): (&String, &Part)| {
        let mut component = json!({
            "type": "library", "bom-ref": reference, "name": part.name, "version": part.version, "purl": reference,
            "licenses": [{ "expression": part.license.replace('/', " OR ") }],
        });
        if let Some(checksum) = checksums.get(reference) {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
        }
        component
    };
    let is_root = |part: &Part| part.ours && part.name == PROVIDER;
    let components: Vec<Value> = parts.iter().filter(|(_, it)| !is_root(it)).map(component).collect();
    let needs = |(reference, part): (&String, &Part)| json!({ "ref": reference, "dependsOn": part.needs });
    let dependencies: Vec<Value> = parts.iter().map(needs).collect();
    let hash = hex::encode(Sha256::digest(json!([components, dependencies]).to_string()));
    let root = reference(PROVIDER, VERSION);
    let document = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        // Made of the content, so that equal bills have equal numbers; marked as a name-based UUID.
        "serialNumber": format!("urn:uuid:{}-{}-5{}-8{}-{}", &hash[..8], &hash[8..12], &hash[13..16], &hash[17..20], &hash[20..32]),
        "metadata": { "component": {
            "type": "application", "bom-ref": root, "name": PROVIDER, "version": VERSION, "purl": root,
            "licenses": [{ "expression": env!("CARGO_PKG_LICENSE") }],
        } },
        "components": components,
        "dependencies": dependencies,
    });
    format!("{document:#}\n").into_bytes()
}

/// Signs a file as registries want it: detached, in binary, beside the file.
pub(super) fn sign(file: &Path, key: &str) -> Result<()> {
    sign_in(file, key, None)
}

/// The same with the keys of this folder.
pub(super) fn sign_in(file: &Path, key: &str, home: Option<&Path>) -> Result<()> {
    let mut gpg = Command::new("gpg");
    if let Some(home) = home {
        gpg.arg("--homedir").arg(home);
    }
    gpg.args(["--batch", "--yes", "--local-user", key, "--detach-sign"]).arg(file);
    process::run(&mut gpg, Terms::seconds(120))?
        .success(format!("gpg --detach-sign {}", file.display()))
        .map(drop)
}

//! The flags for rustc that the user set, by cargo's rules. Cargo takes flags from one place only, so that adding ours
//! would otherwise drop the user's.

use std::env;
use std::path::{Path, PathBuf};

use cargo_metadata::cargo_platform::{Cfg, Platform};
use toml::{Table, Value};

use super::error::BuildError;
use super::target::Toolchain;

/// The user's flags for `triple`: of the first of these that is set, as cargo documents it: `CARGO_ENCODED_RUSTFLAGS`,
/// `RUSTFLAGS`, `target.*.rustflags` of all tables that fit, `build.rustflags`.
pub(crate) fn of_user(triple: &str, toolchain: &Toolchain) -> Result<Vec<String>, BuildError> {
    if let Ok(flags) = env::var("CARGO_ENCODED_RUSTFLAGS") {
        return Ok(flags.split('\u{1f}').filter(|it| !it.is_empty()).map(str::to_owned).collect());
    }
    if let Ok(flags) = env::var("RUSTFLAGS") {
        return Ok(words(&flags));
    }
    let configs = configs()?;
    let mut of_target = from_configs_of_target(&configs, triple, &toolchain.cfgs(triple)?);
    of_target.extend(words(&variable(triple, "RUSTFLAGS").unwrap_or_default()));
    if !of_target.is_empty() {
        return Ok(of_target);
    }
    let mut of_build: Vec<String> =
        configs.iter().filter_map(|it| it.get("build")?.get("rustflags")).flat_map(list).collect();
    of_build.extend(words(&env::var("CARGO_BUILD_RUSTFLAGS").unwrap_or_default()));
    Ok(of_build)
}

/// Whether the user chose a linker for `triple`.
pub(crate) fn has_linker(triple: &str) -> Result<bool, BuildError> {
    let configured = |config: &Table| config.get("target")?.get(triple)?.get("linker").map(|_| ());
    Ok(variable(triple, "LINKER").is_some() || configs()?.iter().any(|it| configured(it).is_some()))
}

fn variable(triple: &str, name: &str) -> Option<String> {
    env::var(format!("CARGO_TARGET_{}_{name}", triple.to_uppercase().replace('-', "_"))).ok()
}

fn from_configs_of_target(configs: &[Table], triple: &str, cfgs: &[Cfg]) -> Vec<String> {
    let fits = |key: &str| key.parse::<Platform>().is_ok_and(|platform| platform.matches(triple, cfgs));
    configs
        .iter()
        .filter_map(|it| it.get("target")?.as_table())
        .flatten()
        .filter(|(key, _)| fits(key))
        .filter_map(|(_, table)| table.get("rustflags"))
        .flat_map(list)
        .collect()
}

/// The configuration files that cargo reads here, those with less say first.
fn configs() -> Result<Vec<Table>, BuildError> {
    let here = env::current_dir().map_err(|error| BuildError::file("find", Path::new("."), error))?;
    let mut folders: Vec<PathBuf> = here.ancestors().map(|it| it.join(".cargo")).collect();
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    folders.extend(home.or_else(|| env::home_dir().map(|it| it.join(".cargo"))));
    folders.dedup();
    let files = folders.iter().rev().filter_map(|folder| {
        [folder.join("config"), folder.join("config.toml")].into_iter().find(|it| it.is_file())
    });
    files.map(|path| table(&path)).collect()
}

/// A file as TOML.
pub(crate) fn table(path: &Path) -> Result<Table, BuildError> {
    let text = std::fs::read_to_string(path).map_err(|error| BuildError::file("read", path, error))?;
    text.parse().map_err(|error| BuildError::Config { path: path.to_owned(), source: Box::new(error) })
}

/// Cargo takes a text with blanks or a list of texts.
fn list(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => words(text),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_all_tables_that_fit_are_joined_in_order() {
        let user: Table =
            "[target.'cfg(unix)']\nrustflags = '-C a'\n[target.'cfg(windows)']\nrustflags = '-C no'"
                .parse()
                .unwrap();
        let project: Table =
            "[target.x86_64-unknown-linux-gnu]\nrustflags = ['-C', 'b']\n[target.other]\nrustflags = 'x'"
                .parse()
                .unwrap();
        let cfgs = ["unix".parse::<Cfg>().unwrap()];
        assert_eq!(
            from_configs_of_target(&[user, project], "x86_64-unknown-linux-gnu", &cfgs),
            ["-C", "a", "-C", "b"]
        );
    }
}

//! Which package is the service, which of its binaries is its `main`, and how it names our runtime crate.

use cargo_metadata::{Metadata, Package};

use super::error::BuildError;

/// The crate that every service depends on, by the name of its package; users usually rename it to `eventual`.
const RUNTIME: &str = "eventual-runtime";

/// A package that can be built as a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    /// Name of the package.
    pub(crate) package: String,
    /// Name of its binary.
    pub(crate) binary: String,
    /// The name by which the package depends on the runtime crate.
    pub(crate) dependency: String,
}

/// The service package: the one that was asked for, else the one of the current folder, else the only one there is.
pub(crate) fn find(metadata: &Metadata, asked: Option<&str>) -> Result<Service, BuildError> {
    let members = metadata.workspace_packages();
    if let Some(name) = asked {
        let package =
            members.iter().find(|it| it.name.as_str() == name).ok_or_else(|| unknown(name, &members))?;
        return service(package).map_err(BuildError::Package);
    }
    if let Some(package) = metadata.root_package() {
        return service(package).map_err(|reason| {
            let others = services(&members);
            let hint = if others.is_empty() {
                String::new()
            } else {
                format!("; services here: {}", others.join(", "))
            };
            BuildError::Package(format!("{reason}{hint}"))
        });
    }
    match &services(&members)[..] {
        [] => Err(BuildError::Package(format!(
            "no package of this workspace is a service: a service depends on {RUNTIME} and has a binary whose main is `eventual::main!(...)`"
        ))),
        [only] => find(metadata, Some(only)),
        many => Err(BuildError::Package(format!(
            "several packages of this workspace are services: say which with `-p`: {}",
            many.join(", ")
        ))),
    }
}

fn services(members: &[&Package]) -> Vec<String> {
    members.iter().filter_map(|it| service(it).ok()).map(|it| it.package).collect()
}

fn unknown(name: &str, members: &[&Package]) -> BuildError {
    let names = members.iter().map(|it| it.name.as_str());
    let hint = match eventual_schema::nearest::nearest(name, names) {
        Some(near) => format!("; did you mean {near}?"),
        None => format!("; services here: {}", services(members).join(", ")),
    };
    BuildError::Package(format!("no package {name} in this workspace{hint}"))
}

/// The package as a service, or why it is none.
fn service(package: &Package) -> Result<Service, String> {
    let name = &package.name;
    let normal = |it: &&cargo_metadata::Dependency| it.kind == cargo_metadata::DependencyKind::Normal;
    let dependency = package
        .dependencies
        .iter()
        .filter(normal)
        .find(|it| it.name == RUNTIME)
        .map(|it| it.rename.clone().unwrap_or_else(|| it.name.clone()))
        .ok_or_else(|| format!("package {name} is not a service: it does not depend on {RUNTIME}"))?;
    let binaries: Vec<&str> =
        package.targets.iter().filter(|it| it.is_bin()).map(|it| it.name.as_str()).collect();
    let binary = match (&binaries[..], package.default_run.as_deref()) {
        ([], _) => {
            return Err(format!(
                "package {name} has no binary: add src/main.rs with `eventual::main!({});`",
                name.replace('-', "_")
            ));
        }
        (_, Some(default)) => default,
        ([only], None) => only,
        (many, None) if many.contains(&name.as_str()) => name,
        (many, None) => {
            return Err(format!(
                "package {name} has several binaries ({}): name the service's in `default-run` of its Cargo.toml",
                many.join(", ")
            ));
        }
    };
    Ok(Service { package: name.to_string(), binary: binary.to_owned(), dependency })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn package(name: &str, runtime: Option<Value>, binaries: &[&str]) -> Value {
        let targets: Vec<Value> = binaries
            .iter()
            .map(|it| {
                json!({ "name": it, "kind": ["bin"], "crate_types": ["bin"], "src_path": "/w/main.rs", "edition": "2024" })
            })
            .collect();
        json!({
            "name": name, "version": "0.1.0", "id": format!("path+file:///w/{name}#0.1.0"),
            "dependencies": runtime.into_iter().collect::<Vec<_>>(), "targets": targets, "features": {},
            "manifest_path": format!("/w/{name}/Cargo.toml"),
        })
    }

    fn runtime(rename: Option<&str>) -> Option<Value> {
        Some(json!({
            "name": RUNTIME, "req": "*", "kind": null, "optional": false, "uses_default_features": true,
            "features": [], "rename": rename,
        }))
    }

    fn found(packages: &[Value], root: Option<&str>, asked: Option<&str>) -> Result<Service, String> {
        let id = |name: &str| format!("path+file:///w/{name}#0.1.0");
        let ids: Vec<&Value> = packages.iter().map(|it| &it["id"]).collect();
        let nodes: Vec<Value> = ids
            .iter()
            .map(|it| json!({ "id": it, "dependencies": [], "deps": [], "features": [] }))
            .collect();
        let metadata: Metadata = serde_json::from_value(json!({
            "packages": packages, "workspace_members": ids, "workspace_default_members": ids,
            "resolve": { "nodes": nodes, "root": root.map(id) },
            "target_directory": "/w/target", "workspace_root": "/w", "version": 1,
        }))
        .unwrap();
        find(&metadata, asked).map_err(|error| error.to_string())
    }

    #[test]
    fn the_only_service_of_a_workspace_is_found_by_its_renamed_dependency() {
        let packages =
            [package("orders", runtime(Some("eventual")), &["orders"]), package("tool", None, &["tool"])];
        let service = found(&packages, None, None).unwrap();
        assert_eq!((service.package.as_str(), service.dependency.as_str()), ("orders", "eventual"));
        let plain = [package("orders", runtime(None), &["main"])];
        let service = found(&plain, Some("orders"), None).unwrap();
        assert_eq!((service.binary.as_str(), service.dependency.as_str()), ("main", "eventual-runtime"));
    }

    #[test]
    fn none_many_and_unknown_packages_are_explained() {
        let services =
            [package("orders", runtime(None), &["orders"]), package("shop", runtime(None), &["shop"])];
        assert!(found(&services, None, None).unwrap_err().contains("with `-p`: orders, shop"));
        assert!(found(&services, None, Some("oders")).unwrap_err().contains("did you mean orders?"));
        assert_eq!(found(&services, Some("orders"), Some("shop")).unwrap().package, "shop");
        let tool = [package("tool", None, &["tool"])];
        assert!(found(&tool, None, None).unwrap_err().contains("no package of this workspace is a service"));
        let reason = found(&[tool[0].clone(), services[0].clone()], Some("tool"), None).unwrap_err();
        assert!(reason.contains("does not depend on eventual-runtime; services here: orders"), "{reason}");
    }

    #[test]
    fn the_binary_is_the_default_the_only_or_the_one_of_the_packages_name() {
        let binary =
            |binaries: &[&str]| found(&[package("orders", runtime(None), binaries)], None, Some("orders"));
        assert_eq!(binary(&["seed", "orders"]).unwrap().binary, "orders");
        assert!(binary(&["seed", "main"]).unwrap_err().contains("several binaries (seed, main)"));
        assert!(binary(&[]).unwrap_err().contains("eventual::main!(orders);"));
        let mut with_default = package("orders", runtime(None), &["seed", "main"]);
        with_default["default_run"] = json!("main");
        assert_eq!(found(&[with_default], None, None).unwrap().binary, "main");
    }
}

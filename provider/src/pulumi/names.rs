//! How the names of the declaration are spelt in Pulumi, and where this wire's shape departs from it.
//!
//! Attributes are camelCase here; keys of maps are the user's own words and are never touched.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use eventual_provider_core::declaration::{Attribute, Kind, Mode, Object, provider, service};
use eventual_provider_core::path::{Path, Step};

/// Token of the resource.
pub(crate) const SERVICE: &str = "eventual:index:Service";
/// The attribute of the service that is an archive in Pulumi, and the path of a file everywhere else.
pub(crate) const ARTIFACT: &str = "artifact";
/// Attributes of the service that the engine has as its own: every resource has an id, and time limits are the
/// resource option `customTimeouts`.
const OF_THE_ENGINE: [&str; 2] = ["id", "timeouts"];

/// A declared name as Pulumi spells it: `memory_mb` is `memoryMb`.
pub(crate) fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// The attributes of an object that this wire knows, in the order of the declaration.
pub(crate) fn attributes(object: &Object) -> impl Iterator<Item = &Attribute> {
    let whole = object.name == service().name;
    object.attributes.iter().filter(move |it| !(whole && OF_THE_ENGINE.contains(&it.name)))
}

/// Those of them that a user gives.
pub(crate) fn inputs(object: &Object) -> impl Iterator<Item = &Attribute> {
    attributes(object).filter(|it| it.mode != Mode::Computed)
}

/// Whether an attribute of this object is the archive.
pub(crate) fn is_archive(object: &Object, attribute: &Attribute) -> bool {
    object.name == service().name && attribute.name == ARTIFACT
}

/// A path as Pulumi writes it: `commands.placeOrder.memoryMb`, `policies[0]`, `environment["a.b"]`.
pub(crate) fn path(path: &Path) -> String {
    let mut text = String::new();
    for step in &path.0 {
        match step {
            Step::Attr(name) => member(&mut text, &camel(name)),
            Step::Key(key) => member(&mut text, key),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

fn member(text: &mut String, name: &str) {
    let simple = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '-'));
    if !simple || name.is_empty() {
        text.push_str(&format!("[{name:?}]"));
        return;
    }
    if !text.is_empty() {
        text.push('.');
    }
    text.push_str(name);
}

/// Text of the core with the attributes that it names, in backticks or quotes, spelt as here.
pub(crate) fn prose(text: &str) -> String {
    let mut spelt = text.to_owned();
    for (declared, camel) in several_words() {
        for mark in ['`', '"'] {
            spelt = spelt.replace(&format!("{mark}{declared}{mark}"), &format!("{mark}{camel}{mark}"));
        }
        // Advice says what to set, and to what.
        spelt = spelt.replace(&format!("`{declared} = "), &format!("`{camel} = "));
    }
    spelt
}

/// The declared names that are spelt in another way here, with that spelling.
fn several_words() -> &'static BTreeMap<&'static str, String> {
    fn collect(object: &Object, words: &mut BTreeMap<&'static str, String>) {
        for attribute in &object.attributes {
            if attribute.name.contains('_') {
                words.insert(attribute.name, camel(attribute.name));
            }
            let mut kind = &attribute.kind;
            while let Kind::List(inner) | Kind::Map(inner) = kind {
                kind = inner;
            }
            if let Kind::Object(inner) = kind {
                collect(inner, words);
            }
        }
    }
    static WORDS: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
        let mut words = BTreeMap::new();
        collect(provider(), &mut words);
        collect(service(), &mut words);
        words
    });
    &WORDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_camel_case_and_keys_stay() {
        assert_eq!(camel("artifact_sha256"), "artifactSha256");
        assert_eq!(camel("name"), "name");
        let deep = Path::of("commands").key("place_order").attr("memory_mb");
        assert_eq!(path(&deep), "commands.place_order.memoryMb");
        assert_eq!(path(&Path::of("tags").key("a.b")), r#"tags["a.b"]"#);
        assert_eq!(
            path(&Path::of("defaults").attr("vpc").attr("subnet_ids").index(1)),
            "defaults.vpc.subnetIds[1]"
        );
    }

    #[test]
    fn prose_spells_attributes_and_leaves_the_rest() {
        assert_eq!(
            prose("Default: `default_tags`, then `AWS_REGION`."),
            "Default: `defaultTags`, then `AWS_REGION`."
        );
        assert_eq!(prose("Set `force_destroy = true`."), "Set `forceDestroy = true`.");
        assert_eq!(prose("\"memory_mb\" of \"place_order\""), "\"memoryMb\" of \"place_order\"");
    }
}

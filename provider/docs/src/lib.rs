//! The reference documentation of the Terraform provider: a page for each thing that it has, printed from the declaration
//! from which its schemas are made, in the layout that the registries of Terraform and OpenTofu read.
//!
//! Guides are not here: they are written by hand, beside what is printed. Neither is anything of Pulumi, whose package
//! schema carries its own descriptions.

mod catalog;
mod page;
mod schema;

pub use page::Page;

/// All pages, by their paths below `docs/`.
#[must_use]
pub fn pages() -> Vec<Page> {
    catalog::things().iter().map(page::print).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn registry() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../terraform")
    }

    fn files(folder: &Path, found: &mut BTreeSet<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else {
                found.insert(path);
            }
        }
    }

    #[test]
    fn what_is_committed_is_what_is_printed() {
        let docs = registry().join("docs");
        let mut there = BTreeSet::new();
        files(&docs, &mut there);
        for page in pages() {
            let path = docs.join(page.path);
            let committed = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                committed == page.text,
                "{} is not what the declaration says: run `cargo run -p eventual-provider-docs provider/terraform/docs`",
                page.path
            );
            there.remove(&path);
        }
        there.retain(|path| !path.starts_with(docs.join("guides")));
        assert_eq!(there, BTreeSet::new(), "pages of things that are not there any more");
    }

    #[test]
    fn guides_have_what_registries_read() {
        let mut guides = BTreeSet::new();
        files(&registry().join("docs/guides"), &mut guides);
        assert!(guides.len() >= 3);
        for guide in guides {
            let text = fs::read_to_string(&guide).unwrap();
            let front = text.strip_prefix("---\n").and_then(|it| it.split_once("\n---\n")).map(|it| it.0);
            let front = front.unwrap_or_default();
            for member in ["page_title: ", "subcategory: ", "description: "] {
                assert!(front.contains(member), "{}: no {member}", guide.display());
            }
        }
    }

    #[test]
    fn nested_objects_are_described_where_they_are_linked() {
        let service = pages().into_iter().find(|it| it.path == "resources/service.md").unwrap().text;
        for anchor in ["nestedatt--commands", "nestedatt--commands--auth", "nestedatt--resources"] {
            assert!(service.contains(&format!("](#{anchor})")), "no link to {anchor}");
            assert!(service.contains(&format!("<a id=\"{anchor}\"></a>")), "no {anchor}");
        }
        assert!(service.contains("- `name` (String) Name of the deployment"), "{service}");
        assert!(service.contains("- `environment_wo` (Map of String, Sensitive, [Write-only]"), "{service}");
    }
}

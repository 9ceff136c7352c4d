//! One page: what registries read at its top, prose, examples, the schema, how it is imported.

use crate::catalog::{Example, Thing, What};
use crate::schema;

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where it is below `docs/`.
    pub path: &'static str,
    /// Markdown.
    pub text: String,
}

/// The first sentence, for lists of pages.
fn summary(description: &str) -> &str {
    description.split_once(". ").map_or(description, |(first, _)| first).trim_end_matches('.')
}

pub(crate) fn print(thing: &Thing) -> Page {
    let name = thing.name;
    let (title, heading) = match &thing.what {
        What::Provider => ("eventual Provider".to_owned(), "eventual Provider".to_owned()),
        What::Function(_) => (format!("{name} function - eventual"), format!("function: {name}")),
        what => (format!("{name} {} - eventual", what.word()), format!("{name} ({})", what.word())),
    };
    let description = thing.description();
    let mut text = format!(
        "---\npage_title: \"{title}\"\nsubcategory: \"\"\ndescription: |-\n  {}.\n---\n\n# {heading}\n\n{description}\n",
        summary(description)
    );
    if !thing.more.is_empty() {
        text.push_str(&format!("\n{}\n", thing.more));
    }
    if !thing.examples.is_empty() {
        text.push_str("\n## Example Usage\n");
        thing.examples.iter().for_each(|example| text.push_str(&shown(example)));
    }
    match &thing.what {
        What::Function(function) => text.push_str(&schema::function(name, function)),
        _ => text.push_str(&schema::object(thing.object())),
    }
    if !thing.import.is_empty() {
        text.push_str("\n## Import\n");
        thing.import.iter().for_each(|example| text.push_str(&shown(example)));
    }
    Page { path: thing.path, text }
}

fn shown(example: &Example) -> String {
    let intro = if example.intro.is_empty() { String::new() } else { format!("\n{}\n", example.intro) };
    format!("{intro}\n```{}\n{}\n```\n", example.language, example.text.trim_end())
}

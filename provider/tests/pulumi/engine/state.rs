//! What the engine remembers between commands.

use serde_json::Value;

use super::views::ViewEntry;

/// A stack's state.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    /// Inputs of the provider that the entries were made with.
    pub(crate) provider: Option<Value>,
    /// Id of the provider's own entry, made up with it.
    pub(crate) provider_id: Option<String>,
    /// Resources, in the order of their creation.
    pub(crate) entries: Vec<Entry>,
    /// Children that the provider published.
    pub(crate) views: Vec<ViewEntry>,
    /// What was begun with which resource and never answered: `creating`, which nothing but the user ever removes, and
    /// `updating` and `deleting`, which the next command does.
    pub(crate) pending: Vec<(&'static str, String)>,
}

/// A resource.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Entry {
    /// Logical name.
    pub(crate) name: String,
    /// Id, never empty.
    pub(crate) id: String,
    /// Inputs, as Check answered them.
    pub(crate) inputs: Value,
    /// Outputs.
    pub(crate) outputs: Value,
    /// Why it is not whole; the next `up` updates it whatever Diff says.
    pub(crate) init_errors: Vec<String>,
    /// Whether the next `up` reads it first.
    pub(crate) refresh_first: bool,
    /// Whether it was replaced and has yet to be deleted.
    pub(crate) delete: bool,
    /// Whether it was deleted to be replaced, and its successor has yet to be made.
    pub(crate) pending_replacement: bool,
    /// Whether the user wants it replaced.
    pub(crate) taint: bool,
    /// Whether it is only read.
    pub(crate) external: bool,
}

impl State {
    /// The resource of that name, not one that is to be deleted.
    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|it| it.name == name && !it.delete)
    }

    /// The same, to change it.
    pub(crate) fn entry_mut(&mut self, name: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|it| it.name == name && !it.delete)
    }

    /// Adds the resource, or puts it in the place of the one of the same name.
    pub(crate) fn put(&mut self, entry: Entry) {
        assert!(!entry.id.is_empty(), "a resource has an id");
        match self.entry_mut(&entry.name) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
        self.assert_sound();
    }

    /// Forgets the resource of that name, or the replaced one.
    pub(crate) fn remove(&mut self, name: &str, replaced: bool) {
        self.entries.retain(|it| it.name != name || it.delete != replaced);
        self.assert_sound();
    }

    /// The engine's own check of its state: no two living resources of one name, nothing living without an id.
    pub(crate) fn assert_sound(&self) {
        for (at, entry) in self.entries.iter().enumerate() {
            let twin =
                self.entries[..at].iter().any(|it| it.name == entry.name && !it.delete && !entry.delete);
            assert!(!twin, "snapshot integrity failure: two resources {:?}", entry.name);
            assert!(!entry.id.is_empty(), "snapshot integrity failure: {:?} has no id", entry.name);
        }
        for view in &self.views {
            let owned = self.entries.iter().any(|it| it.name == view.owner);
            assert!(owned, "snapshot integrity failure: {:?} is a view of nothing", view.name);
        }
    }
}

//! What the engine remembers between commands.

use serde_json::Value;

/// A stack's state.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    /// Inputs of the provider that the entries were made with.
    pub(crate) provider: Option<Value>,
    /// Resources, in the order of their creation.
    pub(crate) entries: Vec<Entry>,
    /// Names of resources whose creation was begun and never answered.
    pub(crate) pending_creates: Vec<String>,
}

/// A resource.
#[derive(Debug, Clone, PartialEq)]
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
}

impl State {
    /// The resource of that name.
    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|it| it.name == name)
    }

    /// Adds the resource, or puts it in the place of the one of the same name.
    pub(crate) fn put(&mut self, entry: Entry) {
        assert!(!entry.id.is_empty(), "a resource has an id");
        self.pending_creates.retain(|it| *it != entry.name);
        match self.entries.iter_mut().find(|it| it.name == entry.name) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// Forgets the resource of that name.
    pub(crate) fn remove(&mut self, name: &str) {
        self.entries.retain(|it| it.name != name);
    }
}

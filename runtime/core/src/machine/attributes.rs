//! What the code of an execution says that it is to be found by.

use alloc::borrow::ToOwned;
use alloc::format;

use super::{Machine, Mode};
use crate::attribute::{Attribute, AttributeError, check_settable};
use crate::limits::ATTRIBUTES_MAX;

impl Machine {
    /// Sets an attribute, or removes it without a value. Recorded in the turn; a replay sets what the history has, and the
    /// same value again changes nothing.
    ///
    /// # Errors
    /// When name or value are none of an attribute, or there are too many. The same on every replay.
    pub fn set_attribute(&mut self, name: &str, value: Option<Attribute>) -> Result<(), AttributeError> {
        check_settable(name)?;
        if let Some(value) = &value {
            value.check(name)?;
        }
        let before = self.attributes.get(name);
        if before.is_none() && self.attributes.len() >= ATTRIBUTES_MAX {
            return Err(AttributeError::new(format!(
                "attribute `{name}` would be number {} that this execution's code sets, the most is {ATTRIBUTES_MAX}",
                self.attributes.len() + 1
            )));
        }
        if before == Some(&value) {
            return Ok(());
        }
        self.attributes.insert(name.to_owned(), value.clone());
        if let Mode::Live = self.mode {
            let changed = &mut self.output.attributes;
            match changed.iter_mut().find(|(known, _)| known == name) {
                Some(known) => known.1 = value,
                None => changed.push((name.to_owned(), value)),
            }
        }
        Ok(())
    }
}

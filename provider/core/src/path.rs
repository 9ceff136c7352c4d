//! Where in a configuration something is.

use std::fmt;

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into an attribute of an object, by its snake_case name.
    Attr(String),
    /// Into a value of a map, by its key.
    Key(String),
    /// Into an item of a list, from 0.
    Index(usize),
}

/// Steps from the whole configuration to a value in it. Displays as Terraform writes it: `commands["placeOrder"].memory_mb`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The whole configuration.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The path to an attribute of the whole configuration.
    #[must_use]
    pub fn of(attribute: &str) -> Self {
        Self::root().attr(attribute)
    }

    /// This path and then an attribute.
    #[must_use]
    pub fn attr(&self, name: &str) -> Self {
        self.then(Step::Attr(name.to_owned()))
    }

    /// This path and then a key of a map.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    /// This path and then an item of a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attr(name) if position == 0 => f.write_str(name)?,
                Step::Attr(name) => write!(f, ".{name}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_as_terraform_writes_it() {
        let path = Path::of("commands").key("plceOrder").attr("policies").index(1).attr("effect");
        assert_eq!(path.to_string(), r#"commands["plceOrder"].policies[1].effect"#);
        assert_eq!(Path::root().to_string(), "");
    }
}

//! Names, parsed once: a name that got through here is valid in every generated language and every AWS resource name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest name of a command, task, subscription, workflow, event or signal, in characters.
pub const HANDLER_NAME_MAX: usize = 40;
/// Longest name of a service, in characters; what is left of 64 holds the longest function suffix or a hash.
pub const SERVICE_NAME_MAX: usize = 32;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a valid {what} name: {rule}")]
pub struct NameError {
    name: String,
    what: &'static str,
    rule: &'static str,
}

macro_rules! name {
    ($type:ident, $what:literal, $rule:literal, $max:expr, $first:expr, $rest:expr, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Checks `text` and keeps it.
            ///
            /// # Errors
            /// Says which rule the text breaks.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let name = text.into();
                let (first, rest): (fn(char) -> bool, fn(char) -> bool) = ($first, $rest);
                let valid = name.len() <= $max
                    && name.starts_with(first)
                    && name.chars().all(rest)
                    && !name.ends_with('-');
                if valid { Ok(Self(name)) } else { Err(NameError { name, what: $what, rule: $rule }) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }
    };
}

name!(
    HandlerName,
    "handler",
    "1 to 40 letters and digits, a letter first",
    HANDLER_NAME_MAX,
    |c| c.is_ascii_alphabetic(),
    |c| c.is_ascii_alphanumeric(),
    "The name of a command, task, subscription, workflow, event or signal on the wire: 1 to 40 ASCII letters and digits, a letter first."
);
name!(
    ServiceName,
    "service",
    "1 to 32 lower-case letters, digits and hyphens, a letter first, no hyphen last",
    SERVICE_NAME_MAX,
    |c| c.is_ascii_lowercase(),
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
    "The name of a service: 1 to 32 lower-case ASCII letters, digits and hyphens, a letter first, no hyphen last."
);

/// The wire name of a Rust function: `place_order` becomes `placeOrder`. Types (`OrderShipped`) keep their name.
#[must_use]
pub fn lower_camel(ident: &str) -> String {
    let mut name = String::with_capacity(ident.len());
    let mut upper = false;
    for c in ident.trim_start_matches("r#").chars() {
        match c {
            '_' => upper = !name.is_empty(),
            c if upper => {
                name.extend(c.to_uppercase());
                upper = false;
            }
            c => name.push(c),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_becomes_lower_camel() {
        for (ident, name) in [
            ("place_order", "placeOrder"),
            ("a", "a"),
            ("_x_1y", "x1y"),
            ("r#move", "move"),
            ("get__it", "getIt"),
        ] {
            assert_eq!(lower_camel(ident), name);
        }
    }

    #[test]
    fn names_that_a_cloud_would_refuse_are_refused_here() {
        for bad in ["", "1a", "a-b", "a b", "é", &"a".repeat(41)] {
            assert!(HandlerName::new(bad).is_err(), "{bad}");
        }
        for bad in ["", "Orders", "-a", "a-", "a_b", &"a".repeat(33)] {
            assert!(ServiceName::new(bad).is_err(), "{bad}");
        }
        assert!(ServiceName::new("orders-2").is_ok() && HandlerName::new("placeOrder2").is_ok());
    }
}

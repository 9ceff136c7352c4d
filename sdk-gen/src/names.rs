//! Names of the service as names of other languages: the same for the same manifest, never a word that the language
//! keeps for itself, never twice.

use std::collections::BTreeSet;

/// `PageForShelf` for `Page_for_Shelf`, `place-order` and the like. What is no ASCII letter or digit parts words; other
/// letters are spelled by their number, so that names that differ stay different.
pub(crate) fn pascal(text: &str) -> String {
    let mut name = String::new();
    let mut upper = true;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        } else {
            if !c.is_ascii() {
                name.push_str(&format!("U{:x}", u32::from(c)));
            }
            upper = true;
        }
    }
    name
}

/// `place_order` for `placeOrder`, `get_url` for `getURL`.
pub(crate) fn snake(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut name = String::new();
    for (index, c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|it| chars[it]);
        let after = chars.get(index + 1);
        let starts = c.is_ascii_uppercase()
            && before
                .is_some_and(|it| !it.is_ascii_uppercase() || after.is_some_and(char::is_ascii_lowercase));
        if starts && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        name.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    name
}

/// Names that are taken in one scope.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken(BTreeSet<String>);

impl Taken {
    /// A scope in which these words are taken from the start.
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self(words.into_iter().map(str::to_owned).collect())
    }

    /// `wanted`, or when that is taken the first of `wanted2`, `wanted3`, ... that is not; with `mark` in between.
    pub(crate) fn take(&mut self, wanted: &str, mark: &str) -> String {
        let numbered = (2_u32..).map(|number| format!("{wanted}{mark}{number}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        let name = names.find(|it| !self.0.contains(it)).unwrap_or_default();
        self.0.insert(name.clone());
        name
    }

    /// Whether a name is taken.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// Whether a text is an ASCII identifier; whether it is a keyword is each language's own matter.
pub(crate) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_every_spelling() {
        for (text, name) in [
            ("Page_for_Shelf", "PageForShelf"),
            ("orders-2", "Orders2"),
            ("é", "Ue9"),
            ("a.b c", "ABC"),
            ("", ""),
        ] {
            assert_eq!(pascal(text), name);
        }
        for (text, name) in [
            ("placeOrder", "place_order"),
            ("getURL", "get_url"),
            ("URLOf2Things", "url_of2_things"),
            ("a", "a"),
            ("orders-2", "orders_2"),
        ] {
            assert_eq!(snake(text), name);
        }
    }

    #[test]
    fn taken_names_are_numbered() {
        let mut taken = Taken::new(["Error"]);
        assert_eq!(
            [taken.take("Error", ""), taken.take("Error", ""), taken.take("A", "_"), taken.take("A", "_")],
            ["Error2", "Error3", "A", "A_2"]
        );
    }
}

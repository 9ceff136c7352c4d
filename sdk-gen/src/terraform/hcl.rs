//! Attributes of HCL, laid out as `terraform fmt` does it.

use crate::writer::Writer;

/// An attribute.
pub(super) struct Entry {
    name: String,
    value: Value,
}

enum Value {
    Block { first: String, inside: Vec<Entry>, last: String },
    Line(String),
}

impl Entry {
    /// One of one line.
    pub(super) fn line(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: Value::Line(value.into()) }
    }

    /// One with attributes inside, between a first and a last line.
    pub(super) fn block(name: &str, first: &str, inside: Vec<Self>, last: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: Value::Block { first: first.to_owned(), inside, last: last.to_owned() },
        }
    }

    /// An object.
    pub(super) fn object(name: &str, inside: Vec<Self>) -> Self {
        Self::block(name, "{", inside, "}")
    }
}

/// A name that somebody else chose as a key: words of the language stand in quotes.
pub(super) fn key(name: &str) -> String {
    if matches!(name, "for" | "if" | "in" | "null" | "true" | "false") {
        quoted(name)
    } else {
        name.to_owned()
    }
}

/// Writes attributes. The signs of those of one line that follow each other stand below each other.
pub(super) fn entries(out: &mut Writer, entries: &[Entry]) {
    let is_line = |it: &Entry| matches!(it.value, Value::Line(_));
    for group in entries.chunk_by(|one, other| is_line(one) && is_line(other)) {
        let width = group.iter().map(|it| it.name.chars().count()).max().unwrap_or_default();
        for entry in group {
            match &entry.value {
                Value::Line(value) => out.line(&format!("{:width$} = {value}", entry.name)),
                Value::Block { first, inside, last } => {
                    out.block(&format!("{} = {first}", entry.name), |out| self::entries(out, inside));
                    out.line(last);
                }
            }
        }
    }
}

/// A text as a literal in which nothing is filled in.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => quoted.extend([c, c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_filled_in() {
        assert_eq!(quoted("a ${b} %{c} $d \"\\\n\u{1}"), r#""a $${b} %%{c} $d \"\\\n\u0001""#);
    }

    #[test]
    fn signs_stand_below_each_other_between_blocks() {
        let mut out = Writer::new("  ");
        let inside = vec![Entry::line("long_name", "1"), Entry::line("b", "2")];
        entries(&mut out, &[Entry::line("first", "0"), Entry::object("c", inside), Entry::line("d", "3")]);
        assert_eq!(out.finish(), "first = 0\nc = {\n  long_name = 1\n  b         = 2\n}\nd = 3\n");
    }
}

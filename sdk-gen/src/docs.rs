//! Doc comments: what the Rust sources say, and the limits that the schema sets besides.

use serde_json::{Map, Value};

/// A doc comment in Markdown; empty when there is nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Doc {
    /// What the sources say.
    pub(crate) text: String,
    /// Limits, each a sentence.
    pub(crate) limits: Vec<String>,
    /// Whether it should no longer be used.
    pub(crate) deprecated: bool,
}

impl Doc {
    /// A doc comment without limits.
    pub(crate) fn of(text: &str) -> Self {
        Self { text: plain(text), ..Self::default() }
    }

    /// What a schema says of itself.
    pub(crate) fn of_schema(rules: &Map<String, Value>) -> Self {
        let text = |key: &str| rules.get(key).and_then(Value::as_str);
        Self {
            text: text("description").map(plain).unwrap_or_default(),
            limits: limits(rules),
            deprecated: rules.get("deprecated") == Some(&Value::Bool(true)),
        }
    }

    /// Text and limits as lines, without those at the ends that are empty.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.text.lines().map(|it| it.trim_end().to_owned()).collect();
        if !self.limits.is_empty() {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.push(self.limits.join(" "));
        }
        lines
    }
}

/// Links to Rust items as plain code, because they lead nowhere in other languages.
fn plain(text: &str) -> String {
    text.trim().replace("[`", "`").replace("`]", "`")
}

fn limits(rules: &Map<String, Value>) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(range(rules, "minLength", "maxLength", "character"));
    all.extend(rules.get("pattern").and_then(Value::as_str).map(|it| format!("Matches `{it}`.")));
    all.extend(range(rules, "minimum", "maximum", ""));
    for (key, words) in [
        ("exclusiveMinimum", "More than"),
        ("exclusiveMaximum", "Less than"),
        ("multipleOf", "A multiple of"),
    ] {
        all.extend(rules.get(key).filter(|it| it.is_number()).map(|it| format!("{words} {it}.")));
    }
    all.extend(range(rules, "minItems", "maxItems", "item"));
    if rules.get("uniqueItems") == Some(&Value::Bool(true)) {
        all.push("No item twice.".to_owned());
    }
    all.extend(range(rules, "minProperties", "maxProperties", "member"));
    all.extend(rules.get("contentEncoding").and_then(Value::as_str).map(|it| format!("Encoded as {it}.")));
    all.extend(rules.get("default").filter(|it| !it.is_null()).map(|it| format!("Default: `{it}`.")));
    all
}

fn range(rules: &Map<String, Value>, least: &str, most: &str, unit: &str) -> Option<String> {
    let number = |key: &str| rules.get(key).filter(|it| it.is_number());
    let units = |count: &Value| match (unit, count.as_u64()) {
        ("", _) => String::new(),
        (unit, Some(1)) => format!(" {unit}"),
        (unit, _) => format!(" {unit}s"),
    };
    match (number(least), number(most)) {
        (Some(least), Some(most)) if least == most => Some(format!("Exactly {least}{}.", units(least))),
        (Some(least), Some(most)) => Some(format!("{least} to {most}{}.", units(most))),
        (Some(least), None) => Some(format!("At least {least}{}.", units(least))),
        (None, Some(most)) => Some(format!("At most {most}{}.", units(most))),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn limits_are_sentences_after_the_text() {
        let schema = json!({
            "description": "Of [`Order`].\n\nMore.", "minLength": 1, "maxLength": 64, "pattern": "^a$", "default": "a",
        });
        let doc = Doc::of_schema(schema.as_object().unwrap());
        assert_eq!(
            doc.lines(),
            ["Of `Order`.", "", "More.", "", "1 to 64 characters. Matches `^a$`. Default: `\"a\"`."]
        );
        assert_eq!(
            Doc::of_schema(json!({"minItems": 2, "maxItems": 2}).as_object().unwrap()).lines(),
            ["Exactly 2 items."]
        );
        assert_eq!(Doc::default().lines(), [""; 0]);
    }
}

//! The subset of JSON Schema (draft 2020-12) that payloads may use: what schemars writes for Rust types, and what a
//! person would add to it. Checks values against it, and reads texts (path and query parameters) by it.
//!
//! References point into the manifest (`#/schemas/<Name>`). `format` is ignored, as the draft's default says;
//! a keyword outside of the subset is ignored too, never an error.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// The named schemas of a manifest, to which `#/schemas/<Name>` points.
pub type Schemas = BTreeMap<String, Value>;

/// How deep schemas and values may nest, taken together. It ends schemas that refer to themselves without end.
const DEPTH_MAX: usize = 256;

/// One way in which a value does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where in the value: `items[0].sku`; empty for the value itself.
    pub path: String,
    /// What is wrong there, as the second half of a sentence: `expected integer, found "x"`.
    pub message: String,
    /// How much it says that another alternative was meant.
    #[serde(skip)]
    weight: Weight,
}

/// What a problem says about the alternative in which it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// The value is incomplete or out of bounds.
    Flaw,
    /// The value is of another kind: not this alternative, when the problem is about the value itself.
    Kind,
    /// A constant differs: not this alternative, also when it is a member's, because that is how enums are tagged.
    Tag,
}

impl Problem {
    /// A problem at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), weight: Weight::Flaw }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// Everything in which `value` does not fit `schema`; empty when it fits. `null` as a schema accepts everything.
#[must_use]
pub fn validate(value: &Value, schema: &Value, schemas: &Schemas) -> Vec<Problem> {
    let mut check = Check { schemas, problems: Vec::new(), depth: 0 };
    check.node(value, schema, "");
    check.problems
}

/// The value that `text` stands for where `schema` is expected: a text when the schema takes one, else the number,
/// boolean or null that it spells. A text that fits nothing stays a text, so that checking it says what was expected.
#[must_use]
pub fn coerce(text: &str, schema: &Value, schemas: &Schemas) -> Value {
    let as_text = Value::String(text.to_owned());
    let spelled = match text {
        "" => Some(Value::Null),
        _ => serde_json::from_str::<Value>(text)
            .ok()
            .filter(|it| !it.is_array() && !it.is_object() && !it.is_string()),
    };
    let fits = |it: &Value| validate(it, schema, schemas).is_empty();
    match spelled {
        Some(spelled) if !fits(&as_text) && fits(&spelled) => spelled,
        // Nothing fits. A number that is merely out of range should be reported as such.
        Some(spelled)
            if !fits(&as_text) && find(schema, schemas, &|it| has_type(it, kind(&spelled))).is_some() =>
        {
            spelled
        }
        _ => as_text,
    }
}

/// As [`coerce`], for a parameter that may be repeated: an array when the schema takes one, else the last text.
#[must_use]
pub fn coerce_all(texts: &[&str], schema: &Value, schemas: &Schemas) -> Value {
    if let Some(array) = find(schema, schemas, &|it| has_type(it, "array")) {
        let item = array.get("items").unwrap_or(&Value::Bool(true));
        return Value::Array(texts.iter().map(|text| coerce(text, item, schemas)).collect());
    }
    texts.last().map_or(Value::Null, |text| coerce(text, schema, schemas))
}

/// The schema of property `name` of the objects that `schema` takes, in any of its alternatives.
#[must_use]
pub fn property<'a>(schema: &'a Value, name: &str, schemas: &'a Schemas) -> Option<&'a Value> {
    let has = |it: &Value| it.get("properties").and_then(|all| all.get(name)).is_some();
    find(schema, schemas, &has)?.get("properties")?.get(name)
}

/// The names of all properties of the objects that `schema` takes, in any of its alternatives.
#[must_use]
pub fn properties<'a>(schema: &'a Value, schemas: &'a Schemas) -> Vec<&'a str> {
    let mut names = Vec::new();
    let mut at = vec![(schema, 0)];
    while let Some((schema, depth)) = at.pop() {
        names.extend(
            schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(|it| it.keys().map(String::as_str)),
        );
        if depth < 8 {
            at.extend(
                referred(schema, schemas)
                    .into_iter()
                    .chain(alternatives_of(schema))
                    .map(|it| (it, depth + 1)),
            );
        }
    }
    names
}

/// Whether `schema` takes objects.
#[must_use]
pub fn takes_object(schema: &Value, schemas: &Schemas) -> bool {
    let object =
        |it: &Value| has_type(it, "object") || it.get("properties").is_some() || *it == Value::Bool(true);
    let untyped = |it: &Value| it.as_object().is_some_and(|it| !it.keys().any(|key| is_constraint(key)));
    find(schema, schemas, &|it| object(it) || untyped(it)).is_some()
}

fn is_constraint(key: &str) -> bool {
    matches!(key, "type" | "$ref" | "anyOf" | "oneOf" | "allOf" | "enum" | "const")
}

/// Looks through references and alternatives for the first schema that `wanted` accepts.
fn find<'a>(schema: &'a Value, schemas: &'a Schemas, wanted: &dyn Fn(&Value) -> bool) -> Option<&'a Value> {
    fn walk<'a>(
        at: &'a Value,
        all: &'a Schemas,
        wanted: &dyn Fn(&Value) -> bool,
        depth: usize,
    ) -> Option<&'a Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        if wanted(at) {
            return Some(at);
        }
        if let Some(target) = referred(at, all)
            && let Some(found) = walk(target, all, wanted, depth + 1)
        {
            return Some(found);
        }
        let alternatives =
            ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| at.get(key)?.as_array()).flatten();
        alternatives.into_iter().find_map(|it| walk(it, all, wanted, depth + 1))
    }
    walk(schema, schemas, wanted, 0)
}

fn referred<'a>(schema: &Value, schemas: &'a Schemas) -> Option<&'a Value> {
    schemas.get(schema.get("$ref")?.as_str()?.strip_prefix("#/schemas/")?)
}

fn alternatives_of(schema: &Value) -> impl Iterator<Item = &Value> {
    ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten()
}

fn has_type(schema: &Value, name: &str) -> bool {
    let matches = |it: &str| it == name || (it == "number" && name == "integer");
    match schema.get("type") {
        Some(Value::String(one)) => matches(one),
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).any(matches),
        _ => false,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The value, short enough for a message.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > 40 => {
            format!("{:?}...", text.chars().take(40).collect::<String>())
        }
        other => other.to_string(),
    }
}

/// One walk over a value. Every check adds what it finds, so that a caller learns everything at once.
struct Check<'a> {
    schemas: &'a Schemas,
    problems: Vec<Problem>,
    depth: usize,
}

impl Check<'_> {
    fn report(&mut self, path: &str, message: String) {
        self.problems.push(Problem::new(path, message));
    }

    fn decide(&mut self, weight: Weight, path: &str, message: String) {
        self.problems.push(Problem { weight, ..Problem::new(path, message) });
    }

    fn node(&mut self, value: &Value, schema: &Value, path: &str) {
        let rules = match schema {
            Value::Bool(false) => return self.decide(Weight::Kind, path, "not allowed".to_owned()),
            Value::Object(rules) => rules,
            _ => return,
        };
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            self.report(path, "nested too deeply".to_owned());
        } else {
            self.rules(value, rules, path);
        }
        self.depth -= 1;
    }

    fn rules(&mut self, value: &Value, rules: &Map<String, Value>, path: &str) {
        if let Some(target) = rules.get("$ref") {
            match referred(&Value::Object(rules.clone()), self.schemas) {
                Some(named) => self.node(value, named, path),
                None => {
                    self.report(path, format!("the schema refers to {target}, which is not in the manifest"))
                }
            }
        }
        // Nothing that follows makes sense for a value of another kind.
        if !self.kind(value, rules, path) {
            return;
        }
        match value {
            Value::Number(_) => self.number(value, rules, path),
            Value::String(text) => self.text(text, rules, path),
            Value::Array(items) => self.array(items, rules, path),
            Value::Object(members) => self.object(members, rules, path),
            Value::Null | Value::Bool(_) => {}
        }
        for part in rules.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.node(value, part, path);
        }
        self.alternatives(value, rules, "anyOf", path);
        self.alternatives(value, rules, "oneOf", path);
    }

    fn kind(&mut self, value: &Value, rules: &Map<String, Value>, path: &str) -> bool {
        let expected = match rules.get("type") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let is = kind(value);
        let fits = |it: &&str| *it == is || (*it == "number" && is == "integer");
        if !expected.is_empty() && !expected.iter().any(fits) {
            self.decide(
                Weight::Kind,
                path,
                format!("expected {}, found {}", expected.join(" or "), shown(value)),
            );
            return false;
        }
        if let Some(only) = rules.get("const")
            && only != value
        {
            self.decide(Weight::Tag, path, format!("expected {}, found {}", shown(only), shown(value)));
            return false;
        }
        if let Some(allowed) = rules.get("enum").and_then(Value::as_array)
            && !allowed.contains(value)
        {
            self.decide(Weight::Kind, path, format!("expected {}, found {}", one_of(allowed), shown(value)));
            return false;
        }
        true
    }

    fn number(&mut self, value: &Value, rules: &Map<String, Value>, path: &str) {
        let Some(number) = value.as_f64() else { return };
        type Limit = (&'static str, &'static str, fn(f64, f64) -> bool);
        let limits: [Limit; 4] = [
            ("minimum", "at least", |it, limit| it >= limit),
            ("maximum", "at most", |it, limit| it <= limit),
            ("exclusiveMinimum", "more than", |it, limit| it > limit),
            ("exclusiveMaximum", "less than", |it, limit| it < limit),
        ];
        for (key, words, fits) in limits {
            if let Some(limit) = rules.get(key)
                && !limit.as_f64().is_none_or(|limit| fits(number, limit))
            {
                self.report(path, format!("must be {words} {limit}, is {value}"));
            }
        }
        if let Some(step) = rules.get("multipleOf").and_then(Value::as_f64)
            && step > 0.0
            && (number / step).fract() != 0.0
        {
            self.report(path, format!("must be a multiple of {step}, is {value}"));
        }
    }

    fn text(&mut self, text: &str, rules: &Map<String, Value>, path: &str) {
        self.count(text.chars().count(), "characters", ("minLength", "maxLength"), rules, path);
        // A pattern that this engine cannot read is left to the type that declared it.
        if let Some(pattern) = rules.get("pattern").and_then(Value::as_str)
            && let Ok(regex) = regex_lite::Regex::new(pattern)
            && !regex.is_match(text)
        {
            self.report(path, format!("must match {pattern}"));
        }
    }

    fn count(&mut self, is: usize, what: &str, keys: (&str, &str), rules: &Map<String, Value>, path: &str) {
        let limit = |key: &str| rules.get(key).and_then(Value::as_u64);
        if let Some(least) = limit(keys.0).filter(|least| (is as u64) < *least) {
            self.report(path, format!("must have at least {least} {what}, has {is}"));
        }
        if let Some(most) = limit(keys.1).filter(|most| is as u64 > *most) {
            self.report(path, format!("must have at most {most} {what}, has {is}"));
        }
    }

    fn array(&mut self, items: &[Value], rules: &Map<String, Value>, path: &str) {
        self.count(items.len(), "items", ("minItems", "maxItems"), rules, path);
        let first = rules.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let rest = rules.get("items").unwrap_or(&Value::Bool(true));
        for (index, item) in items.iter().enumerate() {
            self.node(item, first.get(index).unwrap_or(rest), &format!("{path}[{index}]"));
        }
        if rules.get("uniqueItems") == Some(&Value::Bool(true))
            && let Some(index) = (1..items.len()).find(|index| items[..*index].contains(&items[*index]))
        {
            self.report(&format!("{path}[{index}]"), "is there twice".to_owned());
        }
    }

    fn object(&mut self, members: &Map<String, Value>, rules: &Map<String, Value>, path: &str) {
        self.count(members.len(), "members", ("minProperties", "maxProperties"), rules, path);
        for name in
            rules.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
        {
            if !members.contains_key(name) {
                self.report(&member(path, name), "is missing".to_owned());
            }
        }
        let none = Map::new();
        let known = rules.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for (name, value) in members {
            let here = member(path, name);
            // Maps whose keys are numbers are declared so.
            let patterns = rules.get("patternProperties").and_then(Value::as_object).unwrap_or(&none);
            let mut matched = false;
            for (pattern, schema) in patterns {
                // As with texts, a pattern that this engine cannot read is left to the type that declared it.
                if regex_lite::Regex::new(pattern).is_ok_and(|it| !it.is_match(name)) {
                    continue;
                }
                matched = true;
                self.node(value, schema, &here);
            }
            match (known.get(name), rules.get("additionalProperties")) {
                (Some(schema), _) => self.node(value, schema, &here),
                (None, _) if matched => {}
                (None, Some(Value::Bool(false))) => {
                    let hint = crate::nearest::nearest(name, known.keys().map(String::as_str));
                    let hint = hint.map(|it| format!("; did you mean {it}?")).unwrap_or_default();
                    self.report(&here, format!("is not expected{hint}"));
                }
                (None, Some(schema)) => self.node(value, schema, &here),
                (None, None) => {}
            }
        }
    }

    /// `anyOf` and `oneOf`. When nothing fits, the problems of the alternative that was most likely meant.
    fn alternatives(&mut self, value: &Value, rules: &Map<String, Value>, key: &str, path: &str) {
        let Some(schemas) = rules.get(key).and_then(Value::as_array) else { return };
        let mut tried: Vec<Vec<Problem>> = Vec::new();
        for schema in schemas {
            let mut check = Check { schemas: self.schemas, problems: Vec::new(), depth: self.depth };
            check.node(value, schema, path);
            tried.push(check.problems);
        }
        match tried.iter().filter(|it| it.is_empty()).count() {
            0 => {}
            1 => return,
            _ if key == "anyOf" => return,
            many => return self.report(path, format!("fits {many} alternatives, must fit exactly one")),
        }
        // A member's path goes on after ours with one name.
        let near = |it: &Problem| !it.path[path.len()..].trim_start_matches('.').contains(['.', '[']);
        let decisive = |it: &Problem| match it.weight {
            Weight::Flaw => false,
            Weight::Kind => it.path == path,
            Weight::Tag => near(it),
        };
        let rank = |it: &Vec<Problem>| {
            (it.iter().filter(|it| decisive(it)).count(), it.iter().filter(|it| near(it)).count())
        };
        let best = tried.iter().map(rank).min().unwrap_or_default();
        let mut likely = tried.iter().filter(|it| rank(it) == best);
        match (best.0, likely.next(), likely.next()) {
            (0, Some(one), None) => self.problems.extend(one.iter().cloned()),
            _ => self.decide(Weight::Kind, path, self.none_fits(value, schemas)),
        }
    }

    fn none_fits(&self, value: &Value, alternatives: &[Value]) -> String {
        let mut allowed = Vec::new();
        for schema in alternatives {
            let schema = referred(schema, self.schemas).unwrap_or(schema);
            let constant = schema.get("const").into_iter();
            allowed.extend(
                constant.chain(schema.get("enum").and_then(Value::as_array).into_iter().flatten()).cloned(),
            );
            allowed.extend(schema.get("required").and_then(|it| it.get(0)).cloned());
        }
        if allowed.is_empty() {
            return format!("{} fits none of {} alternatives", shown(value), alternatives.len());
        }
        if value.is_object() {
            return "fits none of the alternatives".to_owned();
        }
        format!("expected {}, found {}", one_of(&allowed), shown(value))
    }
}

fn one_of(allowed: &[Value]) -> String {
    let texts: Vec<String> = allowed.iter().map(shown).collect();
    if texts.len() == 1 { texts.concat() } else { format!("one of {}", texts.join(", ")) }
}

fn member(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
#[path = "tests/shape.rs"]
mod tests;

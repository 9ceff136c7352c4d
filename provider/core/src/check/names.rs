//! Every name fits the rules that its AWS service has for it: length and characters. What a name means is not looked at.

use crate::desired::Desired;
use crate::diagnostic::Diagnostic;
use crate::path::Path;
use crate::resource::{Kind, Resource, Spec};

/// Shortest and longest, and the characters allowed beside letters and digits.
struct Rule {
    what: &'static str,
    shortest: usize,
    longest: usize,
    others: &'static str,
    lower: bool,
}

const fn rule(what: &'static str, shortest: usize, longest: usize, others: &'static str) -> Rule {
    Rule { what, shortest, longest, others, lower: false }
}

/// The rule for names of a kind; `None` for what has no name of its own choice.
const fn rule_of(kind: Kind) -> Option<Rule> {
    Some(match kind {
        Kind::Api => rule("an API", 1, 128, "-_.$/ "),
        Kind::Bucket => Rule { what: "a bucket", shortest: 3, longest: 63, others: "-.", lower: true },
        Kind::Bus => rule("an event bus", 1, 256, "-_./"),
        Kind::Function => rule("a function", 1, 64, "-_"),
        Kind::LogGroup => rule("a log group", 1, 512, "-_./#"),
        Kind::Permission => rule("a statement of a function's policy", 1, 100, "-_"),
        Kind::Queue => rule("a queue", 1, 80, "-_"),
        Kind::Role => rule("a role", 1, 64, "-_+=,.@"),
        Kind::Rule => rule("a rule", 1, 64, "-_."),
        Kind::ScheduleGroup => rule("a schedule group", 1, 64, "-_."),
        Kind::Table => rule("a table", 3, 255, "-_."),
        Kind::Artifact | Kind::InvokeConfig | Kind::Mapping | Kind::Route => return None,
    })
}

/// Names that AWS would refuse.
pub(super) fn check(desired: &Desired) -> Vec<Diagnostic> {
    desired.resources.values().filter_map(wrong).map(|detail| error(&detail)).collect()
}

fn error(detail: &str) -> Diagnostic {
    let detail = format!("{detail} Choose another `name` for the service, or another name in the code.");
    Diagnostic::error("Name not possible", detail).at(Path::of("name"))
}

fn wrong(resource: &Resource) -> Option<String> {
    let (key, name) = (&resource.key, &resource.name);
    let rule = rule_of(resource.kind())?;
    let length = name.chars().count();
    if length < rule.shortest || length > rule.longest {
        return Some(format!(
            "{key} would be called {name:?}, which has {length} characters; {} has {} to {}.",
            rule.what, rule.shortest, rule.longest
        ));
    }
    let plain = match &resource.spec {
        Spec::Queue(spec) if spec.fifo != name.ends_with(".fifo") => {
            return Some(format!("{key} would be called {name:?}; exactly the FIFO queues end with .fifo."));
        }
        Spec::Queue(_) => name.trim_end_matches(".fifo"),
        _ => name,
    };
    let fits = |c: char| {
        c.is_ascii_digit()
            || c.is_ascii_lowercase()
            || (c.is_ascii_uppercase() && !rule.lower)
            || rule.others.contains(c)
    };
    let stray = plain.chars().find(|c| !fits(*c))?;
    Some(format!("{key} would be called {name:?}; {stray:?} is not possible in the name of {}.", rule.what))
}

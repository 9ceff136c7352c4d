//! What is wrong with a manifest as a whole, beyond what its types rule out. Pure; run when a service is built, and
//! again by whoever is handed a manifest.

use std::collections::BTreeMap;

use crate::manifest::{Command, Manifest, Route};
use crate::schedule::{self, Schedule};
use crate::{nearest, shape};

impl Manifest {
    /// Everything that keeps the service from being deployed as it says, each a sentence for its developer: names and
    /// routes that are there twice, path parameters that the input does not have, subscriptions to unknown events.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut names: BTreeMap<(&str, &str), &crate::Source> = BTreeMap::new();
        for (kind, name, source) in self.items() {
            if let Some(first) = names.insert((kind, name), source) {
                problems.push(format!("{kind} `{name}` is declared twice: at {first} and at {source}"));
            }
        }
        let mut routes: BTreeMap<(&str, String), &Command> = BTreeMap::new();
        for command in &self.commands {
            let Some(route) = &command.route else { continue };
            if let Some(first) = routes.insert((route.method.as_str(), anonymous(&route.path)), command) {
                let (method, path) = (route.method.as_str(), &route.path);
                problems.push(format!(
                    "commands `{}` and `{}` both answer {method} {path}",
                    first.name, command.name
                ));
            }
            problems.extend(self.parameters(command, route));
        }
        let events: Vec<&str> = self.events.iter().map(|it| it.name.as_str()).collect();
        for subscription in &self.subscriptions {
            if !events.contains(&subscription.event.as_str()) {
                let (name, event) = (&subscription.name, &subscription.event);
                problems.push(format!(
                    "subscription `{name}` reacts to event `{event}`, which the service does not have"
                ));
            }
        }
        problems.extend(self.workflows.iter().filter(|it| it.name.as_str() == schedule::WORKFLOW).map(
            |it| {
                format!(
                    "workflow `{}` at {} has the name of the engine's own: choose another",
                    it.name, it.source
                )
            },
        ));
        problems.extend(self.schedules.iter().filter_map(|it| self.unfit_input(it)));
        problems
    }

    /// Why a schedule cannot start its workflow.
    fn unfit_input(&self, schedule: &Schedule) -> Option<String> {
        let (name, spec, at) = (&schedule.name, &schedule.spec, &schedule.source);
        let Some(workflow) = self.workflow(spec.workflow.as_str()) else {
            return Some(format!(
                "schedule `{name}` at {at} starts workflow `{}`, which the service does not have",
                spec.workflow
            ));
        };
        if workflow.input.is_null() {
            return None;
        }
        let problems = shape::validate(&spec.input, &workflow.input, &self.schemas);
        (!problems.is_empty()).then(|| {
            let refusal = crate::request::refusal(&problems);
            let message = refusal["message"].as_str().unwrap_or_default();
            format!(
                "the input of schedule `{name}` at {at} is none of workflow `{}`: {message}",
                spec.workflow
            )
        })
    }

    fn items(&self) -> impl Iterator<Item = (&'static str, &str, &crate::Source)> {
        let commands = self.commands.iter().map(|it| ("command", it.name.as_str(), &it.source));
        let tasks = self.tasks.iter().map(|it| ("task", it.name.as_str(), &it.source));
        let workflows = self.workflows.iter().map(|it| ("workflow", it.name.as_str(), &it.source));
        let subscriptions =
            self.subscriptions.iter().map(|it| ("subscription", it.name.as_str(), &it.source));
        let events = self.events.iter().map(|it| ("event", it.name.as_str(), &it.source));
        let signals = self.signals.iter().map(|it| ("signal", it.name.as_str(), &it.source));
        let schedules = self.schedules.iter().map(|it| ("schedule", it.name.as_str(), &it.source));
        let signals = signals.chain(schedules);
        commands.chain(tasks).chain(workflows).chain(subscriptions).chain(events).chain(signals)
    }

    /// Path parameters for which the input has no place.
    fn parameters(&self, command: &Command, route: &Route) -> Vec<String> {
        let names = route.parameters();
        let (name, path, at) = (&command.name, &route.path, &command.source);
        if !names.is_empty() && !shape::takes_object(&command.input, &self.schemas) {
            // An input that is no object is the one path parameter.
            let fits = names.len() == 1 && !command.input.is_null();
            let problem =
                format!("command `{name}` at {at} takes no input with fields, but its path is {path}");
            return if fits { Vec::new() } else { vec![problem] };
        }
        let missing = |it: &&&str| shape::property(&command.input, it, &self.schemas).is_none();
        let known = shape::properties(&command.input, &self.schemas);
        let explain = |parameter: &&str| {
            let hint = nearest::nearest(parameter, known.iter().copied());
            let hint = hint.map(|it| format!("; did you mean {{{it}}}?")).unwrap_or_default();
            format!(
                "command `{name}` at {at}: its path {path} has the parameter `{parameter}`, its input has no such field{hint}"
            )
        };
        names.iter().filter(missing).map(explain).collect()
    }
}

impl Route {
    /// The names in braces of the path, in order.
    #[must_use]
    pub fn parameters(&self) -> Vec<&str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect()
    }
}

impl std::fmt::Display for crate::Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The path with all parameters of one name: two paths that are the same then match the same requests.
fn anonymous(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<&str>>().join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Manifest;

    #[test]
    fn every_problem_is_found_and_a_fine_manifest_has_none() {
        let at = |line: u32| json!({"file": "src/lib.rs", "line": line});
        let order = json!({"type": "object", "properties": {"orderId": {"type": "string"}}});
        let manifest = |commands: serde_json::Value, subscriptions: serde_json::Value| -> Manifest {
            let value = json!({
                "format": 1, "service": "s", "version": "1", "functions": [],
                "commands": commands, "subscriptions": subscriptions,
                "events": [{"name": "Placed", "payload": {}, "source": at(9)}],
            });
            serde_json::from_value(value).unwrap()
        };
        let command = |name: &str, path: &str, input: &serde_json::Value, line| {
            json!({
                "name": name, "input": input, "output": {}, "route": {"method": "GET", "path": path}, "source": at(line),
            })
        };
        let fine = manifest(
            json!([
                command("a", "/a/{orderId}", &order, 1),
                command("b", "/b/{id}", &json!({"type": "string"}), 2)
            ]),
            json!([{"name": "on", "event": "Placed", "source": at(3)}]),
        );
        assert_eq!(fine.problems(), [""; 0]);
        let bad = manifest(
            json!([
                command("a", "/a/{orderid}", &order, 1),
                command("a", "/a/{x}/{y}", &json!({"type": "string"}), 2),
                command("c", "/a/{z}", &json!(null), 3)
            ]),
            json!([{"name": "on", "event": "Plced", "source": at(4)}]),
        );
        assert_eq!(
            bad.problems(),
            [
                "command `a` is declared twice: at src/lib.rs:1 and at src/lib.rs:2",
                "command `a` at src/lib.rs:1: its path /a/{orderid} has the parameter `orderid`, its input has no such field; did you mean {orderId}?",
                "command `a` at src/lib.rs:2 takes no input with fields, but its path is /a/{x}/{y}",
                "commands `a` and `c` both answer GET /a/{z}",
                "command `c` at src/lib.rs:3 takes no input with fields, but its path is /a/{z}",
                "subscription `on` reacts to event `Plced`, which the service does not have",
            ]
        );
    }
}

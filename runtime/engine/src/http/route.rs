//! Which command a method and a path lead to. Of several routes the one that says more wins, as in API Gateway: a
//! literal segment before a parameter, from left to right.

use std::collections::BTreeMap;

use eventual_schema::{Command, Route};

use super::{path_value, target};

/// A command, its route unless it is called as RPC, and the values of the path's parameters.
#[derive(Debug)]
pub struct Found<'a> {
    /// The command.
    pub command: &'a Command,
    /// Its own route.
    pub route: Option<&'a Route>,
    /// Values of the path's parameters, decoded.
    pub values: BTreeMap<String, String>,
}

/// The command that a request leads to, if any does.
#[must_use]
pub fn find<'a>(commands: &'a [Command], method: &str, path: &str) -> Option<Found<'a>> {
    let routes = commands.iter().filter_map(|it| it.route.as_ref());
    let fitting = routes.filter(|it| it.method.as_str() == method);
    let matched = fitting.filter_map(|it| Some((matches(&it.path, path)?, it)));
    // Sorted by what is a parameter, segment by segment: `false` first.
    let best = matched.min_by_key(|((shape, _), _)| shape.clone());
    let (key, values) = match best {
        Some(((_, values), route)) => (format!("{method} {}", route.path), values),
        None => (format!("{method} {path}"), BTreeMap::new()),
    };
    let (command, route) = target(commands, &key)?;
    Some(Found { command, route, values })
}

/// Whether a path fits a route: for each segment whether it is a parameter, and the parameters' values.
fn matches(route: &str, path: &str) -> Option<(Vec<bool>, BTreeMap<String, String>)> {
    let (mut shape, mut values) = (Vec::new(), BTreeMap::new());
    let (mut wanted, mut given) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some((shape, values)),
            (Some(wanted), Some(given)) => {
                let name = wanted.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
                match name {
                    Some(name) if !given.is_empty() => {
                        values.insert(name.to_owned(), path_value(given));
                    }
                    None if wanted == given => {}
                    _ => return None,
                }
                shape.push(name.is_some());
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(name: &str, path: &str) -> Command {
        let text = format!(
            r#"{{"name":"{name}","input":null,"output":null,"source":{{"file":"f","line":1}},"route":{{"method":"GET","path":"{path}"}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_route_that_says_more_wins() {
        let commands =
            [command("get", "/orders/{id}"), command("latest", "/orders/latest"), command("all", "/orders")];
        let found = |method: &str, path: &str| {
            find(&commands, method, path)
                .map(|it| (it.command.name.as_str(), it.route.is_some(), it.values.get("id").cloned()))
        };
        assert_eq!(found("GET", "/orders/a%20b+c"), Some(("get", true, Some("a b+c".into()))));
        assert_eq!(found("GET", "/orders/latest"), Some(("latest", true, None)));
        assert_eq!(found("GET", "/orders"), Some(("all", true, None)));
        assert_eq!(found("POST", "/rpc/get"), Some(("get", false, None)));
        for (method, path) in [("GET", "/orders/"), ("GET", "/orders/1/2"), ("POST", "/orders"), ("GET", "/")]
        {
            assert_eq!(found(method, path), None, "{method} {path}");
        }
    }
}

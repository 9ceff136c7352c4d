//! Looks through a workflow's body for what cannot be replayed. Lexical: it finds what is written out, not what a helper
//! function does; the engine finds the rest when the code runs.

use proc_macro2::{TokenStream, TokenTree};

use crate::diagnostics::Diagnostics;

/// Segments of a path that must not be there, and what to write instead. An empty last segment stands for anything.
const FORBIDDEN: [(&[&str], &str); 10] = [
    (&["tokio", "spawn"], "use `eventual::spawn` for concurrent branches"),
    (&["tokio", "task"], "use `eventual::spawn` for concurrent branches, and a task for blocking work"),
    (&["tokio", "time"], "use `eventual::sleep` or `.timeout(...)` of a call"),
    (&["std", "thread"], "move the work into a task"),
    (&["thread", "spawn"], "move the work into a task"),
    (&["thread", "sleep"], "use `eventual::sleep`"),
    (&["SystemTime", "now"], "use `eventual::now()`"),
    (&["Instant", "now"], "use `eventual::now()`"),
    (&["rand"], "use `eventual::random()`"),
    (&["Uuid", "new_v4"], "use `eventual::uuid()`"),
];

/// Reports everything in `body` that a replay would see differently.
pub(crate) fn scan(body: TokenStream, errors: &mut Diagnostics) {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let mut index = 0;
    while index < tokens.len() {
        match &tokens[index] {
            TokenTree::Group(group) => scan(group.stream(), errors),
            TokenTree::Ident(_) if !is_field(&tokens, index) => {
                let (path, end) = path_at(&tokens, index);
                let words: Vec<String> = path.iter().map(ToString::to_string).collect();
                if let Some((length, instead)) = forbidden(&words) {
                    let at: TokenStream = tokens[index..end.min(index + 3 * length - 2).max(index + 1)]
                        .iter()
                        .cloned()
                        .collect();
                    let what = words[..length.min(words.len())].join("::");
                    errors.error(
                        at,
                        format!(
                            "`{what}` is not the same when the workflow is replayed: {instead} (or say `#[workflow(allow_nondeterminism)]`)"
                        ),
                    );
                }
                index = end;
                continue;
            }
            _ => {}
        }
        index += 1;
    }
}

/// Whether the identifier is a field or method: `x.rand`.
fn is_field(tokens: &[TokenTree], index: usize) -> bool {
    let is = |at: usize, c: char| matches!(tokens.get(at), Some(TokenTree::Punct(it)) if it.as_char() == c);
    index > 0 && is(index - 1, '.') && !(index > 1 && is(index - 2, '.'))
}

/// The path that starts here, and the index after it.
fn path_at(tokens: &[TokenTree], start: usize) -> (Vec<&proc_macro2::Ident>, usize) {
    let mut path = Vec::new();
    let mut index = start;
    while let Some(TokenTree::Ident(ident)) = tokens.get(index) {
        path.push(ident);
        index += 1;
        let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(it)) if it.as_char() == ':');
        if !(colon(index) && colon(index + 1) && matches!(tokens.get(index + 2), Some(TokenTree::Ident(_)))) {
            break;
        }
        index += 2;
    }
    (path, index.max(start + 1))
}

/// How many of the words are forbidden, and what to write instead.
fn forbidden(words: &[String]) -> Option<(usize, &'static str)> {
    FORBIDDEN.iter().find_map(|(pattern, instead)| {
        let found = match pattern {
            // A crate's name counts only at the start of a path with more in it.
            [krate] => words.len() > 1 && words[0] == *krate,
            _ => words
                .windows(pattern.len())
                .any(|it| it.iter().zip(*pattern).all(|(word, part)| word == part)),
        };
        let length = words
            .windows(pattern.len())
            .position(|it| it.iter().zip(*pattern).all(|(word, part)| word == part));
        found.then(|| (length.unwrap_or(0) + pattern.len(), *instead))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str) -> Vec<String> {
        let mut errors = Diagnostics::default();
        scan(body.parse().unwrap(), &mut errors);
        errors.texts().iter().map(|it| it.split('`').nth(1).unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn what_cannot_be_replayed_is_found_wherever_it_is_written() {
        assert_eq!(found("{ let x = { std::time::SystemTime::now() }; }"), ["std::time::SystemTime::now"]);
        assert_eq!(
            found("tokio::spawn(async {}); tokio::time::sleep(d).await;"),
            ["tokio::spawn", "tokio::time"]
        );
        assert_eq!(found("std::thread::sleep(d)"), ["std::thread"]);
        assert_eq!(
            found("rand::random::<u8>(); Uuid::new_v4(); Instant::now()"),
            ["rand", "Uuid::new_v4", "Instant::now"]
        );
    }

    #[test]
    fn what_only_looks_like_it_is_not() {
        assert_eq!(
            found(
                "tokio::join!(a, b); tokio::select! { x = y => {} } let rand = 3; order.rand; eventual::now()"
            ),
            [""; 0]
        );
        assert_eq!(found("thread::current_user(); SystemTime::UNIX_EPOCH; crate::brand::name()"), [""; 0]);
    }
}

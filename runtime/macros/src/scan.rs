//! Looks through a workflow's body for what cannot be replayed. Lexical: it finds what is written out, not what a helper
//! function does; twins and the engine find the rest when the code runs.
//!
//! `#[workflow(allow_nondeterminism)]` above a statement or a block takes it out; in the attribute, the whole workflow.

mod allowed;
mod maps;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ItemFn;

use crate::diagnostics::Diagnostics;

const TIME: &str = "use `eventual::now()`";
const CHANCE: &str = "use `eventual::random()`";
const IDENTITY: &str = "use `eventual::uuid()`";
const BRANCHES: &str = "use `eventual::spawn` for concurrent branches, and a task for blocking work";
const OUTSIDE: &str = "move the work into a task, whose answer is remembered";
const PROCESS: &str = "pass it on as input, or read it in a task: another process has another one";

/// Paths that must not be there, and what to write instead. One segment alone is a crate or module, which counts at the
/// start of a path with more in it; several count anywhere in a path.
const FORBIDDEN: &[(&[&str], &str)] = &[
    (&["tokio", "spawn"], "use `eventual::spawn` for concurrent branches"),
    (&["tokio", "task"], BRANCHES),
    (&["tokio", "time"], "use `eventual::sleep` or `.timeout(...)` of a call"),
    (&["tokio", "runtime"], BRANCHES),
    (&["tokio", "fs"], OUTSIDE),
    (&["tokio", "io"], OUTSIDE),
    (&["tokio", "net"], OUTSIDE),
    (&["tokio", "process"], OUTSIDE),
    (&["tokio", "signal"], OUTSIDE),
    (&["async_std"], BRANCHES),
    (&["smol"], BRANCHES),
    (&["rayon"], OUTSIDE),
    (&["futures", "executor"], BRANCHES),
    (&["std", "thread"], "move the work into a task"),
    (&["thread", "spawn"], "move the work into a task"),
    (&["thread", "scope"], "move the work into a task"),
    (&["thread", "current"], "use `eventual::this_execution()`"),
    (&["thread", "sleep"], "use `eventual::sleep`"),
    (&["SystemTime", "now"], TIME),
    (&["Instant", "now"], TIME),
    (&["Utc", "now"], TIME),
    (&["Local", "now"], TIME),
    (&["Timestamp", "now"], TIME),
    (&["Zoned", "now"], TIME),
    (&["OffsetDateTime", "now_utc"], TIME),
    (&["OffsetDateTime", "now_local"], TIME),
    (&["rand"], CHANCE),
    (&["fastrand"], CHANCE),
    (&["getrandom"], CHANCE),
    (&["RandomState", "new"], CHANCE),
    (&["Uuid", "new_v4"], IDENTITY),
    (&["Uuid", "new_v7"], IDENTITY),
    (&["Uuid", "now_v7"], IDENTITY),
    (&["Ulid", "new"], IDENTITY),
    (&["std", "env"], PROCESS),
    (&["env", "var"], PROCESS),
    (&["env", "var_os"], PROCESS),
    (&["env", "vars"], PROCESS),
    (&["env", "args"], PROCESS),
    (&["std", "process"], PROCESS),
    (&["process", "id"], PROCESS),
    (&["std", "fs"], OUTSIDE),
    (&["fs", "read"], OUTSIDE),
    (&["fs", "read_to_string"], OUTSIDE),
    (&["fs", "write"], OUTSIDE),
    (&["File", "open"], OUTSIDE),
    (&["File", "create"], OUTSIDE),
    (&["std", "net"], OUTSIDE),
    (&["TcpStream", "connect"], OUTSIDE),
    (&["reqwest"], OUTSIDE),
    (&["ureq"], OUTSIDE),
];

/// Functions that are known by their own name.
const FUNCTIONS: &[(&str, &str)] =
    &[("thread_rng", CHANCE), ("spawn_blocking", BRANCHES), ("available_parallelism", PROCESS)];

/// Reports everything in a workflow that a replay would see differently, except what is allowed, whose attributes are taken
/// off.
pub(crate) fn scan(item: &mut ItemFn, errors: &mut Diagnostics) {
    let body = item.block.to_token_stream();
    let (clean, rest) = allowed::split(body);
    tokens(rest.clone(), errors);
    if let Ok(block) = syn::parse2(rest) {
        maps::scan(&item.sig, &block, errors);
    }
    // What cannot be parsed was not before either, and is reported by the compiler.
    if let Ok(block) = syn::parse2(clean) {
        *item.block = block;
    }
}

fn tokens(body: TokenStream, errors: &mut Diagnostics) {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let mut index = 0;
    while index < tokens.len() {
        match &tokens[index] {
            TokenTree::Group(group) => self::tokens(group.stream(), errors),
            TokenTree::Ident(_) if !is_field(&tokens, index) => {
                let (path, end) = path_at(&tokens, index);
                let words: Vec<String> = path.iter().map(ToString::to_string).collect();
                let called = matches!(tokens.get(end), Some(TokenTree::Group(_)));
                if let Some((length, instead)) = forbidden(&words, called) {
                    let until = end.min(index + (3 * length).saturating_sub(2)).max(index + 1);
                    let at: TokenStream = tokens[index..until].iter().cloned().collect();
                    let what = words[..length.min(words.len())].join("::");
                    errors.error(
                        at,
                        format!(
                            "`{what}` is not the same when the workflow is replayed: {instead} ({ALLOW})"
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

/// How to say that it is meant.
const ALLOW: &str = "or say `#[workflow(allow_nondeterminism)]`";

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
fn forbidden(words: &[String], called: bool) -> Option<(usize, &'static str)> {
    let by_name = FUNCTIONS.iter().find(|(name, _)| called && words.last().is_some_and(|it| it == name));
    if let Some((_, instead)) = by_name {
        return Some((words.len(), instead));
    }
    FORBIDDEN.iter().find_map(|(pattern, instead)| {
        let found = words
            .windows(pattern.len())
            .position(|it| it.iter().zip(*pattern).all(|(word, part)| word == part))?;
        // A crate's name counts only at the start of a path with more in it.
        let counts = pattern.len() > 1 || (found == 0 && words.len() > 1);
        counts.then_some((found + pattern.len(), *instead))
    })
}

#[cfg(test)]
#[path = "scan/tests.rs"]
mod tests;

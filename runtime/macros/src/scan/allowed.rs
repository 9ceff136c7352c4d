//! Statements and blocks of a workflow that may be different on a replay, because their author says so.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The name of the option, here and in the attribute above the workflow.
const OPTION: &str = "allow_nondeterminism";

/// A body without the attributes that allow, and one without what they allow.
pub(super) fn split(body: TokenStream) -> (TokenStream, TokenStream) {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let (mut clean, mut rest) = (Vec::new(), Vec::new());
    let mut index = 0;
    while index < tokens.len() {
        if allows(&tokens, index) {
            index += 2;
            let end = statement_end(&tokens, index);
            clean.extend(tokens[index..end].iter().cloned());
            index = end;
            continue;
        }
        match &tokens[index] {
            TokenTree::Group(group) => {
                let (inner_clean, inner_rest) = split(group.stream());
                clean.push(with(group, inner_clean));
                rest.push(with(group, inner_rest));
            }
            other => {
                clean.push(other.clone());
                rest.push(other.clone());
            }
        }
        index += 1;
    }
    (clean.into_iter().collect(), rest.into_iter().collect())
}

/// The same brackets around something else.
fn with(group: &Group, stream: TokenStream) -> TokenTree {
    let mut new = Group::new(group.delimiter(), stream);
    new.set_span(group.span());
    TokenTree::Group(new)
}

/// Whether `#[workflow(allow_nondeterminism)]` stands here, whatever path the attribute is named by.
fn allows(tokens: &[TokenTree], index: usize) -> bool {
    let Some(TokenTree::Punct(hash)) = tokens.get(index) else { return false };
    let Some(TokenTree::Group(attribute)) = tokens.get(index + 1) else { return false };
    if hash.as_char() != '#' || attribute.delimiter() != Delimiter::Bracket {
        return false;
    }
    let inside: Vec<TokenTree> = attribute.stream().into_iter().collect();
    let [.., TokenTree::Ident(name), TokenTree::Group(options)] = inside.as_slice() else { return false };
    name == "workflow" && options.stream().to_string() == OPTION
}

/// Where the statement ends that begins here: after its semicolon, or after the block that it is or ends with.
fn statement_end(tokens: &[TokenTree], start: usize) -> usize {
    let is_let = matches!(tokens.get(start), Some(TokenTree::Ident(it)) if it == "let");
    for (index, token) in tokens.iter().enumerate().skip(start) {
        match token {
            TokenTree::Punct(it) if it.as_char() == ';' => return index + 1,
            TokenTree::Group(it) if it.delimiter() == Delimiter::Brace && !is_let => {
                let goes_on = matches!(tokens.get(index + 1), Some(TokenTree::Ident(it)) if it == "else")
                    || matches!(tokens.get(index + 1), Some(TokenTree::Punct(it)) if ".?".contains(it.as_char()));
                if !goes_on {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

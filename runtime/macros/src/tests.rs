//! The macros as functions: what they report. What their output means is tested by `eventual-runtime`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::handler::{Kind, generate};
use crate::message::{self, Message};
use crate::{actor, failure, program};

fn mistakes(kind: Kind, attr: TokenStream, item: TokenStream) -> Vec<String> {
    generate(kind, attr, item).1.texts()
}

#[test]
fn a_fine_handler_has_no_mistakes() {
    let attr = quote!(
        method = PUT,
        path = "/a/{id}",
        auth = jwt(issuer = "https://i", audience = ["a"]),
        uses(a, b::C),
        timeout = "10s",
        memory = 256,
        name = "other"
    );
    let item = quote!(
        async fn put(input: Input, s: State<X>, u: Option<User>, c: eventual::Ctx) -> Result<(), E> {
            Ok(())
        }
    );
    assert_eq!(mistakes(Kind::Command, attr, item), [""; 0]);
    let retry = quote!(retry(
        attempts = 5,
        initial = "1s",
        backoff = 2,
        max = "1m",
        jitter = 0.2,
        errors,
        final_errors(crate::E::No)
    ));
    let task = |attr| {
        mistakes(
            Kind::Task,
            attr,
            quote!(
                async fn it(c: Completion) {}
            ),
        )
    };
    assert_eq!(task(quote!(inline, #retry, timeout = "45s", total_timeout = "1h")), [""; 0]);
    assert_eq!(task(quote!(#retry, timeout = "15m", heartbeat = "30s")), [""; 0]);
}

#[test]
fn what_a_task_cannot_be_is_reported() {
    let task = |attr| {
        mistakes(
            Kind::Task,
            attr,
            quote!(
                async fn it() {}
            ),
        )
    };
    assert_eq!(
        task(quote!(inline, heartbeat = "1s", timeout = "46s")),
        [
            "an inline task runs within a turn, whose message comes again when its process dies: remove `inline` or `heartbeat`",
            "an inline task runs for at most 45 seconds, because a turn waits for it; make longer work a remote task",
        ]
    );
    assert_eq!(
        task(quote!(retry(jitter = 2, final_errors(E::No)))),
        [
            "`jitter` takes a number from 0 to 1: `jitter = 0.2`",
            "without `errors`, every error is final: remove `final_errors`, or add `errors`",
        ]
    );
    let waits = mistakes(
        Kind::Workflow,
        quote!(),
        quote!(
            async fn it(c: Completion) {}
        ),
    );
    assert!(waits[0].starts_with("only a task can be completed later"), "{waits:?}");
}

#[test]
fn what_an_error_says_of_retries_is_checked() {
    let said = |item| failure::generate(item).1.texts();
    let fine = quote! {
        #[failure(status = 503, retry_after = "1s")]
        enum E {
            Busy,
            #[failure(retry_after = wait)]
            Later { wait: u64 },
            #[failure(retry_after = 0)]
            Then(Duration),
        }
    };
    assert_eq!(said(fine), [""; 0]);
    let wrong = quote! {
        enum E {
            #[failure(final, retry_after = "1s")]
            Both,
            #[failure(retry_after = waits)]
            Misspelt { wait: u64 },
            #[failure(retry_after = "soon")]
            Soon,
        }
    };
    assert_eq!(
        said(wrong),
        [
            "`final` means no other attempt, `retry_after` when it is: remove one of them",
            "`retry_after` takes a time, `retry_after = \"30s\"`, or the name of a field that has one: `retry_after = wait`",
            "`retry_after` takes a time as a whole number of ms, s, m or h: `retry_after = \"30s\"`",
        ]
    );
}

#[test]
fn every_mistake_of_a_signature_is_reported() {
    let item = quote!(
        fn it<T>(self, a: &str, b: impl Copy, c: u8) -> Vec<&u8> {
            body()
        }
    );
    assert_eq!(
        mistakes(Kind::Command, quote!(), item),
        [
            "a command is async: write `async fn it`",
            "a command cannot be generic: its types stand in the manifest; choose concrete ones",
            "a command is a free function: it has no `self`",
            "an argument cannot be a reference, because it crosses the wire; write `String`",
            "an argument cannot be `impl Trait`: its type stands in the manifest; name a concrete one",
            "a command takes one input; put both into a struct (State, Ctx and User are not inputs)",
            "a command takes one input; put both into a struct (State, Ctx and User are not inputs)",
            "a result cannot be a reference, because it crosses the wire; write `u8`",
        ]
    );
}

#[test]
fn the_body_is_kept_in_spite_of_mistakes() {
    let (tokens, errors) = generate(
        Kind::Task,
        quote!(timout = "1s"),
        quote!(
            async fn it(a: u8) {
                keep_me(a)
            }
        ),
    );
    assert!(tokens.to_string().contains("keep_me"));
    assert_eq!(errors.texts(), ["`#[task]` has no option `timout`; did you mean `timeout`?"]);
}

#[test]
fn options_say_what_they_take() {
    let attr = quote!(
        method = get,
        path = "orders",
        auth = oauth,
        timeout = 10,
        memory = 64,
        uses = a,
        timeout = "1s",
        name = "a b"
    );
    assert_eq!(
        mistakes(
            Kind::Command,
            attr,
            quote!(
                async fn it() {}
            )
        ),
        [
            "`timeout` is there twice",
            "\"a b\" is not a valid handler name: 1 to 40 letters and digits, a letter first",
            "`get` is no method; did you mean `GET`?",
            "a path starts with a slash: \"/orders\"",
            "`auth` is one of `auth = none | iam | jwt(issuer = \"https://...\", audience = [\"...\"])`",
            "`uses` takes a list: `uses(process_order, OrderCreated)`",
            "`timeout` takes a text: `timeout = \"10s\"`",
            "`memory` takes a whole number from 128 to 10240",
        ]
    );
    let attr = quote!(retry(attempts = 0, backoff = 0.5, initial = "soon", error), at_most_once = true);
    assert_eq!(
        mistakes(
            Kind::Task,
            attr,
            quote!(
                async fn it() {}
            )
        ),
        [
            "`at_most_once` takes no value",
            "`retry(...)` has no option `error`; did you mean `errors`?",
            "`at_most_once` makes one attempt, `retry` more: remove one of them",
            "`attempts` takes a whole number from 1 to 1000",
            "`initial` takes a time as a whole number of ms, s, m or h: `initial = \"10s\"`",
            "`backoff` takes a number from 1 to 1000: `backoff = 2.0`",
        ]
    );
    assert_eq!(
        mistakes(
            Kind::Command,
            quote!(timeout = "31s"),
            quote!(
                async fn it() {}
            )
        ),
        [
            "a request is answered within 30 seconds, or API Gateway gives up; start a workflow for longer work"
        ]
    );
    assert_eq!(
        mistakes(
            Kind::Task,
            quote!(timeout = "16m"),
            quote!(
                async fn it() {}
            )
        ),
        ["a function runs for at most 15 minutes; split longer work, or wait in a workflow",]
    );
}

#[test]
fn extractors_stand_where_they_make_sense() {
    let item = quote!(
        async fn it(a: A, s: State<X>, c: Ctx, u: User) {}
    );
    assert_eq!(mistakes(Kind::Workflow, quote!(), item.clone()).len(), 3);
    assert_eq!(
        mistakes(Kind::Task, quote!(), item),
        ["a task has no user; pass on what it needs of the user as input"]
    );
    assert_eq!(
        mistakes(
            Kind::Subscription,
            quote!(),
            quote!(
                async fn it(s: State<X>) {}
            )
        ),
        ["a subscription takes the event that it reacts to: `async fn on_it(event: OrderCreated)`",]
    );
}

#[test]
fn what_stands_above_the_wrong_thing_is_told_so() {
    let texts = mistakes(
        Kind::Command,
        quote!(),
        quote!(
            struct X;
        ),
    );
    assert!(texts[0].starts_with("`#[command]` stands above a free `async fn`"), "{texts:?}");
    let (_, errors) = message::generate(
        Message::Signal,
        quote!(nme = "x"),
        &quote!(
            struct It<T>(T);
        ),
    );
    assert_eq!(
        errors.texts(),
        [
            "a signal cannot be generic: its type stands in the manifest",
            "`#[signal]` has no option `nme`; did you mean `name`?",
        ]
    );
    let (_, errors) = failure::generate(quote!(
        enum E {
            #[failure(status = 200)]
            A,
            #[failure(call)]
            B { x: u8, y: u8 },
        }
    ));
    assert_eq!(
        errors.texts(),
        [
            "`status` takes a whole number from 400 to 599",
            "`#[failure(call)]` stands above a variant that holds an eventual::Error: `B(eventual::Error)`",
        ]
    );
    let (_, errors) = program::generate(quote!(orders, billing, nam = "x"));
    assert_eq!(errors.texts(), ["`main!` has no option `nam`; did you mean `name`?"]);
}

#[test]
fn an_actors_method_allows_statement_by_statement() {
    let item = |method: TokenStream| quote!(impl Watch { async fn begin(&mut self) { #method } });
    let now = quote!(let at = std::time::Instant::now(););
    let allowed = item(quote!(#[eventual::workflow(allow_nondeterminism)] #now));
    let (tokens, errors) = actor::generate(TokenStream::new(), allowed.clone());
    assert_eq!(errors.texts(), [""; 0]);
    let text = tokens.to_string();
    assert!(text.contains("Instant :: now") && !text.contains("allow_nondeterminism"), "{text}");
    let (tokens, errors) = actor::generate(TokenStream::new(), item(quote!(#now rand::random();)));
    assert_eq!(errors.texts().len(), 2);
    assert!(tokens.to_string().contains("impl Watch"), "the item stays");
    let (tokens, errors) = actor::generate(quote!(allow_nondeterminism), allowed);
    assert_eq!(errors.texts(), [""; 0]);
    assert!(!tokens.to_string().contains("allow_nondeterminism"), "the attribute is gone here, too");
}

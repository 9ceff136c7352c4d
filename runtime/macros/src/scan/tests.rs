//! What the scan finds, what it lets pass, and what it is told to let pass.

use quote::ToTokens;

use super::scan;
use crate::diagnostics::Diagnostics;

/// What is found in a workflow with this argument and body, by the words between the first backticks.
fn found_in(argument: &str, body: &str) -> (Vec<String>, String) {
    let mut errors = Diagnostics::default();
    let mut item = syn::parse_str(&format!("async fn workflow({argument}) {{ {body} }}")).unwrap();
    scan(&mut item, &mut errors);
    let found = errors.texts().iter().map(|it| it.split('`').nth(1).unwrap_or_default().to_owned()).collect();
    (found, item.block.to_token_stream().to_string())
}

fn found(body: &str) -> Vec<String> {
    found_in("", body).0
}

#[test]
fn what_cannot_be_replayed_is_found_wherever_it_is_written() {
    assert_eq!(found("let x = { std::time::SystemTime::now() };"), ["std::time::SystemTime::now"]);
    assert_eq!(
        found("tokio::spawn(async {}); tokio::time::sleep(d).await;"),
        ["tokio::spawn", "tokio::time"]
    );
    assert_eq!(found("std::thread::sleep(d)"), ["std::thread"]);
    assert_eq!(
        found("rand::random::<u8>(); Uuid::new_v4(); Instant::now()"),
        ["rand", "Uuid::new_v4", "Instant::now"]
    );
    assert_eq!(
        found(
            "chrono::Utc::now(); std::env::var(\"A\"); env::var(\"A\"); thread_rng().gen(); reqwest::get(u).await"
        ),
        ["chrono::Utc::now", "std::env", "env::var", "thread_rng", "reqwest"]
    );
    assert_eq!(
        found("std::fs::read(p); tokio::fs::read(p).await; tokio::task::spawn_blocking(f); File::open(p)"),
        ["std::fs", "tokio::fs", "tokio::task::spawn_blocking", "File::open"]
    );
    assert_eq!(found("select! { _ = tokio::time::sleep(d) => {} }"), ["tokio::time"], "in macros too");
}

#[test]
fn what_only_looks_like_it_is_not() {
    for fine in [
        "tokio::join!(a, b); tokio::select! { x = y => {} } let rand = 3; order.rand; eventual::now()",
        "thread::current_user(); SystemTime::UNIX_EPOCH; crate::brand::name(); tokio::sync::oneshot::channel()",
        "let env = 1; env.var; environment::var(1); my::fs_read(); order.process.id()",
        "let thread_rng = 1; thread_rng + 1",
    ] {
        assert_eq!(found(fine), [""; 0], "{fine}");
    }
}

#[test]
fn loops_over_hash_maps_that_await_are_found() {
    let awaiting = "{ pay(it).await?; }";
    for over in ["map", "&map", "map.iter()", "map.keys().cloned()", "map.clone().into_iter().enumerate()"] {
        assert_eq!(
            found(&format!("let map = HashMap::new(); for it in {over} {awaiting}")),
            ["map"],
            "{over}"
        );
    }
    for made in [
        "let mut map: HashSet<u8> = x;",
        "let map = std::collections::HashMap::from([(1, 2)]);",
        "let map = x.into_iter().collect::<HashMap<_, _>>();",
    ] {
        assert_eq!(found(&format!("{made} for it in &map {awaiting}")), ["map"], "{made}");
    }
    let (found_in_argument, _) =
        found_in("orders: HashMap<String, u8>", &format!("for it in orders {awaiting}"));
    assert_eq!(found_in_argument, ["orders"]);
    assert_eq!(found(&format!("for it in HashSet::from([1, 2]) {awaiting}")), ["it"]);
}

#[test]
fn hash_maps_whose_order_does_not_matter_are_fine() {
    for fine in [
        "let map = HashMap::new(); for it in &map { sum += it; }",
        "let map = HashMap::new(); let sorted: BTreeMap<_, _> = map.into_iter().collect(); for it in sorted { a.await; }",
        "let map = HashMap::new(); let map: BTreeMap<_, _> = map.into_iter().collect(); for it in map { a.await; }",
        "let list = Vec::new(); for it in list { a.await; }",
        "let map = HashMap::new(); pay(map.get(\"x\")).await; let total: u32 = map.values().sum();",
    ] {
        assert_eq!(found(fine), [""; 0], "{fine}");
    }
}

#[test]
fn what_is_allowed_is_let_pass_and_nothing_beside_it() {
    const ALLOW: &str = "#[workflow(allow_nondeterminism)]";
    let (found, body) = found_in("", &format!("{ALLOW} let x = SystemTime::now(); Instant::now();"));
    assert_eq!(found, ["Instant::now"]);
    assert_eq!(body, "{ let x = SystemTime :: now () ; Instant :: now () ; }", "the attribute is gone");
    let cases = [
        "#[eventual::workflow(allow_nondeterminism)] { rand::random(); } Uuid::new_v4();".to_owned(),
        format!("if a {{ {ALLOW} if b {{ rand::random(); }} else {{ rand::random(); }} Uuid::new_v4(); }}"),
        format!("{ALLOW} for it in HashSet::from([1]) {{ a.await; }} Uuid::new_v4()"),
        format!("{ALLOW} let x = if a {{ rand::random() }} else {{ 2 }}; Uuid::new_v4()"),
        format!("{ALLOW} rand::random::<u8>(); Uuid::new_v4()"),
    ];
    for case in cases {
        assert_eq!(self::found(&case), ["Uuid::new_v4"], "{case}");
    }
}

//! What no macro can see is an error when the service is put together. One test binary is one service, so the mistakes
//! stand in one, and are reported at once.

use eventual::State;
use serde::{Deserialize, Serialize};

mod shop {
    #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    pub(crate) struct Page {
        pub(crate) number: u8,
    }
}

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
struct Page {
    title: String,
}

#[eventual::command(method = GET, path = "/pages/{id}")]
async fn page(page: Page) -> shop::Page {
    shop::Page { number: u8::try_from(page.title.len()).unwrap_or_default() }
}

#[eventual::command(method = GET, path = "/pages/{title}")]
async fn other_page(page: Page) -> String {
    page.title
}

type Renamed<T> = Result<T, String>;

#[eventual::task]
async fn renamed(it: u8, _state: State<u8>) -> Renamed<u8> {
    Ok(it)
}

#[test]
fn mistakes_across_items_are_all_reported_when_the_service_is_put_together() {
    let panic = std::panic::catch_unwind(|| eventual::service!()).expect_err("it is no service");
    let said = panic.downcast_ref::<String>().expect("a text");
    let expected = [
        "task `renamed` at runtime/tests/mistakes.rs:32 returns a `Result` under another name: write `Result<...>`, or name the alias `Result`",
        "two types of the service are named `Page` in its schemas: rename one, or write `#[schemars(rename = \"OtherPage\")]` above it",
        "command `page` at runtime/tests/mistakes.rs:20: its path /pages/{id} has the parameter `id`, its input has no such field",
        "commands `otherPage` and `page` both answer GET /pages/{id}",
    ];
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    let mut expected: Vec<&str> = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

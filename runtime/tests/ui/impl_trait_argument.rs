#[eventual::task]
async fn show(it: impl std::fmt::Display) -> String {
    it.to_string()
}

fn main() {}

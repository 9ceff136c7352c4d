#[eventual::command]
async fn find(name: &str) -> String {
    name.to_owned()
}

fn main() {}

#[eventual::command(method = get, path = "/orders/{id", timeout = 10, memory = "1 GB", auth = everybody)]
async fn find(id: String) -> String {
    id
}

fn main() {}

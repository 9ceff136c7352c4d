#[eventual::task]
async fn reserve(sku: String) -> String {
    sku
}

#[eventual::command(uses(reserve))]
async fn order(sku: String) -> String {
    sku
}

fn main() {}

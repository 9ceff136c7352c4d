#[eventual::task(timout = "10s")]
async fn reserve(sku: String) -> String {
    sku
}

fn main() {}

#[derive(Debug)]
struct SoldOut;

#[eventual::task]
async fn reserve(sku: String) -> Result<String, SoldOut> {
    if sku.is_empty() { Err(SoldOut) } else { Ok(sku) }
}

fn main() {}

#[derive(serde::Serialize, serde::Deserialize)]
struct Receipt {
    id: String,
}

#[eventual::workflow]
async fn pay(id: String) -> Result<Receipt, eventual::Error> {
    Ok(Receipt { id })
}

fn main() {}

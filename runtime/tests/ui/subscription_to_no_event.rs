#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Placed {
    id: String,
}

#[eventual::subscription]
async fn on_placed(event: Placed) -> Result<(), eventual::Error> {
    drop(event);
    Ok(())
}

fn main() {}

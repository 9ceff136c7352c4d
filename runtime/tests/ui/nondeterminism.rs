#[eventual::workflow]
async fn wait() -> bool {
    let began = std::time::SystemTime::now();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    began.elapsed().is_ok()
}

fn main() {}

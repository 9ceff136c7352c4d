use std::collections::HashMap;

#[eventual::task]
async fn pay(account: String) {}

#[eventual::workflow]
async fn wait() -> bool {
    let began = std::time::SystemTime::now();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    began.elapsed().is_ok()
}

#[eventual::workflow]
async fn pay_all(accounts: HashMap<String, u64>) {
    for account in accounts.into_keys() {
        pay(account).await.ok();
    }
    if std::env::var("VERBOSE").is_ok() {
        #[eventual::workflow(allow_nondeterminism)]
        let at = std::time::Instant::now();
        eprintln!("paid at {at:?}");
    }
}

#[derive(Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Watch {
    began: u64,
}

#[eventual::actor]
impl Watch {
    async fn begin(&mut self) {
        #[eventual::workflow(allow_nondeterminism)]
        let at = std::time::Instant::now();
        eprintln!("asked at {at:?}");
        self.began = std::process::id().into();
    }
}

fn main() {}

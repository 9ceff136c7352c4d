//! The local store keeps the promises that every host keeps, also after it was opened again.

use eventual_engine::ports::Clock;
use eventual_local::{LocalStore, SystemClock};
use eventual_testing::conformance;

#[tokio::test]
async fn the_store_on_disk_conforms() {
    let folder = tempfile::tempdir().unwrap();
    for run in ["first", "opened-again"] {
        let store = LocalStore::open(folder.path(), 86_400_000).unwrap();
        conformance::store(&store, run, SystemClock.now()).await.unwrap();
    }
}

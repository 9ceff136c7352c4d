//! The testing host keeps the promises that every host keeps.

use eventual_testing::conformance;
use eventual_testing::world::{START, World};

#[tokio::test]
async fn the_store_in_memory_conforms() {
    conformance::store(&World::new([], 1), "memory", START).await.unwrap();
}

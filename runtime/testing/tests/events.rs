//! Events that no bus takes are refused where they are emitted, and the workflow goes on.

use eventual::CallError;
use eventual_testing::TestEnvironment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An event of any size.
#[eventual::event]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Noted {
    /// What was noted.
    pub text: String,
}

/// An event that is no object.
#[eventual::event]
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Counted(pub u32);

/// Emits both kinds and says what was refused.
#[eventual::workflow]
pub async fn emit_all(bytes: usize) -> Vec<String> {
    let mut refused = Vec::new();
    for emitted in [Noted { text: "x".repeat(bytes) }.emit().await, Counted(1).emit().await] {
        if let Err(CallError::Invalid(error)) = emitted {
            refused.push(error.message.clone());
        }
    }
    refused
}

#[test]
fn an_event_that_no_bus_takes_is_refused_at_the_call() {
    let env = TestEnvironment::new(eventual::service!());
    let small = env.call(emit_all(10)).unwrap();
    assert_eq!(small.len(), 1);
    assert!(small[0].contains("an event is an object"), "{}", small[0]);
    let large = env.call(emit_all(300_000)).unwrap();
    assert!(large[0].contains("at most 261120 bytes, this one has 300011"), "{}", large[0]);
    assert_eq!(env.emitted::<Noted>().len(), 1, "only the small one was published");
}

//! The deployed service, which lets nobody in without a signature, called with AWS credentials that somebody lent:
//! `eventual::client::SigV4`. It needs the emulated AWS: `cargo xtask test` deploys the service and says where it is.
#![allow(clippy::unwrap_used, reason = "code of tests")]
#![allow(clippy::print_stdout, reason = "whether it was deployed belongs to the result")]

use eventual::client::{Client, Credentials, Executions, RemoteError, SigV4};
use orders::{OrderError, OrderRef, PlaceOrder, Receipt, Shipment, Status, get_order, place_order};

fn setting(name: &str) -> String {
    std::env::var(name).unwrap()
}

#[tokio::test]
async fn only_signed_calls_are_answered() {
    let Ok(url) = std::env::var("EVENTUAL_TEST_SERVICE") else {
        println!(
            "the deployed service was NOT called: it needs the emulated AWS, `cargo xtask test --only e2e`"
        );
        return;
    };
    let lent = |secret: String| {
        let token = Some(setting("AWS_SESSION_TOKEN"));
        SigV4::new("us-east-1", Credentials::from_keys(setting("AWS_ACCESS_KEY_ID"), secret, token))
    };
    let signer = lent(setting("AWS_SECRET_ACCESS_KEY"));
    let id = "from-rust".to_owned();
    let order = PlaceOrder { id: id.clone(), amount_cents: 4_200, card: "tok".into(), ship_within_s: 3_600 };

    let unsigned = Client::new(&url).unwrap();
    for stranger in [unsigned.clone(), unsigned.clone().sign(lent("guessed".to_owned()))] {
        let refused = stranger.call(place_order(order.clone())).await.unwrap_err();
        assert!(matches!(refused, RemoteError::Refused { status: 403, .. }), "{refused}");
    }

    let client = unsigned.sign(signer.clone());
    let placed = client.call(place_order(order)).await.unwrap();
    assert_eq!(placed.execution, "processOrder/from-rust");
    assert_eq!(client.call(get_order(OrderRef { id: id.clone() })).await.unwrap().id, id);

    let (endpoint, system) = (setting("EVENTUAL_TEST_ENDPOINT"), setting("EVENTUAL_TEST_SYSTEM"));
    let executions = Executions::deployed_at(endpoint, &system, &signer).unwrap();
    let execution =
        executions.of::<Receipt, OrderError>(eventual::Execution::parse(&placed.execution).unwrap());
    execution.signal(Shipment { tracking: "t-1".into() }).await.unwrap();
    let receipt = execution.ended().await.unwrap().unwrap();
    assert_eq!(receipt.status, Status::Shipped { tracking: "t-1".into() });
}

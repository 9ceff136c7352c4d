//! How long so many calls take, by a clock that stands still unless everybody waits.

use std::sync::Arc;

use super::*;

/// Seconds until `count` calls, all asked for at once, have begun.
async fn seconds(pace: &Arc<Pace>, operation: &'static str, count: usize) -> f64 {
    let began = Instant::now();
    let calls: Vec<_> = (0..count)
        .map(|_| {
            let pace = Arc::clone(pace);
            tokio::spawn(async move { pace.wait(operation).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    began.elapsed().as_secs_f64()
}

fn about(found: f64, expected: f64) {
    // A call may wait a tenth longer, never less; the clock is one of milliseconds.
    assert!(
        found >= expected - 0.002 && found <= expected * (1.0 + JITTER) + 0.01,
        "{found} s, not {expected} s"
    );
}

fn aws() -> Arc<Pace> {
    Arc::new(Pace::new(Limits::Aws))
}

#[tokio::test(start_paused = true)]
async fn the_first_calls_begin_at_once_and_the_others_at_the_rate() {
    for (operation, burst, rate) in [
        ("lambda CreateFunction", 15, 15.0),
        ("lambda GetFunction", 100, 100.0),
        ("apigateway CreateRoute", 40, 10.0),
        ("logs CreateLogGroup", 10, 10.0),
        ("logs PutRetentionPolicy", 5, 5.0),
        ("events PutRule", 50, 50.0),
        ("iam CreateRole", 25, 25.0),
        ("sqs CreateQueue", 25, 25.0),
        ("s3 PutBucketPolicy", 25, 25.0),
        ("scheduler CreateScheduleGroup", 10, 10.0),
    ] {
        let pace = aws();
        about(seconds(&pace, operation, burst).await, 0.0);
        about(seconds(&pace, operation, 30).await, 30.0 / (rate * SHARE));
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_counts_together_shares_and_nothing_else_is_slowed() {
    let pace = aws();
    about(seconds(&pace, "lambda CreateFunction", 15).await, 0.0);
    let other = Arc::clone(&pace);
    let busy = tokio::spawn(async move { seconds(&other, "lambda AddPermission", 27).await });
    tokio::task::yield_now().await;
    for free in
        ["iam PutRolePolicy", "lambda GetFunction", "lambda GetPolicy", "apigateway GetApis", "s3 PutObject"]
    {
        about(seconds(&pace, free, 5).await, 0.0);
    }
    about(busy.await.unwrap(), 27.0 / (15.0 * SHARE));
}

#[tokio::test(start_paused = true)]
async fn calls_of_what_is_deployed_are_not_counted() {
    let pace = aws();
    about(seconds(&pace, "lambda Invoke", 5000).await, 0.0);
    pace.slow_down("lambda Invoke");
    about(seconds(&pace, "lambda Invoke", 5000).await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn tokens_come_back_and_no_more_than_the_burst() {
    let pace = aws();
    about(seconds(&pace, "lambda CreateFunction", 15).await, 0.0);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    about(seconds(&pace, "lambda CreateFunction", 15).await, 0.0);
    about(seconds(&pace, "lambda CreateFunction", 27).await, 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_halves_the_rate_once_and_time_brings_it_back() {
    let pace = aws();
    // Ten calls were under way and all were refused: that is one refusal.
    for _ in 0..10 {
        pace.slow_down("iam CreateRole");
    }
    let halved = 25.0 * SHARE * AFTER_REFUSAL;
    let took = seconds(&pace, "iam CreateRole", 10).await;
    about(took, 10.0 / halved);
    // As slow as it gets, and no slower.
    for _ in 0..20 {
        tokio::time::sleep(ONE_REFUSAL).await;
        pace.slow_down("iam CreateRole");
    }
    let slowest = seconds(&pace, "iam CreateRole", 10).await;
    assert!(slowest < 10.0 / (25.0 * SHARE * FLOOR) * (1.0 + JITTER) + 0.1, "{slowest} s");
    assert!(slowest > 10.0 / (25.0 * SHARE * 2.0 * FLOOR), "{slowest} s");
    tokio::time::sleep(Duration::from_secs(60)).await;
    about(seconds(&pace, "iam CreateRole", 25).await, 0.0);
    about(seconds(&pace, "iam CreateRole", 45).await, 45.0 / (25.0 * SHARE));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_has_no_limits_until_it_refuses() {
    let pace = Arc::new(Pace::new(Limits::Endpoint));
    about(seconds(&pace, "lambda CreateFunction", 500).await, 0.0);
    pace.slow_down("lambda CreateFunction");
    about(seconds(&pace, "lambda CreateFunction", 27).await, 27.0 / (15.0 * SHARE));
    about(seconds(&pace, "iam CreateRole", 500).await, 0.0);
}

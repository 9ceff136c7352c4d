//! The clock of a test: it stands still unless the test moves it.

use std::time::Duration;

use eventual::Moment;
use eventual_engine::core::Millis;

use super::TestEnvironment;

impl TestEnvironment {
    /// Now, in milliseconds since 1970. Begins at 2030-01-01.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.drive().now()
    }

    /// Makes everything that is due now, without moving the clock. What a test does makes it anyway.
    pub fn settle(&self) {
        self.drive().settle();
    }

    /// Moves the clock, stopping at everything that is due on the way.
    pub fn advance(&self, duration: Duration) {
        self.drive().advance(duration);
    }

    /// Moves the clock to a moment (a `SystemTime`, or milliseconds since 1970), stopping at everything that is due on the
    /// way. A moment that has passed changes nothing.
    pub fn advance_to(&self, moment: impl Into<Moment>) {
        self.drive().advance_to(moment.into().as_millis());
    }

    /// Moves the clock until nothing is on its way any more: every execution has ended, or waits for the test. No further
    /// than `limit` from now; `false` when something is still on its way then, as it always is in a service that wakes
    /// every day.
    pub fn run_until_idle(&self, limit: Duration) -> bool {
        self.drive().run_within(limit, |_| false);
        self.drive().world().next_due().is_none()
    }

    /// Moves the clock from one thing that is due to the next until `holds` does, no further than `limit` from now. Answers
    /// whether it held.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # #[eventual::task] async fn ping() {}
    /// # #[eventual::workflow] async fn daily() { loop { ping().await.ok(); eventual::sleep(Duration::from_secs(86_400)).await.ok(); } }
    /// # fn main() {
    /// let env = eventual_testing::TestEnvironment::new(eventual::service!());
    /// env.start(daily()).unwrap();
    /// let year = Duration::from_secs(366 * 86_400);
    /// assert!(env.run_until(year, |env| env.calls(ping).len() == 365));
    /// # }
    /// ```
    pub fn run_until(&self, limit: Duration, mut holds: impl FnMut(&Self) -> bool) -> bool {
        self.drive().run_within(limit, |_| holds(self))
    }
}

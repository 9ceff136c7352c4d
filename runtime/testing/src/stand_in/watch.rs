//! Says which execution's code keeps the thread of a test. Production parks such an execution and goes on with another
//! thread; a test's thread cannot be taken from the code, so all that is left is to say where it hangs.

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use eventual_engine::core::ExecutionId;

/// After which time it is said, as production waits.
const BLOCKED_AFTER: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_secs(1);

/// What a thread polls.
#[derive(Default)]
struct Polling {
    /// Since when, and whether it was said.
    what: Option<(Instant, ExecutionId, bool)>,
}

type Shared = Arc<Mutex<Polling>>;

thread_local! {
    static MINE: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

/// The threads that are watched.
static WATCHED: OnceLock<Mutex<Vec<Weak<Mutex<Polling>>>>> = OnceLock::new();

/// Ends the watch.
#[must_use]
pub(super) struct Watched(Shared);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).what = None;
    }
}

/// Watches this thread, which polls the code of an execution.
pub(super) fn begin(id: &ExecutionId) -> Watched {
    let mine = MINE.with_borrow_mut(|it| it.get_or_insert_with(watched).clone());
    mine.lock().unwrap_or_else(PoisonError::into_inner).what = Some((Instant::now(), id.clone(), false));
    Watched(mine)
}

/// Has this thread watched from here on.
fn watched() -> Shared {
    let mine = Shared::default();
    let all = WATCHED.get_or_init(|| {
        // Without the watcher nothing is said, and everything else works.
        let _ = thread::Builder::new().name("watch".to_owned()).spawn(watch);
        Mutex::default()
    });
    all.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&mine));
    mine
}

fn watch() {
    loop {
        thread::sleep(PAUSE);
        let Some(all) = WATCHED.get() else { continue };
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|it| {
            it.upgrade().is_some_and(|it| {
                report(&mut it.lock().unwrap_or_else(PoisonError::into_inner));
                true
            })
        });
    }
}

fn report(polling: &mut Polling) {
    let Some((since, id, said)) = &mut polling.what else { return };
    if *said || since.elapsed() < BLOCKED_AFTER {
        return;
    }
    *said = true;
    // Past the capture of test output, which shows it only when the test has ended.
    let _ = writeln!(
        std::io::stderr(),
        "eventual-testing: the code of execution {id} has kept its thread for {BLOCKED_AFTER:?} without awaiting \
         anything, and this test hangs in it; in production it would be parked. Move long work into a task"
    );
}

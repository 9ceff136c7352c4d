//! Many things at once: how many at a time, and when enough of them have succeeded or failed.
//!
//! Deliberately no tasks of an async runtime: everything is polled where it is awaited, so that history decides the order.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;

use futures_util::stream::{FuturesUnordered, StreamExt};

/// Makes a future of every item and runs them at once: calls of tasks and workflows, or `async` blocks. How many at a time
/// is said by [`Parallel::concurrency`], and what is waited for by the method that ends it: [`all`](Parallel::all),
/// [`settled`](Parallel::settled), [`first`](Parallel::first), [`tolerate`](Parallel::tolerate).
///
/// ```
/// # use std::time::Duration;
/// # #[eventual::task] async fn resize(picture: String) -> eventual::Result<u32> { Ok(1) }
/// #[eventual::workflow]
/// async fn thumbnails(pictures: Vec<String>) -> eventual::Result<Vec<u32>> {
///     // Ten at a time. The first error ends it and cancels the rest; results are in the order of the pictures.
///     Ok(eventual::map(pictures, resize).concurrency(10).all().await?)
/// }
///
/// #[eventual::workflow]
/// async fn most_thumbnails(pictures: Vec<String>) -> eventual::Result<usize> {
///     // One in twenty may fail.
///     let resized = eventual::map(pictures, resize).concurrency(10).tolerate_percent(5).await?;
///     Ok(resized.iter().filter(|it| it.is_ok()).count())
/// }
/// ```
pub fn map<I: IntoIterator, F, R, T, E>(items: I, make: F) -> Parallel<I::Item, F>
where
    F: FnMut(I::Item) -> R,
    R: Future<Output = Result<T, E>>,
{
    Parallel { items: items.into_iter().collect(), make, limit: usize::MAX }
}

/// Runs futures at once that are there already. As [`map`], without the function.
///
/// ```
/// # #[eventual::task] async fn quote(carrier: String) -> eventual::Result<u32> { Ok(1) }
/// #[eventual::workflow]
/// async fn two_quotes() -> eventual::Result<Vec<u32>> {
///     let carriers = ["post", "bike", "ship"].map(|it| quote(it.to_owned()));
///     let quotes = eventual::parallel(carriers).first(2).await?;
///     Ok(quotes.into_iter().map(|(_, cents)| cents).collect())
/// }
/// ```
pub fn parallel<I, T, E>(futures: I) -> Parallel<I::Item, Identity<I::Item>>
where
    I: IntoIterator,
    I::Item: Future<Output = Result<T, E>>,
{
    map(futures, std::convert::identity)
}

/// What [`parallel`] makes of its futures: nothing else.
pub type Identity<T> = fn(T) -> T;

/// Many things at once. See [`map`] and [`parallel`].
#[must_use = "nothing is done until one of its methods is awaited"]
pub struct Parallel<I, F> {
    items: Vec<I>,
    make: F,
    limit: usize,
}

/// More failed than were tolerated. What was still running is cancelled.
#[derive(Clone, Debug, PartialEq)]
pub struct TooManyFailed<E> {
    /// The failures until then, each with the number of its item, from 0, in the order in which they came.
    pub failures: Vec<(usize, E)>,
    /// How many things there were to do.
    pub of: usize,
}

impl<E: fmt::Display> fmt::Display for TooManyFailed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} failed", self.failures.len(), self.of)?;
        match self.failures.last() {
            Some((number, error)) => write!(f, ", at last number {number}: {error}"),
            None => Ok(()),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for TooManyFailed<E> {}

impl<I, F> Parallel<I, F> {
    /// At most so many at a time; the next one begins when one has ended. At least one. Default: all.
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.limit = limit.max(1);
        self
    }

    /// All must succeed. The results, in the order of the items.
    ///
    /// # Errors
    /// The first failure; what is still running is cancelled then, and the rest never begins.
    pub async fn all<R, T, E>(self) -> Result<Vec<T>, E>
    where
        F: FnMut(I) -> R,
        R: Future<Output = Result<T, E>>,
    {
        let mut failure = None;
        let results = self.run(|_, result, succeeded| match result {
            Ok(value) => {
                succeeded(value);
                ControlFlow::Continue(())
            }
            Err(error) => {
                failure = Some(error);
                ControlFlow::Break(())
            }
        });
        let results = results.await;
        match failure {
            Some(error) => Err(error),
            None => Ok(results.into_iter().map(|(_, value)| value).collect()),
        }
    }

    /// All are done, however they end. Their results, in the order of the items.
    pub async fn settled<R, T, E>(self) -> Vec<Result<T, E>>
    where
        F: FnMut(I) -> R,
        R: Future<Output = Result<T, E>>,
    {
        let results = self.run(|_, result, ended| {
            ended(result);
            ControlFlow::Continue(())
        });
        results.await.into_iter().map(|(_, result)| result).collect()
    }

    /// The first so many to succeed, each with the number of its item, in the order of the items. What is still running is
    /// cancelled then, and the rest never begins.
    ///
    /// # Errors
    /// When so many failed that not enough can succeed any more.
    pub async fn first<R, T, E>(self, wanted: usize) -> Result<Vec<(usize, T)>, TooManyFailed<E>>
    where
        F: FnMut(I) -> R,
        R: Future<Output = Result<T, E>>,
    {
        let of = self.items.len();
        let (mut failures, mut count) = (Vec::new(), 0);
        if wanted == 0 {
            return Ok(Vec::new());
        }
        if wanted > of {
            return Err(TooManyFailed { failures, of });
        }
        let results = self.run(|number, result, succeeded| {
            match result {
                Ok(value) => {
                    succeeded(value);
                    count += 1;
                }
                Err(error) => failures.push((number, error)),
            }
            if count == wanted || failures.len() > of - wanted {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        let results = results.await;
        if count == wanted { Ok(results) } else { Err(TooManyFailed { failures, of }) }
    }

    /// All are done, and so many may fail. Their results, in the order of the items.
    ///
    /// # Errors
    /// As soon as more have failed; what is still running is cancelled then, and the rest never begins.
    pub async fn tolerate<R, T, E>(self, failures: usize) -> Result<Vec<Result<T, E>>, TooManyFailed<E>>
    where
        F: FnMut(I) -> R,
        R: Future<Output = Result<T, E>>,
    {
        let (of, mut failed) = (self.items.len(), 0);
        let results = self.run(|_, result, ended| {
            failed += usize::from(result.is_err());
            ended(result);
            if failed > failures { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let results = results.await;
        if failed <= failures {
            return Ok(results.into_iter().map(|(_, result)| result).collect());
        }
        let failures = results.into_iter().filter_map(|(number, it)| Some((number, it.err()?))).collect();
        Err(TooManyFailed { failures, of })
    }

    /// As [`tolerate`](Self::tolerate), with how many may fail in per cent of the items, rounded down.
    ///
    /// # Errors
    /// As soon as more have failed.
    pub async fn tolerate_percent<R, T, E>(self, percent: u8) -> Result<Vec<Result<T, E>>, TooManyFailed<E>>
    where
        F: FnMut(I) -> R,
        R: Future<Output = Result<T, E>>,
    {
        let failures = self.items.len().saturating_mul(percent.into()) / 100;
        self.tolerate(failures).await
    }

    /// Runs everything until `judge` has enough. It keeps results by the function that it is given; they are answered by
    /// the order of the items. What is not done by then is dropped, which cancels it.
    async fn run<R, T, E, V>(
        self,
        mut judge: impl FnMut(usize, Result<T, E>, &mut dyn FnMut(V)) -> ControlFlow<()>,
    ) -> Vec<(usize, V)>
    where
        F: FnMut(I) -> R,
        R: Future<Output = Result<T, E>>,
    {
        let Self { items, mut make, limit } = self;
        let mut items = items.into_iter().enumerate();
        let mut running = FuturesUnordered::new();
        let mut kept = Vec::new();
        loop {
            while running.len() < limit
                && let Some((number, item)) = items.next()
            {
                let future = make(item);
                running.push(async move { (number, future.await) });
            }
            let Some((number, result)) = running.next().await else { break };
            if judge(number, result, &mut |value| kept.push((number, value))).is_break() {
                break;
            }
        }
        kept.sort_by_key(|(number, _)| *number);
        kept
    }
}

impl<I, F> fmt::Debug for Parallel<I, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { items, limit, .. } = self;
        write!(f, "Parallel({} things, {limit} at a time)", items.len())
    }
}

//! The limit on the number of orders.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The most orders in a [`MINUTE`].
const MAX_ORDERS: usize = 10;

const MINUTE: Duration = Duration::from_secs(60);

/// Counts orders: ten in any minute.
#[derive(Debug, Default)]
pub(crate) struct Limit {
    /// The moments of the latest orders, oldest first.
    taken: Mutex<VecDeque<Instant>>,
}

impl Limit {
    /// Takes one of the orders of this minute.
    ///
    /// Returns the time until there is one again, if there is none.
    pub(crate) fn take(&self) -> Result<(), Duration> {
        let now = Instant::now();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while taken
            .front()
            .is_some_and(|at| now.duration_since(*at) >= MINUTE)
        {
            taken.pop_front();
        }
        match taken.front() {
            Some(oldest) if taken.len() >= MAX_ORDERS => {
                Err(MINUTE.saturating_sub(now.duration_since(*oldest)))
            }
            _ => {
                taken.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Limit;
    use std::time::Duration;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn ten_orders_are_taken_in_any_minute() {
        let limit = Limit::default();
        for _ in 0..10 {
            assert_eq!(limit.take(), Ok(()));
            advance(Duration::from_secs(1)).await;
        }
        assert_eq!(limit.take(), Err(Duration::from_secs(50)));
        advance(Duration::from_secs(49)).await;
        assert_eq!(limit.take(), Err(Duration::from_secs(1)));
        advance(Duration::from_secs(1)).await;
        assert_eq!(limit.take(), Ok(()));
        assert_eq!(limit.take(), Err(Duration::from_secs(1)));
    }
}

//! A plain map of our breakers by key, which evicts the oldest first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use circuit_runtime::{CircuitBreaker, Config, State};

use super::Mistake;
use crate::adapter::{Breaker, Keyed, MAX_KEYS};
use crate::runtime::answer_of_call;

pub(super) fn keyed(config: Config, mistake: Option<Mistake>) -> Keyed {
    let breakers = Arc::new(Mutex::new(ByKey {
        mistake,
        config,
        breakers: HashMap::new(),
        oldest_first: VecDeque::new(),
    }));
    Keyed::new(move |key| {
        let breakers = Arc::clone(&breakers);
        let key = match mistake {
            Some(Mistake::SharesACircuit) => String::new(),
            _ => key.to_owned(),
        };
        Breaker::new(move |work| {
            let breaker = breakers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .for_key(&key);
            Box::pin(async move { answer_of_call(breaker.call(work).await) })
        })
        .with_time(tokio::time::advance)
    })
}

struct ByKey {
    mistake: Option<Mistake>,
    config: Config,
    breakers: HashMap<String, CircuitBreaker>,
    oldest_first: VecDeque<String>,
}

impl ByKey {
    fn for_key(&mut self, key: &str) -> CircuitBreaker {
        if let Some(breaker) = self.breakers.get(key) {
            return breaker.clone();
        }
        if self.breakers.len() >= MAX_KEYS as usize {
            self.evict_one();
        }
        let breaker = CircuitBreaker::new(key.to_owned(), self.config);
        self.oldest_first.push_back(key.to_owned());
        self.breakers.insert(key.to_owned(), breaker.clone());
        breaker
    }

    fn evict_one(&mut self) {
        // Among twice as many as there may be, at least one is not open.
        let candidates = self.oldest_first.iter().take(2 * MAX_KEYS as usize);
        let evicted = candidates
            .map(|key| self.breakers.get(key))
            .position(|breaker| breaker.is_some_and(|breaker| self.can_evict(breaker)));
        let evicted = match self.mistake {
            Some(Mistake::EvictsOpenOnesLast) => evicted.or(Some(0)),
            _ => evicted,
        };
        if let Some(key) = evicted.and_then(|index| self.oldest_first.remove(index)) {
            self.breakers.remove(&key);
        }
    }

    fn can_evict(&self, breaker: &CircuitBreaker) -> bool {
        match self.mistake {
            Some(Mistake::EvictsNothing) => false,
            Some(Mistake::EvictsNoneThatOpened) => breaker.snapshot().opened == 0,
            Some(Mistake::EvictsOpenOnes) => true,
            _ => breaker.state() == State::Closed,
        }
    }
}

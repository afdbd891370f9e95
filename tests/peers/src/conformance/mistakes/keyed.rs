//! Breakers of ours by key as one may keep them by hand: in a map, where the oldest goes first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use circuit_runtime::{CircuitBreaker, Config, State};

use super::Mistake;
use crate::adapter::{Breaker, Keyed, MOST_KEYS};
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
                .of(&key);
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
    fn of(&mut self, key: &str) -> CircuitBreaker {
        if let Some(breaker) = self.breakers.get(key) {
            return breaker.clone();
        }
        if self.breakers.len() >= MOST_KEYS as usize {
            self.forget_one();
        }
        let breaker = CircuitBreaker::new(key.to_owned(), self.config);
        self.oldest_first.push_back(key.to_owned());
        self.breakers.insert(key.to_owned(), breaker.clone());
        breaker
    }

    fn forget_one(&mut self) {
        // Behind as many that are open there is one that is not.
        let asked = self.oldest_first.iter().take(2 * MOST_KEYS as usize);
        let forgotten = asked
            .map(|key| self.breakers.get(key))
            .position(|breaker| breaker.is_some_and(|breaker| self.may_go(breaker)));
        let forgotten = match self.mistake {
            Some(Mistake::ForgetsOpenOnesAtLast) => forgotten.or(Some(0)),
            _ => forgotten,
        };
        if let Some(key) = forgotten.and_then(|place| self.oldest_first.remove(place)) {
            self.breakers.remove(&key);
        }
    }

    fn may_go(&self, breaker: &CircuitBreaker) -> bool {
        match self.mistake {
            Some(Mistake::ForgetsNothing) => false,
            Some(Mistake::ForgetsNoneThatOpened) => breaker.snapshot().opened == 0,
            Some(Mistake::ForgetsOpenOnes) => true,
            _ => breaker.state() == State::Closed,
        }
    }
}

use circuit_runtime::{CircuitError, circuit_breaker};

struct Client {
    names: Vec<String>,
}

impl Client {
    #[circuit_breaker(or_else = |_| Ok(self.len()))]
    async fn changed(&mut self, name: String) -> Result<usize, CircuitError> {
        self.add(name);
        Ok(1)
    }

    fn add(&mut self, name: String) {
        self.names.push(name);
    }

    fn len(&self) -> usize {
        self.names.len()
    }
}

#[circuit_breaker(or_else = |_| Ok(symbol.len()))]
async fn or_else(symbol: String) -> Result<usize, CircuitError> {
    drop(symbol);
    Ok(1)
}

#[circuit_breaker(error = |_| symbol.len())]
async fn error(symbol: String) -> Result<String, usize> {
    Ok(symbol)
}

#[circuit_breaker(error = |_| symbol.len(), timeout = "1s")]
async fn error_of_a_timeout(symbol: String) -> Result<usize, usize> {
    Ok(symbol.len())
}

#[circuit_breaker(failure_if = |error| *error > symbol.len(), fallback = Ok(symbol))]
async fn predicate(symbol: String) -> Result<String, usize> {
    Ok(symbol)
}

#[circuit_breaker(or_else = |_| Ok(item))]
async fn generic<T: Clone>(item: T) -> Result<T, CircuitError> {
    Ok(item)
}

fn main() {}

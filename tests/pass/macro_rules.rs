//! Functions that another macro writes.

use circuit_runtime::{CircuitError, circuit_breaker};

macro_rules! from_tokens {
    ($($function:tt)*) => {
        #[circuit_breaker(max_failures = 2)]
        $($function)*
    };
}

from_tokens! {
    async fn tokens(mut number: u8) -> Result<u8, CircuitError> {
        number += 1;
        Ok(number)
    }
}

macro_rules! from_fragments {
    ($(#[$attribute:meta])* $visibility:vis $name:ident($argument:ident: $type:ty) -> $output:ty, $failures:literal, $reset:expr, $window:literal, $body:block) => {
        $(#[$attribute])*
        #[circuit_breaker(max_failures = $failures, reset = $reset, window = $window)]
        $visibility async fn $name(mut $argument: $type) -> $output $body
    };
}

from_fragments! {
    /// Documented.
    #[must_use = "the number is the point"]
    pub fragments(number: u8) -> Result<u8, CircuitError>, 2, std::time::Duration::from_secs(1), "1s", {
        number += 1;
        Ok(number)
    }
}

from_fragments! {
    lone_expression(number: u8) -> Result<u8, CircuitError>, 2u32, "1s", "1s", { Ok({ number += 1; number }) }
}

macro_rules! from_item {
    ($function:item) => {
        #[circuit_breaker]
        $function
    };
}

from_item! {
    async fn item() -> Result<u8, CircuitError> {
        Ok(1)
    }
}

/// A name inside of the macro is not the one outside.
macro_rules! hygienic {
    ($outside:ident) => {
        #[circuit_breaker]
        async fn hygienic($outside: u8) -> Result<u8, CircuitError> {
            let number = 10;
            Ok(number + $outside)
        }
    };
}

hygienic!(number);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(tokens(1).await, Ok(2));
    assert_eq!(fragments(1).await, Ok(2));
    assert_eq!(lone_expression(1).await, Ok(2));
    assert_eq!(item().await, Ok(1));
    assert_eq!(hygienic(1).await, Ok(11));
}

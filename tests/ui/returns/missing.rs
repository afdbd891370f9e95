use circuit_runtime::circuit_breaker;

#[circuit_breaker]
async fn refresh() {}

#[circuit_breaker]
async fn refresh_each<T>(
    items: &[T],
    region: &str,
    currency: &str,
    changed_since: std::time::Instant,
) where
    T: Clone,
{
    let _items = (items, region, currency, changed_since);
}

fn main() {
    let _futures = (
        refresh(),
        refresh_each(&[1], "eu", "EUR", std::time::Instant::now()),
    );
}

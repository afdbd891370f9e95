//! `#[circuit_breaker]` on real functions.

use crate::support::{ServiceError, advance, consecutive, seconds};
use circuit_runtime::{
    CircuitBreaker, CircuitBreakers, CircuitError, State, circuit_breaker, registry,
};
use std::cell::RefCell;
use std::future::pending;

#[tokio::test(start_paused = true)]
async fn an_annotated_function_opens_rejects_and_recovers() {
    #[circuit_breaker(
        max_failures = 2,
        window = "10s",
        reset = "30s",
        name = "attribute::service"
    )]
    async fn service(answers: bool) -> Result<u32, ServiceError> {
        if answers {
            Ok(7)
        } else {
            Err(ServiceError::Failed)
        }
    }

    assert_eq!(service(true).await, Ok(7));
    assert_eq!(service(false).await, Err(ServiceError::Failed));
    advance(seconds(10)).await;
    assert_eq!(
        service(false).await,
        Err(ServiceError::Failed),
        "the first has expired"
    );
    assert_eq!(service(true).await, Ok(7));
    assert_eq!(service(false).await, Err(ServiceError::Failed));

    let rejected = service(true).await.unwrap_err();
    assert_eq!(
        rejected.to_string(),
        "circuit `attribute::service` is open; retry in 30s"
    );
    advance(seconds(30)).await;
    assert_eq!(service(true).await, Ok(7));
    let breaker = registry::find("attribute::service").unwrap();
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(
        (breaker.snapshot().succeeded, breaker.snapshot().failed),
        (3, 3)
    );
}

#[tokio::test(start_paused = true)]
async fn defaults_are_five_consecutive_failures_and_thirty_seconds() {
    #[circuit_breaker(name = "attribute::defaults")]
    async fn service() -> Result<(), ServiceError> {
        Err(ServiceError::Failed)
    }

    for _ in 0..5 {
        assert_eq!(service().await, Err(ServiceError::Failed));
    }
    let ServiceError::Circuit(error) = service().await.unwrap_err() else {
        panic!("not rejected")
    };
    assert_eq!(error.retry_after(), Some(seconds(30)));
}

#[tokio::test(start_paused = true)]
async fn an_annotated_call_times_out() {
    #[circuit_breaker(timeout = "250ms", name = "attribute::slow")]
    async fn slow() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        pending().await
    }

    let error = slow().await.unwrap_err();
    let error = error.downcast_ref::<CircuitError>().unwrap();
    assert_eq!(
        error.to_string(),
        "call through circuit `attribute::slow` timed out after 250ms"
    );
}

#[tokio::test(start_paused = true)]
async fn the_breaker_is_named_after_the_function_and_created_by_its_first_call() {
    #[circuit_breaker]
    async fn lazily() -> Result<(), ServiceError> {
        Ok(())
    }

    let name = concat!(module_path!(), "::lazily");
    let call = lazily();
    assert!(registry::find(name).is_none());
    call.await.unwrap();
    assert_eq!(registry::find(name).unwrap().snapshot().succeeded, 1);
}

#[tokio::test(start_paused = true)]
async fn all_instances_and_type_arguments_share_the_breaker_of_a_function() {
    struct Client<T>(T);

    impl<T> Client<T> {
        #[circuit_breaker(max_failures = 1, name = "attribute::shared")]
        async fn request(&self, answers: bool) -> Result<(), ServiceError> {
            if answers {
                Ok(())
            } else {
                Err(ServiceError::Failed)
            }
        }
    }

    Client(0_u8).request(false).await.unwrap_err();
    let rejected = Client("another").request(true).await.unwrap_err();
    assert!(matches!(
        rejected,
        ServiceError::Circuit(CircuitError::Open { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn options_can_be_constant_expressions() {
    const LIMIT: u32 = 2;
    const RESET: std::time::Duration = seconds(7);

    #[circuit_breaker(max_failures = LIMIT - 1, reset = RESET, name = "attribute::constants")]
    async fn service() -> Result<(), ServiceError> {
        Err(ServiceError::Failed)
    }

    service().await.unwrap_err();
    let ServiceError::Circuit(error) = service().await.unwrap_err() else {
        panic!("not rejected")
    };
    assert_eq!(error.retry_after(), Some(seconds(7)));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_body_counts_as_a_failure() {
    #[circuit_breaker(max_failures = 1, name = "attribute::panics")]
    async fn service() -> Result<(), ServiceError> {
        std::panic::resume_unwind(Box::new("body panicked"))
    }

    let panicked = tokio::spawn(service()).await.unwrap_err();
    assert_eq!(panicked.into_panic().downcast_ref(), Some(&"body panicked"));
    let breaker = registry::find("attribute::panics").unwrap();
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(
        (breaker.snapshot().failed, breaker.snapshot().panicked),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_recursive_function_takes_one_permit_per_level() {
    #[circuit_breaker(name = "attribute::recursive")]
    async fn countdown(from: u32) -> Result<u32, ServiceError> {
        if from == 0 {
            return Ok(0);
        }
        Ok(Box::pin(countdown(from - 1)).await? + 1)
    }

    assert_eq!(countdown(9).await, Ok(9));
    assert_eq!(
        registry::find("attribute::recursive")
            .unwrap()
            .snapshot()
            .succeeded,
        10
    );
}

/// `pass/drop_order.rs` has all kinds of arguments, in every phase of a call.
#[tokio::test(start_paused = true)]
async fn arguments_are_dropped_in_reverse_order_whether_used_or_not() {
    struct Loud<'a>(&'static str, &'a RefCell<Vec<&'static str>>);
    impl Drop for Loud<'_> {
        fn drop(&mut self) {
            self.1.borrow_mut().push(self.0);
        }
    }

    #[circuit_breaker(name = "attribute::drops")]
    async fn service(used: Loud<'_>, _unused: Loud<'_>) -> Result<&'static str, ServiceError> {
        let used = &used;
        let _local = Loud("local", used.1);
        Ok(used.0)
    }

    let drops = RefCell::new(Vec::new());
    assert_eq!(
        service(Loud("used", &drops), Loud("unused", &drops)).await,
        Ok("used")
    );
    assert_eq!(*drops.borrow(), ["local", "unused", "used"]);
}

#[test]
#[expect(
    clippy::large_types_passed_by_value,
    reason = "that is what makes a future large"
)]
fn a_future_grows_by_no_more_than_its_budget() {
    type Page = [u8; 1_024];

    async fn plain(page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(name = "attribute::untimed")]
    async fn untimed(page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(timeout = "2s", name = "attribute::timed")]
    async fn timed(page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(fallback = Ok(page), name = "attribute::fallback")]
    async fn fallback(page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(fallback = |_| Ok(page), timeout = "2s", name = "attribute::timed_fallback")]
    async fn timed_fallback(page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    let plain = size_of_val(&plain([0; 1_024]));
    for guarded in [
        size_of_val(&untimed([0; 1_024])),
        size_of_val(&fallback([0; 1_024])),
    ] {
        assert!(guarded <= plain + 32, "{guarded} over {plain}");
    }

    // Tokio's timer takes 96 bytes, and more with the multi-threaded runtime, as here.
    let timer = size_of::<tokio::time::Sleep>();
    for limited in [
        size_of_val(&timed([0; 1_024])),
        size_of_val(&timed_fallback([0; 1_024])),
    ] {
        assert!(
            limited <= plain + 40 + timer,
            "{limited} over {plain} with {timer}"
        );
    }
}

/// Capturing arguments in the order in which they are dropped costs no space.
#[test]
fn a_future_of_arguments_with_destructors_grows_by_no_more_than_its_budget() {
    struct Page([u8; 1_024]);
    impl Drop for Page {
        fn drop(&mut self) {}
    }

    async fn plain(
        a: Page,
        _: Page,
        (b, _c): (Page, Page),
        mut d: Page,
    ) -> Result<u8, ServiceError> {
        d.0[0] = 1;
        tokio::task::yield_now().await;
        Ok(d.0[0] + a.0[0] + b.0[0])
    }

    #[circuit_breaker(name = "attribute::dropped")]
    async fn untimed(
        a: Page,
        _: Page,
        (b, _c): (Page, Page),
        mut d: Page,
    ) -> Result<u8, ServiceError> {
        d.0[0] = 1;
        tokio::task::yield_now().await;
        Ok(d.0[0] + a.0[0] + b.0[0])
    }

    #[circuit_breaker(fallback = Ok(b.0[0]), name = "attribute::dropped_by_the_fallback")]
    async fn fallback(
        a: Page,
        _: Page,
        (b, _c): (Page, Page),
        mut d: Page,
    ) -> Result<u8, ServiceError> {
        d.0[0] = 1;
        tokio::task::yield_now().await;
        Ok(d.0[0] + a.0[0] + b.0[0])
    }

    #[circuit_breaker(name = "attribute::unused")]
    #[expect(
        unused_variables,
        reason = "one that the body does not name is captured, too"
    )]
    async fn unused(
        first: Page,
        second: Page,
        (third, fourth): (Page, Page),
        last: Page,
    ) -> Result<u8, ServiceError> {
        tokio::task::yield_now().await;
        Ok(1)
    }

    let page = || Page([0; 1_024]);
    let plain = size_of_val(&plain(page(), page(), (page(), page()), page()));
    for guarded in [
        size_of_val(&untimed(page(), page(), (page(), page()), page())),
        size_of_val(&fallback(page(), page(), (page(), page()), page())),
        size_of_val(&unused(page(), page(), (page(), page()), page())),
    ] {
        assert!(guarded <= plain + 32, "{guarded} over {plain}");
    }
}

/// The parts that a pattern leaves in an argument cost no space, unless an argument follows that
/// has to be dropped first: then that one is stored once more.
#[test]
fn a_future_of_arguments_bound_in_part_grows_by_no_more_than_its_budget() {
    struct Page([u8; 1_024]);
    impl Drop for Page {
        fn drop(&mut self) {}
    }
    struct Book {
        first: Page,
        _second: Page,
    }
    impl Book {
        fn is_blank(&self) -> bool {
            self.first.0[0] == 0
        }
    }

    async fn plain(
        a: Page,
        Book {
            first: ref second, ..
        }: Book,
        Book { first, .. }: Book,
    ) -> Result<u8, ServiceError> {
        tokio::task::yield_now().await;
        Ok(a.0[0] + second.0[0] + first.0[0])
    }

    #[circuit_breaker(name = "attribute::in_part")]
    async fn untimed(
        a: Page,
        Book {
            first: ref second, ..
        }: Book,
        Book { first, .. }: Book,
    ) -> Result<u8, ServiceError> {
        tokio::task::yield_now().await;
        Ok(a.0[0] + second.0[0] + first.0[0])
    }

    #[circuit_breaker(fallback = Ok(first.0[0]), name = "attribute::in_part_with_fallback")]
    async fn fallback(
        a: Page,
        Book {
            first: ref second, ..
        }: Book,
        Book { first, .. }: Book,
    ) -> Result<u8, ServiceError> {
        tokio::task::yield_now().await;
        Ok(a.0[0] + second.0[0] + first.0[0])
    }

    #[circuit_breaker(name = "attribute::expected")]
    async fn expected(
        a: Page,
        #[expect(unused_variables, reason = "it is captured, and still unused")] b: Book,
        Book { first, .. }: Book,
    ) -> Result<u8, ServiceError> {
        tokio::task::yield_now().await;
        Ok(a.0[0] + first.0[0])
    }

    #[circuit_breaker(failure_if = |_| b.is_blank(), name = "attribute::named_by_a_predicate")]
    async fn judged(a: Page, b: Book, Book { first, .. }: Book) -> Result<u8, ServiceError> {
        tokio::task::yield_now().await;
        Ok(a.0[0] + first.0[0])
    }

    async fn plain_and_more(Book { first, .. }: Book, page: Page) -> Result<u8, ServiceError> {
        tokio::task::yield_now().await;
        Ok(first.0[0] + page.0[0])
    }

    #[circuit_breaker(name = "attribute::in_part_and_more")]
    async fn more(Book { first, .. }: Book, page: Page) -> Result<u8, ServiceError> {
        tokio::task::yield_now().await;
        Ok(first.0[0] + page.0[0])
    }

    let page = || Page([0; 1_024]);
    let book = || Book {
        first: page(),
        _second: page(),
    };
    let plain = size_of_val(&plain(page(), book(), book()));
    for guarded in [
        size_of_val(&untimed(page(), book(), book())),
        size_of_val(&fallback(page(), book(), book())),
        size_of_val(&expected(page(), book(), book())),
    ] {
        assert!(guarded <= plain + 32, "{guarded} over {plain}");
    }
    // The predicate is a reference to what it names, and what the body moves out of is stored once
    // more, until the circuit has answered.
    let judged = size_of_val(&judged(page(), book(), book()));
    assert!(judged <= plain + 40 + 1_024, "{judged} over {plain}");

    let plain = size_of_val(&plain_and_more(book(), page()));
    let more = size_of_val(&more(book(), page()));
    assert!(more <= plain + 32 + 1_024, "{more} over {plain}");
}

/// The type of an argument does not show whether it has a destructor. One that is `Copy` has none.
#[test]
#[expect(
    clippy::large_types_passed_by_value,
    reason = "that is what makes a future large"
)]
fn a_future_of_unused_arguments_grows_by_no_more_than_its_budget() {
    #[derive(Clone, Copy)]
    struct Page([u8; 1_024]);

    #[expect(unused_variables, reason = "that is what is tested")]
    async fn plain<T: Copy>(a: Page, _b: Page, _: T, d: Page) -> Result<u8, ServiceError> {
        tokio::task::yield_now().await;
        Ok(d.0[0])
    }

    #[circuit_breaker(name = "attribute::unused_and_copied")]
    #[expect(unused_variables, reason = "one that is not stored is unused, too")]
    async fn unused<T: Copy>(a: Page, _b: Page, _: T, d: Page) -> Result<u8, ServiceError> {
        tokio::task::yield_now().await;
        Ok(d.0[0])
    }

    #[circuit_breaker(fallback = Ok(1), name = "attribute::unused_by_the_fallback")]
    #[expect(unused_variables, reason = "one that is not stored is unused, too")]
    async fn fallback<T: Copy>(a: Page, _b: Page, _: T, d: Page) -> Result<u8, ServiceError> {
        tokio::task::yield_now().await;
        Ok(d.0[0])
    }

    let page = Page([0; 1_024]);
    let plain = size_of_val(&plain(page, page, page, page));
    for guarded in [
        size_of_val(&unused(page, page, page, page)),
        size_of_val(&fallback(page, page, page, page)),
    ] {
        assert!(guarded <= plain + 32, "{guarded} over {plain}");
    }
}

#[test]
#[expect(
    clippy::large_types_passed_by_value,
    reason = "that is what makes a future large"
)]
fn a_future_with_a_key_grows_by_no_more_than_its_budget() {
    type Page = [u8; 1_024];

    async fn plain(_: &str, page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(key = host, name = "attribute::keyed")]
    async fn keyed(host: &str, page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(key = host, fallback = Ok(page), name = "attribute::keyed_fallback")]
    async fn keyed_fallback(host: &str, page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(key = host, timeout = "2s", name = "attribute::timed_key")]
    async fn timed_key(host: &str, page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    let plain = size_of_val(&plain("", [0; 1_024]));
    for guarded in [
        size_of_val(&keyed("", [0; 1_024])),
        size_of_val(&keyed_fallback("", [0; 1_024])),
    ] {
        assert!(guarded <= plain + 32, "{guarded} over {plain}");
    }
    let timer = size_of::<tokio::time::Sleep>();
    let limited = size_of_val(&timed_key("", [0; 1_024]));
    assert!(
        limited <= plain + 40 + timer,
        "{limited} over {plain} with {timer}"
    );
}

#[test]
#[expect(
    clippy::large_types_passed_by_value,
    reason = "that is what makes a future large"
)]
fn a_future_with_its_own_breaker_is_as_large_as_one_with_a_timeout() {
    type Page = [u8; 1_024];

    async fn plain(_: &CircuitBreaker, page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(breaker = breaker)]
    async fn own(breaker: &CircuitBreaker, page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(breaker = breaker.clone(), fallback = Ok(page))]
    async fn own_handle(breaker: &CircuitBreaker, page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(breaker = breakers, key = "a".trim())]
    async fn keyed(breakers: &CircuitBreakers, page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    #[circuit_breaker(breaker = breakers.clone(), key = 7 + 1, fallback = Ok(page))]
    async fn keyed_handle(breakers: &CircuitBreakers, page: Page) -> Result<Page, ServiceError> {
        tokio::task::yield_now().await;
        Ok(page)
    }

    let breaker = consecutive();
    let breakers = CircuitBreakers::new("attribute::own keys", breaker.config());
    let timer = size_of::<tokio::time::Sleep>();
    let plain = size_of_val(&plain(&breaker, [0; 1_024]));
    for limited in [
        size_of_val(&own(&breaker, [0; 1_024])),
        size_of_val(&own_handle(&breaker, [0; 1_024])),
        size_of_val(&keyed(&breakers, [0; 1_024])),
        size_of_val(&keyed_handle(&breakers, [0; 1_024])),
    ] {
        assert!(
            limited <= plain + 40 + timer,
            "{limited} over {plain} with {timer}"
        );
    }
}

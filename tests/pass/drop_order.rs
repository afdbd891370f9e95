//! Arguments are dropped as by the plain function, in every phase of a call.

#![allow(unused)]

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, CircuitError, Config, circuit_breaker, registry};

thread_local! {
    static DROPS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    static END: Cell<End> = const { Cell::new(End::Success) };
}

/// Logs its drop.
#[derive(Debug)]
pub struct D(&'static str);

impl D {
    fn touch(&self) {}

    fn write(&mut self) {}
}

impl Drop for D {
    fn drop(&mut self) {
        DROPS.with_borrow_mut(|drops| drops.push(self.0));
    }
}

#[derive(Debug)]
pub struct Failed;

impl Failed {
    fn is_bad(&self) -> bool {
        true
    }
}

impl From<CircuitError> for Failed {
    fn from(_: CircuitError) -> Self {
        Self
    }
}

/// The action of the body at its `point`, once it is polled again.
#[derive(Clone, Copy)]
enum End {
    Success,
    Failure,
    Panic,
    Never,
}

async fn point() -> Result<(), Failed> {
    let mut suspended = false;
    poll_fn(move |_| {
        if !mem::replace(&mut suspended, true) {
            return Poll::Pending;
        }
        match END.get() {
            End::Success => Poll::Ready(Ok(())),
            End::Failure => Poll::Ready(Err(Failed)),
            End::Never => Poll::Pending,
            End::Panic => std::panic::resume_unwind(Box::new("body panicked")),
        }
    })
    .await
}

type Boxed = Pin<Box<dyn Future<Output = Result<(), Failed>>>>;

fn boxed(future: impl Future<Output = Result<(), Failed>> + 'static) -> Boxed {
    Box::pin(future)
}

fn take_drops() -> String {
    DROPS.with_borrow_mut(mem::take).join(" ")
}

fn poll(call: &mut Boxed) -> Poll<Result<(), Failed>> {
    call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Returns what is dropped until the call is over or dropped, and with its future.
fn dropped(make: &dyn Fn() -> Boxed, polls: u32, end: End) -> String {
    END.set(end);
    let mut call = make();
    let before = take_drops();
    for _ in 0..polls {
        match catch_unwind(AssertUnwindSafe(|| poll(&mut call))) {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(_)) | Err(_) => break,
        }
    }
    let during = take_drops();
    drop(call);
    format!("{before} / {during} / {}", take_drops())
}

/// A function in three versions: plain, what it does when it is rejected, and annotated.
struct Case {
    name: &'static str,
    plain: Box<dyn Fn() -> Boxed>,
    rejected: Box<dyn Fn() -> Boxed>,
    annotated: Box<dyn Fn() -> Boxed>,
    breaker: Box<dyn Fn() -> Vec<CircuitBreaker>>,
}

impl Case {
    /// Returns the phases in which the annotated function drops in another order.
    async fn differences(&self) -> Vec<String> {
        let Self {
            name,
            plain,
            annotated,
            breaker,
            ..
        } = self;
        let mut differences = Vec::new();
        for (phase, polls, end) in [
            ("unpolled", 0, End::Success),
            ("suspended", 1, End::Success),
            ("successful", 2, End::Success),
            ("failed", 2, End::Failure),
            ("panicked", 2, End::Panic),
        ] {
            let expected = dropped(plain, polls, end);
            differences.extend(self.difference(phase, dropped(annotated, polls, end), expected));
        }
        if breaker().iter().any(|breaker| breaker.config().timeout().is_some()) {
            END.set(End::Never);
            let mut call = annotated();
            assert!(poll(&mut call).is_pending(), "{name}");
            tokio::time::advance(Duration::from_secs(2)).await;
            assert!(poll(&mut call).is_ready(), "{name}");
            let timed_out = take_drops();
            let suspended = dropped(plain, 1, End::Never).replace(" /", "");
            differences.extend(self.difference("timed out", timed_out, suspended.trim().to_owned()));
        }
        differences.extend(self.differences_of_rejections());
        differences
    }

    /// Returns the differences when the circuit is open.
    fn differences_of_rejections(&self) -> Vec<String> {
        // Makes the breaker.
        dropped(&self.annotated, 2, End::Success);
        let breakers = (self.breaker)();
        assert!(!breakers.is_empty(), "{}", self.name);
        breakers.iter().for_each(CircuitBreaker::force_open);
        let compared = [1, 2].map(|polls| {
            let expected = dropped(&self.rejected, polls, End::Success);
            self.difference("rejected", dropped(&self.annotated, polls, End::Success), expected)
        });
        compared.into_iter().flatten().collect()
    }

    fn difference(&self, phase: &str, annotated: String, plain: String) -> Option<String> {
        let name = self.name;
        (annotated != plain).then(|| format!("{name}, {phase}: {annotated}, and plain {plain}"))
    }
}

/// The versions of a function, of one signature.
macro_rules! versions {
    (
        $plain:ident $rejected:ident $annotated:ident ($($options:tt)*) ($($signature:tt)*)
        $body:block or $instead:block
    ) => {
        async fn $plain($($signature)*) -> Result<(), Failed> $body

        async fn $rejected($($signature)*) -> Result<(), Failed> $instead

        #[circuit_breaker($($options)* max_failures = 1000000)]
        async fn $annotated($($signature)*) -> Result<(), Failed> $body
    };
}

/// A case of a free function.
macro_rules! case {
    (
        $name:ident ($($options:tt)*) ($($signature:tt)*) ($($argument:expr),*) $body:block
        $(or $instead:block)?
    ) => {
        case!(@ $name ($($options)*) ($($signature)*) ($($argument),*) $body $($instead)? { Err(Failed) })
    };
    (
        @ $name:ident ($($options:tt)*) ($($signature:tt)*) ($($argument:expr),*) $body:block
        $instead:block $($_default:block)?
    ) => {{
        mod $name {
            use super::*;

            versions!(plain rejected annotated ($($options)*) ($($signature)*) $body or $instead);

            pub(crate) fn case() -> Case {
                Case {
                    name: stringify!($name),
                    plain: Box::new(|| boxed(plain($($argument),*))),
                    rejected: Box::new(|| boxed(rejected($($argument),*))),
                    annotated: Box::new(|| boxed(annotated($($argument),*))),
                    breaker: Box::new(|| find(concat!(module_path!(), "::annotated"))),
                }
            }
        }
        $name::case()
    }};
}

/// Returns the breakers of a function, with or without keys.
fn find(function: &str) -> Vec<CircuitBreaker> {
    let mut breakers = registry::all();
    breakers.retain(|breaker| breaker.name().function() == function);
    breakers
}

struct Fields {
    first: D,
    second: D,
}

fn fields() -> Fields {
    Fields {
        first: D("first"),
        second: D("second"),
    }
}

struct Pair(D, D);

struct Unit;

impl Drop for Unit {
    fn drop(&mut self) {
        DROPS.with_borrow_mut(|drops| drops.push("Unit"));
    }
}

type Four = (D, D, D, D);

fn array() -> [D; 4] {
    ["1", "2", "3", "4"].map(D)
}

fn four() -> Four {
    (D("1"), D("2"), D("3"), D("4"))
}

fn functions() -> Vec<Case> {
    vec![
        case!(in_another_order () (a: D, b: D, c: D) (D("a"), D("b"), D("c")) {
            let local = D("local");
            a.touch();
            c.touch();
            b.touch();
            point().await
        }),
        case!(early () (a: D, b: D, c: D) (D("a"), D("b"), D("c")) {
            b.touch();
            point().await?;
            if a.0 == "a" {
                return Ok(());
            }
            c.touch();
            Ok(())
        }),
        case!(unused () (a: D, b: D, c: D) (D("a"), D("b"), D("c")) {
            b.touch();
            point().await
        }),
        case!(none_used () (a: D, b: D) (D("a"), D("b")) { point().await }),
        case!(underscored () (a: D, _b: D, c: D) (D("a"), D("_b"), D("c")) {
            c.touch();
            a.touch();
            point().await
        }),
        case!(unnamed () (a: D, _: D, c: D, _: D) (D("a"), D("_1"), D("c"), D("_2")) {
            a.touch();
            point().await
        }),
        case!(moved () (a: D, b: D, c: D) (D("a"), D("b"), D("c")) {
            drop(b);
            c.touch();
            point().await?;
            drop(a);
            Ok(())
        }),
        case!(moved_sometimes () (a: D, b: D, c: D) (D("a"), D("b"), D("c")) {
            if point().await.is_ok() {
                drop(a);
            }
            point().await
        }),
        case!(
            like_members (failure_if = |error| error.is_bad() && Failed::is_bad(error),)
            (a: D, error: D, is_bad: D, c: D)
            (D("a"), D("error"), D("is_bad"), D("c"))
            {
                c.touch();
                a.touch();
                error.touch();
                is_bad.touch();
                point().await
            }
        ),
        case!(
            like_the_error_of_the_fallback (fallback = |error| Err(error.into()),)
            (a: D, error: D, c: D)
            (D("a"), D("error"), D("c"))
            {
                c.touch();
                error.touch();
                point().await
            }
        ),
        case!(
            named_by_predicate_and_fallback
            (failure_if = |_| order.0 != "order", fallback = { order.touch(); Err(Failed) },)
            (order: D, a: D)
            (D("order"), D("a"))
            {
                a.touch();
                point().await
            }
            or {
                order.touch();
                Err(Failed)
            }
        ),
        case!(
            tuples_with_rest ()
            (x: D, (a, ..): (D, D, D), b: D)
            (D("x"), (D("a"), D("r1"), D("r2")), D("b"))
            { point().await }
        ),
        case!(parenthesized () (b: D, (_): D, x: D) (D("b"), D("w"), D("x")) { point().await }),
        case!(mutable () (mut a: D, b: D, mut c: D, mut d: D) (D("a"), D("b"), D("c"), D("d")) {
            c.write();
            a.write();
            c = D("c2");
            point().await
        }),
        case!(tuples () ((a, b): (D, D), (c, d): (D, D)) ((D("a"), D("b")), (D("c"), D("d"))) {
            d.touch();
            a.touch();
            point().await
        }),
        case!(
            tuples_in_part ()
            ((a, _, c, _): (D, D, D, D), ((_, e), f): ((D, D), u8))
            ((D("a"), D("_1"), D("c"), D("_2")), ((D("_3"), D("e")), 1))
            {
                c.touch();
                point().await
            }
        ),
        case!(
            structs ()
            (Fields { first, second: mut two }: Fields, [x, y]: [D; 2])
            (fields(), [D("x"), D("y")])
            { point().await }
        ),
        case!(fields_used () (fields: Fields, other: Fields) (fields(), fields()) {
            other.second.touch();
            drop(fields.second);
            point().await
        }),
        case!(without_destructor () (a: D, n: u8, b: D, s: &'static str) (D("a"), 1, D("b"), "") {
            let _ = (s, n);
            b.touch();
            a.touch();
            point().await
        }),
        case!(configured () (a: D, #[cfg(all())] b: D, #[cfg(any())] c: D) (D("a"), D("b")) {
            a.touch();
            b.touch();
            point().await
        }),
        case!(generic () (a: impl Send, b: D, c: Option<D>) (D("a"), D("b"), Some(D("c"))) {
            b.touch();
            let _ = &a;
            point().await
        }),
        case!(formatted () (a: D, b: D) (D("a"), D("b")) {
            let text = format!("{b:?}");
            a.touch();
            point().await
        }),
        case!(timed (timeout = "1s",) (a: D, b: D, _: D, c: D) (D("a"), D("b"), D("_"), D("c")) {
            let local = D("local");
            b.touch();
            point().await
        }),
        case!(keyed (key = a.0,) (a: D, b: D, c: D) (D("a"), D("b"), D("c")) {
            c.touch();
            b.touch();
            point().await
        }),
        case!(keyed_and_timed (key = b.0, timeout = "1s",) (a: D, b: D) (D("a"), D("b")) {
            a.touch();
            b.touch();
            point().await
        }),
        case!(
            predicates (failure_if = |_| number > 1, ignore_if = |_| name.is_empty(),)
            (a: D, number: u8, b: D, name: &'static str) (D("a"), 1, D("b"), "name")
            {
                a.touch();
                b.touch();
                point().await
            }
        ),
        case!(fallback (fallback = Err(Failed),) (a: D, b: D, _: D, c: D) (D("a"), D("b"), D("_"), D("c")) {
            a.touch();
            c.touch();
            b.touch();
            point().await
        }),
        case!(
            fallback_that_moves
            (fallback = |error| { drop(b); c.touch(); Err(error.into()) },)
            (a: D, b: D, c: D, d: D) (D("a"), D("b"), D("c"), D("d"))
            {
                a.touch();
                point().await
            } or {
                drop(b);
                Err(Failed)
            }
        ),
        case!(
            fallback_that_waits
            (timeout = "1s", fallback = { c.touch(); point().await?; drop(b); Ok(()) },)
            (a: D, b: D, c: D, d: D) (D("a"), D("b"), D("c"), D("d"))
            {
                b.touch();
                point().await
            } or {
                point().await?;
                drop(b);
                Ok(())
            }
        ),
        case!(
            keyed_with_fallback (key = c.0, timeout = "1s", fallback = Err(Failed),)
            (a: D, b: D, c: D) (D("a"), D("b"), D("c"))
            {
                b.touch();
                point().await
            }
        ),
        case!(
            structs_in_part ()
            (a: D, Fields { second, .. }: Fields, c: D, mut d: D)
            (D("a"), fields(), D("c"), D("d"))
            {
                d.write();
                a.touch();
                point().await
            }
        ),
        case!(
            structs_at_the_end ()
            (a: D, (_, Fields { second: mut two, .. }): (D, Fields))
            (D("a"), (D("_1"), fields()))
            {
                a.touch();
                two.write();
                point().await
            }
        ),
        case!(
            structs_in_a_row ()
            (Fields { second, first: _ }: Fields, _: D, Pair(a, _): Pair, ref b: D, unused: D, [_, c, ..]: [D; 4], _d: D)
            (fields(), D("_1"), Pair(D("a"), D("_2")), D("b"), D("unused"), array(), D("_d"))
            {
                b.touch();
                a.touch();
                point().await?;
                drop(second);
                c.touch();
                Ok(())
            }
        ),
        case!(
            references ()
            (a: D, ref b: D, ref mut c: D, Fields { ref second, .. }: Fields, d: D)
            (D("a"), D("b"), D("c"), fields(), D("d"))
            {
                c.write();
                a.touch();
                second.touch();
                b.touch();
                point().await
            }
        ),
        case!(
            without_fields ()
            (a: D, Unit: Unit, mut b: D, Unit: Unit, c: D)
            (D("a"), Unit, D("b"), Unit, D("c"))
            {
                b.write();
                point().await
            }
        ),
        case!(
            in_part_with_alias (timeout = "1s",)
            ((a, .., b): Four, c: D)
            (four(), D("c"))
            {
                b.touch();
                point().await
            }
        ),
        case!(
            in_part_and_keyed (key = c.0, timeout = "1s",)
            (a: D, Fields { second, .. }: Fields, mut c: D, d: D)
            (D("a"), fields(), D("c"), D("d"))
            {
                c.write();
                second.touch();
                point().await
            }
        ),
        case!(
            in_part_with_fallback
            (fallback = |c| { second.touch(); drop(b); Err(c.into()) },)
            (a: D, Fields { second, .. }: Fields, b: D, ref c: D)
            (D("a"), fields(), D("b"), D("c"))
            {
                c.touch();
                point().await
            } or {
                drop(b);
                Err(Failed)
            }
        ),
        case!(
            in_part_and_configured ()
            (#[cfg(all())] Fields { second, .. }: Fields, #[cfg(any())] Fields { first, .. }: Fields, #[cfg(all())] _: D)
            (fields(), D("_"))
            { point().await }
        ),
        case!(
            expected ()
            (a: D, #[expect(unused_variables)] b: D, #[allow(unused)] c: D, #[expect(unused)] (d, e): (D, D), f: D)
            (D("a"), D("b"), D("c"), (D("d"), D("e")), D("f"))
            {
                f.touch();
                a.touch();
                point().await
            }
        ),
        case!(
            predicate_that_names_the_first (failure_if = |_| a.0.is_empty(),)
            (a: D, b: D, _: D, c: D) (D("a"), D("b"), D("_"), D("c"))
            {
                b.touch();
                point().await
            }
        ),
    ]
}

/// Functions whose predicates borrow an argument until the result is known, after the body has
/// dropped the others.
fn functions_with_predicates() -> Vec<Case> {
    vec![
        case!(
            predicate (failure_if = |_| b.0.is_empty(),)
            (a: D, b: D, c: D) (D("a"), D("b"), D("c"))
            {
                a.touch();
                c.touch();
                point().await
            }
        ),
        case!(
            or_else (or_else = |error| Err(error),)
            (a: D, b: D, _: D, _c: D, d: D) (D("a"), D("b"), D("_"), D("_c"), D("d"))
            {
                d.touch();
                a.touch();
                point().await
            }
        ),
        case!(
            or_else_with_timeout (or_else = |_| Err(Failed), timeout = "1s",)
            (a: D, b: D, Fields { first, .. }: Fields, c: D) (D("a"), D("b"), fields(), D("c"))
            {
                c.touch();
                a.touch();
                point().await
            }
        ),
        case!(
            or_else_that_names_the_first (or_else = |_| { a.touch(); Err(Failed) },)
            (a: D, b: D, c: D) (D("a"), D("b"), D("c"))
            {
                c.touch();
                b.touch();
                point().await
            }
        ),
        case!(
            or_else_and_predicate_that_name_the_first
            (or_else = |_| { a.touch(); Err(Failed) }, failure_if = |_| !a.0.is_empty(), timeout = "1s",)
            (a: D, Fields { first, .. }: Fields, c: D) (D("a"), fields(), D("c"))
            {
                c.touch();
                point().await
            }
        ),
        case!(
            keyed_with_or_else (key = a.0, or_else = |_| Err(Failed),)
            (a: D, b: D, c: D) (D("a"), D("b"), D("c"))
            {
                b.touch();
                point().await
            }
        ),
        case!(
            error_that_names_one (error = |_| { b.touch(); Failed },)
            (a: D, b: D, c: D) (D("a"), D("b"), D("c"))
            {
                a.touch();
                c.touch();
                point().await
            }
        ),
        case!(
            error_with_timeout (error = |_| { b.touch(); Failed }, timeout = "1s",)
            (a: D, b: D, Fields { first, .. }: Fields, c: D) (D("a"), D("b"), fields(), D("c"))
            {
                a.touch();
                c.touch();
                point().await
            }
        ),
        case!(
            predicates_and_fallback (ignore_if = |_| b.0.is_empty(), fallback = Err(Failed), timeout = "1s",)
            (a: D, b: D, Fields { first, .. }: Fields, c: D) (D("a"), D("b"), fields(), D("c"))
            {
                a.touch();
                c.touch();
                point().await
            }
        ),
    ]
}

/// Something with a destructor, as the receiver.
struct Owner {
    first: D,
    second: D,
}

fn owner() -> Owner {
    Owner {
        first: D("self.first"),
        second: D("self.second"),
    }
}

impl Owner {
    versions!(plain rejected annotated () (self, a: D, b: D) {
        a.touch();
        self.second.touch();
        b.touch();
        point().await
    } or { Err(Failed) });

    versions!(plain_unused rejected_unused annotated_unused (fallback = Err(Failed),) (self, a: D, b: D) {
        a.touch();
        point().await
    } or { Err(Failed) });

    versions!(plain_mut rejected_mut annotated_mut (timeout = "1s",) (mut self, a: D, mut b: D) {
        b.write();
        self.second = D("self.second, again");
        point().await?;
        drop(self.first);
        Ok(())
    } or { Err(Failed) });

    versions!(plain_box rejected_box annotated_box () (self: Box<Self>, a: D, b: D) {
        a.touch();
        drop(self.second);
        b.touch();
        point().await
    } or { Err(Failed) });

    versions!(plain_arc rejected_arc annotated_arc (key = self.first.0,) (self: Arc<Self>, a: D, b: D) {
        b.touch();
        a.touch();
        point().await
    } or { Err(Failed) });

    versions!(plain_own rejected_own annotated_own (key = self.first.0, fallback = Err(Failed),) (self, a: D) {
        a.touch();
        point().await
    } or { Err(Failed) });
}

/// Beside other attributes. One that is a macro may use all names of the signature, and drops last
/// what the body does not name.
impl Owner {
    #[inline]
    #[rustfmt::skip]
    async fn plain_inlined(_: Self, a: D, _b: D, _: D, c: D) -> Result<(), Failed> {
        c.touch();
        a.touch();
        point().await
    }

    async fn rejected_inlined(_: Self, a: D, _b: D, _: D, c: D) -> Result<(), Failed> {
        Err(Failed)
    }

    #[circuit_breaker(max_failures = 1000000)]
    #[inline]
    #[rustfmt::skip]
    async fn annotated_inlined(_: Self, a: D, _b: D, _: D, c: D) -> Result<(), Failed> {
        c.touch();
        a.touch();
        point().await
    }

    #[tracing::instrument(skip_all)]
    async fn plain_traced(_: Self, a: D, _b: D, _: D, c: D) -> Result<(), Failed> {
        c.touch();
        a.touch();
        point().await
    }

    #[tracing::instrument(skip_all)]
    async fn rejected_traced(_: Self, a: D, _b: D, _: D, c: D) -> Result<(), Failed> {
        (c, a);
        Err(Failed)
    }

    #[circuit_breaker(max_failures = 1000000)]
    #[tracing::instrument(skip_all)]
    async fn annotated_traced(_: Self, a: D, _b: D, _: D, c: D) -> Result<(), Failed> {
        c.touch();
        a.touch();
        point().await
    }
}

macro_rules! method {
    ($plain:ident $rejected:ident $annotated:ident $owner:expr, ($($argument:expr),*)) => {
        Case {
            name: stringify!($annotated),
            plain: Box::new(|| boxed(Owner::$plain($owner, $($argument),*))),
            rejected: Box::new(|| boxed(Owner::$rejected($owner, $($argument),*))),
            annotated: Box::new(|| boxed(Owner::$annotated($owner, $($argument),*))),
            breaker: Box::new(|| find(concat!(module_path!(), "::", stringify!($annotated)))),
        }
    };
}

fn methods() -> Vec<Case> {
    vec![
        method!(plain rejected annotated owner(), (D("a"), D("b"))),
        method!(plain_unused rejected_unused annotated_unused owner(), (D("a"), D("b"))),
        method!(plain_mut rejected_mut annotated_mut owner(), (D("a"), D("b"))),
        method!(plain_box rejected_box annotated_box Box::new(owner()), (D("a"), D("b"))),
        method!(plain_arc rejected_arc annotated_arc Arc::new(owner()), (D("a"), D("b"))),
        method!(plain_own rejected_own annotated_own owner(), (D("a"))),
        method!(
            plain_inlined rejected_inlined annotated_inlined
            owner(), (D("a"), D("_b"), D("_"), D("c"))
        ),
        method!(
            plain_traced rejected_traced annotated_traced
            owner(), (D("a"), D("_b"), D("_"), D("c"))
        ),
    ]
}

#[async_trait::async_trait(?Send)]
trait Object {
    async fn plain_object(self: Box<Self>, mut a: D, b: D, (c, _): (D, D), _: D) -> Result<(), Failed>;

    async fn rejected_object(self: Box<Self>, a: D, b: D, pair: (D, D), last: D) -> Result<(), Failed>;

    async fn annotated_object(self: Box<Self>, mut a: D, b: D, (c, _): (D, D), _: D) -> Result<(), Failed>;

    async fn keyed_object(self: Box<Self>, mut a: D, b: D, (c, _): (D, D), _: D) -> Result<(), Failed>;
}

#[async_trait::async_trait(?Send)]
impl Object for Owner {
    async fn plain_object(self: Box<Self>, mut a: D, b: D, (c, _): (D, D), _: D) -> Result<(), Failed> {
        b.touch();
        a.write();
        point().await
    }

    // The body takes the parts out of a pattern, and this one does not run.
    async fn rejected_object(self: Box<Self>, a: D, b: D, pair: (D, D), last: D) -> Result<(), Failed> {
        Err(Failed)
    }

    #[circuit_breaker(max_failures = 1000000)]
    async fn annotated_object(self: Box<Self>, mut a: D, b: D, (c, _): (D, D), _: D) -> Result<(), Failed> {
        b.touch();
        a.write();
        point().await
    }

    #[circuit_breaker(key = b.0, timeout = "1s", max_failures = 1000000, fallback = Err(Failed))]
    async fn keyed_object(self: Box<Self>, mut a: D, b: D, (c, _): (D, D), _: D) -> Result<(), Failed> {
        b.touch();
        a.write();
        point().await
    }
}

/// A function that takes its arguments when it is called, and drops those that the block does not
/// name.
fn plain_by_hand(a: D, b: D, mut c: D, unnamed: D) -> Boxed {
    Box::pin(async move {
        b.touch();
        c.write();
        a.touch();
        point().await
    })
}

#[circuit_breaker(max_failures = 1000000)]
fn annotated_by_hand(a: D, b: D, mut c: D, unnamed: D) -> Pin<Box<dyn Future<Output = Result<(), Failed>>>> {
    Box::pin(async move {
        b.touch();
        c.write();
        a.touch();
        point().await
    })
}

fn objects() -> Vec<Case> {
    let object = |name: &'static str, annotated: Box<dyn Fn() -> Boxed>| Case {
        name,
        plain: Box::new(|| object_arguments(Object::plain_object)),
        rejected: Box::new(|| object_arguments(Object::rejected_object)),
        annotated,
        breaker: Box::new(move || find(&format!("{}::{name}", module_path!()))),
    };
    vec![
        object("annotated_object", Box::new(|| object_arguments(Object::annotated_object))),
        object("keyed_object", Box::new(|| object_arguments(Object::keyed_object))),
    ]
}

fn object_arguments(method: fn(Box<Owner>, D, D, (D, D), D) -> Boxed) -> Boxed {
    method(Box::new(owner()), D("a"), D("b"), (D("c"), D("_1")), D("_2"))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let mut differences = Vec::new();
    for case in functions().into_iter().chain(methods()).chain(objects()) {
        differences.extend(case.differences().await);
    }
    for case in functions_with_predicates() {
        differences.extend(case.differences_of_rejections());
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));

    for (polls, end) in [(0, End::Success), (1, End::Success), (2, End::Success), (2, End::Panic)] {
        assert_eq!(
            dropped(&|| annotated_by_hand(D("a"), D("b"), D("c"), D("unnamed")), polls, end),
            dropped(&|| plain_by_hand(D("a"), D("b"), D("c"), D("unnamed")), polls, end),
        );
    }
}

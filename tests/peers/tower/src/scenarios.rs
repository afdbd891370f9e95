//! The rules for a layer of tower, beyond those of any circuit breaker.

use std::sync::atomic::Ordering;
use std::task::Poll;

use tower::Service;

use crate::heap::Counted;
use crate::subject::{Answer, FAILURES, Inner, Subject, call, context};

/// The finding of a scenario, if it is against the rule.
pub(crate) type Found = Result<(), String>;

pub(crate) const RULES: [&str; 10] = [
    "five failures open, and the wait closes again",
    "a layer that is applied for each call opens, too",
    "an open circuit is seen although the service is not ready",
    "readiness never fails for an open circuit",
    "readiness never waits for an open circuit",
    "readiness without a call takes no slot of a probe",
    "a future that is dropped unpolled gives its slot back",
    "the service that was made ready is the one that is called",
    "an error of readiness counts as a failure",
    "a call allocates nothing",
];

pub(crate) fn run<S: Subject>() -> [Found; RULES.len()] {
    [
        opens_and_closes::<S>(),
        applied_again::<S>(),
        hung_inside::<S>(),
        readiness_never_fails::<S>(),
        readiness_never_waits::<S>(),
        readiness_takes_nothing::<S>(),
        unpolled_gives_back::<S>(),
        the_ready_one_is_called::<S>(),
        readiness_counts::<S>(),
        allocates_nothing::<S>(),
    ]
}

fn check(holds: bool, found: impl Into<String>) -> Found {
    if holds { Ok(()) } else { Err(found.into()) }
}

/// Fails until the circuit is open.
fn open<S: Subject>(service: &mut S::Service, inner: &Inner) {
    inner.shared.fails.store(true, Ordering::Relaxed);
    for _ in 0..FAILURES {
        call(service);
    }
    inner.shared.fails.store(false, Ordering::Relaxed);
}

fn opens_and_closes<S: Subject>() -> Found {
    let (subject, inner) = (S::new(), Inner::default());
    let mut service = subject.layer(inner.clone());
    open::<S>(&mut service, &inner);
    call(&mut service);
    let calls = inner.shared.calls();
    check(calls == FAILURES, format!("{calls} calls before it opened"))?;
    subject.pass();
    let answer = call(&mut service.clone());
    check(answer == Answer::Done, format!("the probe: {answer:?}"))?;
    let answer = call(&mut service.clone());
    check(answer == Answer::Done, format!("closed: {answer:?}"))
}

fn applied_again<S: Subject>() -> Found {
    let (subject, inner) = (S::new(), Inner::default());
    inner.shared.fails.store(true, Ordering::Relaxed);
    for _ in 0..=FAILURES {
        call(&mut subject.layer(inner.clone()));
    }
    check(inner.shared.calls() == FAILURES, "never opens")
}

/// Returns the readiness of a service whose circuit is open.
fn readiness<S: Subject>(hangs: bool) -> Poll<bool> {
    let (subject, inner) = (S::new(), Inner::default());
    let mut service = subject.layer(inner.clone());
    open::<S>(&mut service, &inner);
    inner.shared.hangs.store(hangs, Ordering::Relaxed);
    let ready = service.poll_ready(&mut context());
    ready.map(|ready| ready.is_ok())
}

fn hung_inside<S: Subject>() -> Found {
    check(readiness::<S>(true).is_ready(), "waits for the service")
}

fn readiness_never_fails<S: Subject>() -> Found {
    check(readiness::<S>(false) != Poll::Ready(false), "fails")
}

fn readiness_never_waits<S: Subject>() -> Found {
    check(readiness::<S>(false).is_ready(), "waits")
}

fn readiness_takes_nothing<S: Subject>() -> Found {
    let (subject, inner) = (S::new(), Inner::default());
    let mut service = subject.layer(inner.clone());
    open::<S>(&mut service, &inner);
    subject.pass();
    let _ = service.poll_ready(&mut context()).map(drop_ready);
    let answer = call(&mut service.clone());
    check(answer == Answer::Done, format!("another clone: {answer:?}"))
}

fn drop_ready<E>(ready: Result<(), E>) {
    drop(ready);
}

fn unpolled_gives_back<S: Subject>() -> Found {
    let (subject, inner) = (S::new(), Inner::default());
    let mut service = subject.layer(inner.clone());
    open::<S>(&mut service, &inner);
    subject.pass();
    let mut first = service.clone();
    let ready = first.poll_ready(&mut context()).map(|ready| ready.is_ok());
    check(ready == Poll::Ready(true), format!("readiness: {ready:?}"))?;
    drop(first.call(()));
    let answer = call(&mut service.clone());
    check(answer == Answer::Done, format!("the next: {answer:?}"))
}

fn the_ready_one_is_called<S: Subject>() -> Found {
    let (subject, inner) = (S::new(), Inner::default());
    let mut service = subject.layer(inner.clone());
    for _ in 0..3 {
        call(&mut service);
    }
    let unready = inner.shared.unready_calls.load(Ordering::Relaxed);
    check(unready == 0, "calls a clone that is not ready")
}

fn readiness_counts<S: Subject>() -> Found {
    let (subject, inner) = (S::new(), Inner::default());
    let mut service = subject.layer(inner.clone());
    inner.shared.is_dead.store(true, Ordering::Relaxed);
    for _ in 0..FAILURES {
        call(&mut service);
    }
    inner.shared.is_dead.store(false, Ordering::Relaxed);
    call(&mut service.clone());
    check(inner.shared.calls() == 0, "is not counted")
}

fn allocates_nothing<S: Subject>() -> Found {
    let mut service = S::new().layer(Inner::default());
    let allocations = allocations::<S>(&mut service);
    check(allocations == 0, format!("{allocations} allocations"))
}

/// Returns the allocations of one call.
pub(crate) fn allocations<S: Subject>(service: &mut S::Service) -> u64 {
    for _ in 0..100 {
        call(service);
    }
    let before = Counted::so_far().allocations;
    for _ in 0..100 {
        call(service);
    }
    (Counted::so_far().allocations - before) / 100
}

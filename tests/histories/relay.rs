//! Histories in which every step names the thread that does it.
//!
//! A history goes from thread to thread, and only the one that has it goes on: what happens has one order,
//! whatever the system does, and the breaker must be like a plain one after each step.

use std::convert::Infallible;
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle, scope};
use std::time::Duration;

use circuit_runtime::{CircuitBreaker, Config, ConfigBuilder};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use crate::exact::{Checked, Replay, Stage, Step, Way, steps};
use crate::plain::{End, Order};

/// How many threads have the history by turns.
const LANES: usize = 4;

/// More threads than a breaker has a place for from the beginning, and more than it tells apart.
const CROWDS: [usize; 2] = [8, 64];

/// From so many calls of a kind on, a breaker counts them apart for each thread.
const MANY: u32 = 1_001;

#[derive(Clone, Debug)]
pub(crate) struct Relay(Vec<Leg>);

#[derive(Clone, Debug)]
enum Leg {
    /// The thread of a lane does a step; it begins with the first.
    Run(usize, Step),
    /// It ends, and whoever begins next may get its number.
    Leave(usize),
    /// So many threads begin, and hold a number each, if there are so many.
    CrowdComes(usize),
    CrowdGoes,
}

/// Of so many steps, with bursts of so many calls. Some have many calls behind them, or a crowd around.
pub(crate) fn relays(length: usize, burst: u32) -> impl Strategy<Value = Relay> {
    let leg = prop_oneof![
        8 => (lanes(), steps(burst)).prop_map(|(lane, step)| Leg::Run(lane, step)),
        1 => lanes().prop_map(Leg::Leave),
    ];
    let legs = prop::collection::vec(leg, 0..length);
    (beginnings(), legs).prop_map(|((mut relay, crowd), legs)| {
        relay.extend(legs);
        if let Some((size, places)) = crowd {
            let [first, last] = places.map(|place| place.index(relay.len() + 1));
            relay.insert(first.max(last), Leg::CrowdGoes);
            relay.insert(first.min(last), Leg::CrowdComes(size));
        }
        Relay(relay)
    })
}

/// What a history begins with, and the crowd that is there for a while.
fn beginnings() -> impl Strategy<Value = (Vec<Leg>, Option<(usize, [Index; 2])>)> {
    let crowds = || (prop::sample::select(&CROWDS), any::<[Index; 2]>()).prop_map(Some);
    prop_oneof![
        7 => Just((Vec::new(), None)),
        1 => (warm_ups(), Just(None)),
        1 => (Just(Vec::new()), crowds()),
        1 => (warm_ups(), crowds()),
    ]
}

fn lanes() -> impl Strategy<Value = usize> {
    0..LANES
}

/// Many calls of each of some kinds, after which the circuit is as new.
fn warm_ups() -> impl Strategy<Value = Vec<Leg>> {
    let run = [
        (Order::ForceClosed, Way::ByHand, End::Success),
        (Order::ForceClosed, Way::ByHand, End::Failure),
        (Order::ForceClosed, Way::ByHand, End::Ignored),
        (Order::ForceClosed, Way::ByHand, End::Dropped),
        (Order::ForceClosed, Way::Blocking, End::Panic),
        (Order::ForceOpen, Way::ByHand, End::Success),
    ];
    let kinds = prop::sample::subsequence(run.to_vec(), 1..=run.len());
    (kinds, lanes()).prop_map(|(kinds, lane)| {
        let legs = kinds
            .into_iter()
            .enumerate()
            .flat_map(|(turn, (order, way, end))| {
                let lane = (lane + turn) % LANES;
                [Step::Order(order), Step::Call(way, end, MANY)].map(|step| Leg::Run(lane, step))
            });
        let reset = Leg::Run(lane, Step::Order(Order::Reset));
        legs.chain([reset]).collect()
    })
}

impl Relay {
    /// Lets it happen to a breaker and to a plain one.
    pub(crate) fn replay(&self, unit: Duration, config: ConfigBuilder) -> Checked {
        let stage = Stage::new(unit, config)?;
        scope(|scope| {
            let mut lanes: [Option<Runner>; LANES] = Default::default();
            let mut crowd = None;
            let mut replay = Replay::new(&stage);
            for leg in &self.0 {
                match leg {
                    Leg::Run(lane, step) => {
                        let start = || Runner::start(scope, &stage);
                        let runner = lanes[*lane].get_or_insert_with(start);
                        replay = runner.run(replay, step)?;
                    }
                    Leg::Leave(lane) => lanes[*lane].take().into_iter().for_each(Runner::leave),
                    Leg::CrowdComes(size) => crowd = Some(Crowd::come(*size, scope)),
                    Leg::CrowdGoes => crowd.take().into_iter().for_each(Crowd::go),
                }
            }
            let _entered = stage.runtime.enter();
            replay.end()
        })
    }
}

/// A thread that may have the history.
struct Runner<'scope, 'env> {
    thread: ScopedJoinHandle<'scope, ()>,
    hand: Sender<(Replay<'env>, &'env Step)>,
    back: Receiver<Checked<Replay<'env>>>,
}

impl<'scope, 'env> Runner<'scope, 'env> {
    fn start(scope: &'scope Scope<'scope, 'env>, stage: &'env Stage) -> Self {
        let (hand, handed) = channel::<(Replay<'_>, &Step)>();
        let (done, back) = channel();
        let thread = scope.spawn(move || {
            let _entered = stage.runtime.enter();
            for (mut replay, step) in handed {
                // Nobody waits for it only when the test has failed.
                let _ = done.send(replay.step(step).map(|()| replay));
            }
        });
        Self { thread, hand, back }
    }

    /// Has the thread do a step, and takes the history back.
    fn run(&self, replay: Replay<'env>, step: &'env Step) -> Checked<Replay<'env>> {
        let panicked = || TestCaseError::fail("the thread panicked");
        self.hand.send((replay, step)).map_err(|_| panicked())?;
        self.back.recv().map_err(|_| panicked())?
    }

    /// Ends the thread, and with it its hold on a number.
    fn leave(self) {
        drop(self.hand);
        self.thread.join().unwrap();
    }
}

/// Threads that hold a number each, and do nothing.
struct Crowd<'scope>(Vec<(ScopedJoinHandle<'scope, ()>, Sender<Infallible>)>);

impl<'scope> Crowd<'scope> {
    fn come(size: usize, scope: &'scope Scope<'scope, '_>) -> Self {
        let (arrive, arrived) = channel();
        let come = |_| {
            let (stay, until) = channel();
            let arrive = arrive.clone();
            let thread = scope.spawn(move || {
                take_number();
                // Nobody waits for it only when the test has failed.
                let _ = arrive.send(());
                let _ = until.recv();
            });
            (thread, stay)
        };
        let crowd = (0..size).map(come).collect();
        arrived.iter().take(size).for_each(drop);
        Self(crowd)
    }

    fn go(self) {
        for (thread, stay) in self.0 {
            drop(stay);
            thread.join().unwrap();
        }
    }
}

/// A thread gets its number with its first call that is counted apart.
fn take_number() {
    static BREAKER: LazyLock<CircuitBreaker> = LazyLock::new(|| {
        let breaker = CircuitBreaker::new("crowd", Config::default());
        (0..MANY).for_each(|_| breaker.try_acquire().unwrap().success());
        breaker
    });
    BREAKER.try_acquire().unwrap().success();
}

//! A program with a dashboard whose circuits do what lines on its standard input say.
//!
//! It prints its address, then a line for each command once that is carried out. It ends with its
//! input.

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use circuit_dashboard::{Actor, Dashboard, Denied, FleetCircuit, FleetSharing, FleetStatus, Order};
use circuit_runtime::{CircuitBreaker, CircuitError, Config, Overrides, circuit_breaker, registry};

/// A function that is idle until the command `refund`.
#[circuit_breaker(name = "shop::refund")]
async fn refund() -> Result<(), CircuitError> {
    Ok(())
}

/// A function with a breaker for each host.
#[circuit_breaker(name = "shop::page", key = host, max_failures = 1, window = "1m", reset = "10m")]
async fn page(host: &str, fails: bool) -> Result<(), Failure> {
    if fails {
        return Err(Failure(host.to_owned()));
    }
    Ok(())
}

/// The failure of a host.
#[derive(Debug)]
struct Failure(String);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} does not answer", self.0)
    }
}

impl Error for Failure {}

impl From<CircuitError> for Failure {
    fn from(error: CircuitError) -> Self {
        Self(error.to_string())
    }
}

/// The breakers that were made, which would be forgotten otherwise.
type Breakers = Arc<Mutex<Vec<CircuitBreaker>>>;

/// The status of the fleet, as the command `fleet` has set it.
static FLEET: Mutex<Option<FleetStatus>> = Mutex::new(None);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut dashboard = Dashboard::new().service_name("shop");
    for argument in std::env::args().skip(1) {
        dashboard = match argument.as_str() {
            "controls" => dashboard.controls(|_, action| match action.order() {
                Order::Trip if action.reason() == "denied" => {
                    Err(Denied::new("the tests may not do this"))
                }
                _ => Ok(Actor::new("alice")),
            }),
            "token" => dashboard.bearer_token("let-me-in"),
            "fleet" => dashboard.fleet(|| {
                let set = FLEET.lock().unwrap_or_else(PoisonError::into_inner);
                set.clone()
                    .unwrap_or_else(|| FleetStatus::new(FleetSharing::NotRunning))
            }),
            other => return Err(format!("unknown argument `{other}`").into()),
        };
    }
    let server = dashboard.bind("127.0.0.1:0").await?;
    say(&format!("http://{}/", server.local_addr()))?;
    tokio::spawn(server.run());

    let breakers = Breakers::default();
    tokio::spawn(traffic(Arc::clone(&breakers)));
    for line in io::stdin().lock().lines() {
        carry_out(&line?, &breakers).await?;
        say("done")?;
    }
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Carries out a command, such as `["fail", "shop::quote", 5]`.
async fn carry_out(line: &str, breakers: &Breakers) -> Result<(), Box<dyn Error>> {
    let words: Vec<serde_json::Value> = serde_json::from_str(line)?;
    let text = |index: usize| words.get(index).and_then(|word| word.as_str());
    let number = |index: usize| words.get(index).and_then(serde_json::Value::as_u64);
    let name = || text(1).ok_or("a name is missing");
    match text(0).ok_or("a command is missing")? {
        "make" => {
            let rules = words.get(2).ok_or("rules are missing")?;
            let config: Config = serde_json::from_value(rules.clone())?;
            make(breakers, CircuitBreaker::new(name()?.to_owned(), config));
        }
        "many" => {
            for index in 0..number(1).ok_or("a number is missing")? {
                let config = Config::builder()
                    .last_calls(100)
                    .failure_rate(0.5)
                    .build()?;
                make(
                    breakers,
                    CircuitBreaker::new(format!("bulk::call_{index:03}"), config),
                );
            }
        }
        "fail" => each(name()?, number(2), |breaker| {
            if let Ok(permit) = breaker.try_acquire() {
                permit.failure();
            }
        })?,
        "succeed" => each(name()?, number(2), |breaker| {
            if let Ok(permit) = breaker.try_acquire() {
                permit.success();
            }
        })?,
        "reset" => each(name()?, None, CircuitBreaker::reset)?,
        "refund" => refund().await?,
        // A key: of one that fails, the circuit opens.
        "page" => {
            let _ = page(name()?, words.get(2).is_some()).await;
        }
        // The members, seconds since the fleet is degraded, and circuits by name:
        // `["fleet", 3, null, {"shop::quote": {"votes": [2, 3], "prober": "pod-7"}}]`.
        "fleet" => {
            let status = fleet_of(&words).ok_or("a malformed fleet")?;
            *FLEET.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
        }
        // Rules as a file has them.
        "rules" => {
            let overrides: Overrides =
                serde_json::from_value(words.get(1).ok_or("rules are missing")?.clone())?;
            registry::apply(overrides)?;
        }
        other => return Err(format!("unknown command `{other}`").into()),
    }
    Ok(())
}

fn fleet_of(words: &[serde_json::Value]) -> Option<FleetStatus> {
    let sharing = match words.get(2)?.as_u64() {
        Some(seconds) => FleetSharing::Degraded {
            since: SystemTime::now().checked_sub(Duration::from_secs(seconds))?,
        },
        None => FleetSharing::Shared,
    };
    let circuits = words.get(3)?.as_object()?.iter().map(|(name, circuit)| {
        let votes: Option<(u32, u32)> =
            serde_json::from_value(circuit["votes"].clone()).unwrap_or_default();
        FleetCircuit::new(name)
            .votes(votes)
            .prober(circuit["prober"].as_str())
    });
    let members = u32::try_from(words.get(1)?.as_u64()?).ok()?;
    Some(
        FleetStatus::new(sharing)
            .members(members)
            .circuits(circuits),
    )
}

fn make(breakers: &Breakers, breaker: CircuitBreaker) {
    breakers
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(breaker);
}

/// Makes calls on all breakers of a name.
fn each(
    name: &str,
    calls: Option<u64>,
    call: impl Fn(&CircuitBreaker),
) -> Result<(), Box<dyn Error>> {
    let all = registry::all();
    let named: Vec<_> = all
        .iter()
        .filter(|breaker| *breaker.name() == *name)
        .collect();
    if named.is_empty() {
        return Err(format!("no breaker is called `{name}`").into());
    }
    for breaker in named {
        for _ in 0..calls.unwrap_or(1) {
            call(breaker);
        }
    }
    Ok(())
}

/// Calls each of `many`, some ten times a second.
async fn traffic(breakers: Breakers) {
    let mut round = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        round += 1;
        for (index, breaker) in breakers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .enumerate()
            .filter(|(_, breaker)| breaker.name().starts_with("bulk::"))
        {
            if let Ok(permit) = breaker.try_acquire() {
                if (index + round) % 9 == 0 {
                    permit.failure();
                } else {
                    permit.success();
                }
            }
        }
    }
}

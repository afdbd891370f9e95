//! Every form of a free function.

use std::{error::Error, fmt::Display, hash::Hash};

use circuit_runtime::circuit_breaker;

type Failure = Box<dyn Error + Send + Sync>;

#[circuit_breaker]
async fn plain() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_runtime::circuit_breaker()]
pub(crate) async fn empty_list() -> Result<(), Failure> {
    Ok(())
}

#[circuit_breaker(
    max_failures = 5,
    window = "10s",
    reset = "30s",
    timeout = "2s",
    name = "every option"
)]
pub async fn every_option() -> Result<u8, Failure> {
    Ok(1)
}

#[circuit_breaker]
async fn elided(symbol: &str) -> Result<&str, Failure> {
    let (first, _) = symbol.split_once('.').ok_or("no dot")?;
    Ok(first)
}

#[circuit_breaker]
async fn generic<'a, T, const N: usize>(
    items: &'a [T; N],
    label: impl Display + Send,
) -> Result<(&'a T, String), Failure>
where
    T: Clone + Eq + Hash + Sync,
{
    let first = items.first().ok_or("empty")?;
    Ok((first, label.to_string()))
}

#[circuit_breaker]
async fn patterns(
    (a, b): (u8, u8),
    [c, d]: [u8; 2],
    _: u8,
    &e: &u8,
    ref f: u8,
    g @ 0..=255: u8,
    #[cfg(any())] absent: Absent,
    #[cfg(all())] present: u8,
) -> Result<u8, Failure> {
    Ok(a + b + c + d + e + *f + g + present)
}

#[circuit_breaker]
async fn mutable(
    mut total: u64,
    mut names: Vec<String>,
    #[cfg(any())] mut absent: Absent,
    #[cfg(all())] mut present: u64,
) -> Result<u64, Failure> {
    total += names.len() as u64;
    names.clear();
    present += total;
    Ok(present)
}

/// # Safety
///
/// `byte` is valid.
#[circuit_breaker]
async unsafe fn dangerous(byte: *const u8) -> Result<u8, Failure> {
    Ok(unsafe { *byte })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    assert_eq!(plain().await?, 1);
    empty_list().await?;
    assert_eq!(every_option().await?, 1);
    assert_eq!(elided("a.b").await?, "a");
    assert!(elided("a").await.is_err());
    assert_eq!(generic(&["x", "y"], 7).await?, (&"x", "7".to_owned()));
    assert_eq!(patterns((1, 1), [1, 1], 1, &1, 1, 1, 1).await?, 8);
    assert_eq!(mutable(1, vec![String::new()], 1).await?, 3);
    assert_eq!(unsafe { dangerous(&5) }.await?, 5);
    Ok(())
}

//! Every receiver, in types and in traits.

use std::{error::Error, pin::Pin, sync::Arc};

use circuit_runtime::circuit_breaker;

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Debug, Default, PartialEq)]
struct Client<T> {
    region: T,
    calls: u32,
}

impl<T: Clone + Send + Sync> Client<T> {
    const LIMIT: u32 = 3;

    #[circuit_breaker]
    async fn open(region: T) -> Result<Self, Failure> {
        Ok(Self { region, calls: 0 })
    }

    #[circuit_breaker]
    async fn shared(&self) -> Result<&T, Failure> {
        Ok(&self.region)
    }

    #[circuit_breaker]
    async fn exclusive(&mut self) -> Result<u32, Failure> {
        self.calls += 1;
        Ok(self.calls + Self::LIMIT)
    }

    #[circuit_breaker]
    async fn owned(self) -> Result<T, Failure> {
        Ok(self.region)
    }

    #[circuit_breaker]
    async fn mutable(mut self) -> Result<Self, Failure> {
        self.calls += 1;
        Ok(Self { calls: 9, ..self })
    }

    #[circuit_breaker]
    async fn boxed(self: Box<Self>) -> Result<u32, Failure> {
        Ok(self.calls)
    }

    #[circuit_breaker]
    async fn counted(self: Arc<Self>) -> Result<u32, Failure> {
        Ok(self.calls)
    }

    #[circuit_breaker]
    async fn mutable_box(mut self: Box<Self>) -> Result<u32, Failure> {
        self.calls += 1;
        Ok(self.calls)
    }

    #[circuit_breaker]
    async fn pinned<'a>(self: Pin<&'a mut Self>, _other: &str) -> Result<&'a str, Failure> {
        Ok("pinned")
    }
}

trait Quotes {
    type Quote;

    async fn quote(&self, symbol: &str) -> Result<Self::Quote, Failure>;

    #[circuit_breaker(name = "default method")]
    async fn first(&self, symbols: &[&str]) -> Result<Self::Quote, Failure> {
        let symbol = symbols.first().ok_or("no symbol")?;
        self.quote(symbol).await
    }
}

impl<T> Quotes for Client<T> {
    type Quote = usize;

    #[circuit_breaker]
    async fn quote(&self, symbol: &str) -> Result<Self::Quote, Failure> {
        Ok(symbol.len())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let client = || Client {
        region: "eu",
        calls: 0,
    };
    assert_eq!(Client::open("eu").await?, client());
    assert_eq!(client().shared().await?, &"eu");
    assert_eq!(client().exclusive().await?, 4);
    assert_eq!(client().owned().await?, "eu");
    assert_eq!(client().mutable().await?.calls, 9);
    assert_eq!(Box::new(client()).boxed().await?, 0);
    assert_eq!(Arc::new(client()).counted().await?, 0);
    assert_eq!(Box::new(client()).mutable_box().await?, 1);
    assert_eq!(Pin::new(&mut client()).pinned("").await?, "pinned");
    assert_eq!(client().quote("abc").await?, 3);
    assert_eq!(client().first(&["abcd"]).await?, 4);
    assert!(client().first(&[]).await.is_err());
    Ok(())
}

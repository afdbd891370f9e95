//! The address of a store, and how a connection to it is made.

use std::time::Duration;

use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, IntoConnectionInfo, ProtocolVersion,
    PushInfo, RedisError,
};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use super::Connection;
use crate::error::{FleetError, Reason};
use crate::scripts::SCHEMA;

/// A connection must be made within this many answers' time.
const DIAL_ANSWERS: u32 = 2;

/// The address of a store.
#[derive(Clone, Debug)]
pub(crate) enum Endpoint {
    Single(Box<ConnectionInfo>),
    #[cfg(feature = "cluster")]
    Cluster(Vec<ConnectionInfo>),
    #[cfg(feature = "sentinel")]
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        service: String,
    },
}

/// A connection that was made.
pub(crate) struct Dialed {
    pub(crate) connection: Connection,
    /// The store pushes what is published; otherwise it is asked more often.
    pub(crate) has_pushes: bool,
}

impl Endpoint {
    pub(crate) fn single(url: &str) -> Result<Self, FleetError> {
        info(url).map(Box::new).map(Self::Single)
    }

    #[cfg(feature = "cluster")]
    pub(crate) fn cluster(urls: &[String]) -> Result<Self, FleetError> {
        infos(urls).map(Self::Cluster)
    }

    #[cfg(feature = "sentinel")]
    pub(crate) fn sentinel(urls: &[String], service: &str) -> Result<Self, FleetError> {
        Ok(Self::Sentinel {
            sentinels: infos(urls)?,
            service: service.to_owned(),
        })
    }

    /// Connects and subscribes, with pushes where the store has them.
    pub(crate) async fn dial(
        &self,
        answer_limit: Duration,
        channel: &str,
        pushes: UnboundedSender<PushInfo>,
    ) -> Result<Dialed, Reason> {
        let limit = answer_limit.saturating_mul(DIAL_ANSWERS);
        let dialed = timeout(limit, async {
            let protocol = ProtocolVersion::RESP3;
            match self.connect(answer_limit, protocol, Some(pushes)).await {
                Ok(mut connection) => {
                    connection.subscribe(channel).await?;
                    Ok(Dialed {
                        connection,
                        has_pushes: true,
                    })
                }
                Err(error) if lacks_resp3(&error) => {
                    let protocol = ProtocolVersion::RESP2;
                    let connection = self.connect(answer_limit, protocol, None).await;
                    let connection =
                        connection.map_err(|error| Reason::from_redis(&error, SCHEMA))?;
                    Ok(Dialed {
                        connection,
                        has_pushes: false,
                    })
                }
                Err(error) => Err(Reason::from_redis(&error, SCHEMA)),
            }
        });
        dialed.await.unwrap_or(Err(Reason::Silent))
    }

    async fn connect(
        &self,
        answer_limit: Duration,
        protocol: ProtocolVersion,
        pushes: Option<UnboundedSender<PushInfo>>,
    ) -> Result<Connection, RedisError> {
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(answer_limit.saturating_mul(DIAL_ANSWERS)))
            .set_response_timeout(Some(answer_limit));
        if let Some(pushes) = &pushes {
            config = config.set_push_sender(pushes.clone());
        }
        match self {
            Self::Single(info) => {
                let client = Client::open(with_protocol(info, protocol))?;
                let connection = client.get_multiplexed_async_connection_with_config(&config);
                connection.await.map(Connection::Single)
            }
            #[cfg(feature = "cluster")]
            Self::Cluster(infos) => {
                let mut builder = redis::cluster::ClusterClient::builder(infos.clone())
                    .use_protocol(protocol)
                    .retries(0)
                    .connection_timeout(answer_limit)
                    .response_timeout(answer_limit);
                if let Some(pushes) = pushes {
                    builder = builder.push_sender(pushes);
                }
                let client = builder.build()?;
                client.get_async_connection().await.map(Connection::Cluster)
            }
            #[cfg(feature = "sentinel")]
            Self::Sentinel { sentinels, service } => {
                use redis::sentinel::{
                    SentinelClient, SentinelNodeConnectionInfo, SentinelServerType,
                };

                let own = sentinels.first().map(ConnectionInfo::redis_settings);
                let settings = own.cloned().unwrap_or_default().set_protocol(protocol);
                let node =
                    SentinelNodeConnectionInfo::default().set_redis_connection_info(settings);
                let mut client = SentinelClient::build(
                    sentinels.clone(),
                    service.clone(),
                    Some(node),
                    SentinelServerType::Master,
                )?;
                let connection = client.get_async_connection_with_config(&config);
                connection.await.map(Connection::Single)
            }
        }
    }
}

/// Servers before version 6 do not know the command by which RESP3 begins, and some proxies do not.
fn lacks_resp3(error: &RedisError) -> bool {
    let is_unknown = |detail: &str| {
        detail.contains("unknown command") && detail.to_ascii_uppercase().contains("HELLO")
    };
    error.kind() == ErrorKind::RESP3NotSupported
        || error.code() == Some("NOPROTO")
        || is_unknown(&error.to_string())
}

fn info(url: &str) -> Result<ConnectionInfo, FleetError> {
    let info = url.into_connection_info();
    info.map_err(|error| {
        let needs_tls = url.starts_with("rediss://") && cfg!(not(feature = "tls"));
        FleetError::Address(if needs_tls {
            "it needs the feature `tls` of circuit-redis".to_owned()
        } else {
            error.to_string()
        })
    })
}

#[cfg(any(feature = "cluster", feature = "sentinel"))]
fn infos(urls: &[String]) -> Result<Vec<ConnectionInfo>, FleetError> {
    if urls.is_empty() {
        return Err(FleetError::Address("there is none".to_owned()));
    }
    urls.iter().map(|url| info(url)).collect()
}

fn with_protocol(info: &ConnectionInfo, protocol: ProtocolVersion) -> ConnectionInfo {
    let settings = info.redis_settings().clone().set_protocol(protocol);
    info.clone().set_redis_settings(settings)
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn an_address_is_a_url() {
        for url in [
            "redis://127.0.0.1:6379",
            "redis://:pass@host/2",
            "unix:///run/redis.sock",
        ] {
            assert!(Endpoint::single(url).is_ok(), "{url}");
        }
        for url in ["", "127.0.0.1:6379", "http://host"] {
            assert!(Endpoint::single(url).is_err(), "{url}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn an_encrypted_address_needs_the_feature() {
        let error = Endpoint::single("rediss://host").unwrap_err();
        assert!(error.to_string().contains("tls"), "{error}");
    }
}

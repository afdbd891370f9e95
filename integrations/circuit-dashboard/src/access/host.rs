//! The names under which the dashboard is served.

use std::net::IpAddr;

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;

/// The hosts of the dashboard: those of loopback, and others that the program has added.
///
/// A page of another site may have its own name resolved to this machine, and then ask for data as
/// if it came from that site (DNS rebinding). Its requests still carry its name, by which they are
/// refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    added: Vec<String>,
}

/// A request for a host that the dashboard is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misdirected {
    /// There is no host, or several, or one that is malformed.
    Malformed,
    /// The host is another one.
    Other(String),
}

impl Hosts {
    /// Adds a host name or an address, without a port.
    pub(crate) fn add(&mut self, host: &str) {
        self.added.push(normal(host));
    }

    /// Checks every host that a request names: in its target, and in its header.
    pub(crate) fn check(&self, request: &Parts) -> Result<(), Misdirected> {
        let mut headers = request.headers.get_all(HOST).iter();
        let header = match (headers.next(), headers.next()) {
            (None, _) => None,
            (Some(host), None) => {
                let text = host.to_str().map_err(|_| Misdirected::Malformed)?;
                let host: Authority = text.parse().map_err(|_| Misdirected::Malformed)?;
                Some(host)
            }
            (Some(_), Some(_)) => return Err(Misdirected::Malformed),
        };
        let mut hosts = request
            .uri
            .authority()
            .into_iter()
            .chain(&header)
            .peekable();
        if hosts.peek().is_none() {
            return Err(Misdirected::Malformed);
        }
        hosts.try_for_each(|host| self.check_one(host))
    }

    fn check_one(&self, authority: &Authority) -> Result<(), Misdirected> {
        let is_malformed = authority.as_str().contains('@')
            || authority.as_str().len() > authority.host().len() && authority.port().is_none();
        if is_malformed {
            return Err(Misdirected::Malformed);
        }
        let host = normal(authority.host());
        if is_loopback(&host) || self.added.contains(&host) {
            Ok(())
        } else {
            Err(Misdirected::Other(host))
        }
    }
}

/// Returns a host in lower case, without the brackets of an address and the dot at the end.
fn normal(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let host = bare.unwrap_or(host).to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => host,
    }
}

fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::{Hosts, Misdirected};
    use http::Request;

    fn check(hosts: &Hosts, uri: &str, headers: &[&str]) -> Result<(), Misdirected> {
        let mut request = Request::builder().uri(uri);
        for host in headers {
            request = request.header("host", *host);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        hosts.check(&parts)
    }

    #[test]
    fn the_names_of_loopback_are_served_and_those_that_were_added() {
        let mut hosts = Hosts::default();
        hosts.add("Ops.Example");
        hosts.add("192.0.2.7");
        hosts.add("[2001:db8::1]");
        for host in [
            "localhost",
            "LOCALHOST:9470",
            "localhost.:80",
            "127.0.0.1:80",
            "127.9.9.9",
            "[::1]:80",
            "[::ffff:127.0.0.1]",
            "ops.example",
            "ops.example.:443",
            "192.0.2.7:80",
            "[2001:db8:0::1]:80",
        ] {
            assert_eq!(check(&hosts, "/", &[host]), Ok(()), "{host}");
        }
    }

    #[test]
    fn any_other_name_is_refused() {
        let mut hosts = Hosts::default();
        hosts.add("ops.example");
        for host in [
            "evil.example",
            "evil.example:80",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "sub.ops.example",
            "192.0.2.7",
            "0.0.0.0",
            "2130706433",
        ] {
            let refused = check(&hosts, "/", &[host]);
            assert!(
                matches!(refused, Err(Misdirected::Other(_))),
                "{host}: {refused:?}"
            );
        }
        for host in [
            "",
            "local host",
            "localhost:",
            "localhost:x",
            "a@localhost",
            "[::1",
            "::1",
        ] {
            assert!(check(&hosts, "/", &[host]).is_err(), "{host}");
        }
    }

    #[test]
    fn every_host_of_a_request_counts() {
        let hosts = Hosts::default();
        let other = Err(Misdirected::Other("evil.example".to_owned()));
        let malformed = Err(Misdirected::Malformed);
        assert_eq!(check(&hosts, "/", &[]), malformed);
        assert_eq!(check(&hosts, "/", &["localhost", "localhost"]), malformed);
        assert_eq!(
            check(&hosts, "http://localhost/", &[]),
            Ok(()),
            "as in HTTP/2"
        );
        assert_eq!(check(&hosts, "http://localhost/", &["evil.example"]), other);
        assert_eq!(check(&hosts, "http://evil.example/", &["localhost"]), other);
    }
}

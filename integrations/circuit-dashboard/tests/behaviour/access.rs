//! Access, each rule over a raw socket.

use circuit_dashboard::{Actor, Dashboard, Denied, ServeError};
use circuit_runtime::{CircuitBreaker, Config, State};
use serde_json::json;

use crate::support::{FROM_PAGE, Site, open_dashboard};

const TOKEN: (&str, &str) = ("Authorization", "Bearer secret");

/// The paths of data.
const DATA: [&str; 4] = [
    "/api/breakers?q=none",
    "/api/changes",
    "/metrics",
    "/api/breakers/none",
];

const REASON: &str = r#"{"reason": "a drill"}"#;

#[tokio::test]
async fn it_is_read_only_unless_code_says_otherwise() {
    let breaker = CircuitBreaker::new("read-only", Config::default());
    let site = Site::new(Dashboard::new()).await;
    assert_eq!(site.json("/api/breakers").await["controls"], false);
    for order in ["force-open", "force-closed", "reset", "trip"] {
        let response = site.order("read-only", order, REASON).await;
        assert_eq!(response.status, 403, "{order}");
        assert!(
            response.error().contains("read-only"),
            "{}",
            response.error()
        );
    }
    assert_eq!(breaker.snapshot().last_change, None);
}

#[tokio::test]
async fn a_closure_decides_by_the_request_and_the_order() {
    let breaker = CircuitBreaker::new("decided", Config::default());
    let dashboard = Dashboard::new().controls(|request, action| {
        let user = request
            .headers
            .get("x-user")
            .and_then(|user| user.to_str().ok());
        let user = user.ok_or_else(|| Denied::new("sign in first"))?;
        assert_eq!((action.breaker(), action.reason()), ("decided", "a drill"));
        Ok(Actor::new(user))
    });
    let site = Site::new(dashboard).await;
    assert_eq!(site.json("/api/breakers").await["controls"], true);
    let denied = site.order("decided", "trip", REASON).await;
    assert_eq!(
        (denied.status, denied.error().as_str()),
        (403, "sign in first")
    );
    assert_eq!(breaker.state(), State::Closed);

    let headers = [FROM_PAGE, &[("X-User", "alice")]].concat();
    let done = site
        .send("POST", "/api/breakers/decided/trip", &headers, REASON)
        .await;
    assert_eq!((done.status, &done.json()["actor"]), (200, &json!("alice")));
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn data_needs_the_token_and_the_page_does_not() {
    let site = Site::new(Dashboard::new().bearer_token("secret")).await;
    for path in ["/", "/page.js", "/page.css", "/?page.js"] {
        assert_eq!(site.get(path).await.status, 200, "{path}");
    }
    for path in DATA.into_iter().chain(["/api/stream"]) {
        for headers in [
            &[][..],
            &[("Authorization", "Bearer wrong!")],
            &[("Authorization", "Bearer ")],
            &[("Authorization", "Basic secret")],
            &[("Authorization", "secret")],
            &[TOKEN, TOKEN],
            &[("Cookie", "token=secret")],
        ] {
            let refused = site.send("GET", path, headers, "").await;
            assert_eq!(refused.status, 401, "{path} {headers:?}");
            assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
            assert_eq!(refused.header("set-cookie"), None);
        }
    }
    for path in ["/api/breakers?q=none", "/api/changes", "/metrics"] {
        assert_eq!(
            site.send("GET", path, &[TOKEN], "").await.status,
            200,
            "{path}"
        );
    }
    assert_eq!(site.get("/api/breakers?token=secret").await.status, 401);
    assert_eq!(site.stream(&[TOKEN]).await.status(), 200);
}

#[tokio::test]
async fn a_token_gives_orders_also_without_a_browser() {
    let breaker = CircuitBreaker::new("by token", Config::default());
    let site = Site::new(Dashboard::new().bearer_token("secret")).await;
    let path = "/api/breakers/by%20token/trip";
    let by = async |headers: &[(&str, &str)]| site.send("POST", path, headers, REASON).await.status;
    let (json, custom) = (
        ("Content-Type", "application/json"),
        ("X-Circuit-Dashboard", "1"),
    );
    assert_eq!(by(FROM_PAGE).await, 401);
    assert_eq!(by(&[TOKEN, json]).await, 403);
    assert_eq!(
        by(&[TOKEN, json, custom, ("Sec-Fetch-Site", "cross-site")]).await,
        403
    );
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(by(&[TOKEN, json, custom]).await, 200);
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(
        by(&[TOKEN, json, custom, ("Sec-Fetch-Site", "none")]).await,
        200
    );
    assert_eq!(
        by(&[TOKEN, json, custom, ("Sec-Fetch-Site", "same-origin")]).await,
        200
    );
}

#[tokio::test]
async fn with_a_token_and_a_closure_an_order_needs_both() {
    let _breaker = CircuitBreaker::new("both", Config::default());
    let dashboard = Dashboard::new().bearer_token("secret");
    let site = Site::new(dashboard.controls(|_, _| Err(Denied::new("not now")))).await;
    assert_eq!(site.order("both", "trip", REASON).await.status, 401);
    let headers = [FROM_PAGE, &[TOKEN]].concat();
    let denied = site
        .send("POST", "/api/breakers/both/trip", &headers, REASON)
        .await;
    assert_eq!((denied.status, denied.error().as_str()), (403, "not now"));
}

#[tokio::test]
async fn another_address_than_loopback_needs_an_authorizer_for_reading() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let bound = Dashboard::new().bind(address).await;
        assert!(
            matches!(bound, Err(ServeError::Unauthenticated(_))),
            "{address}: {bound:?}"
        );
        let served = open_dashboard().serve(address).await;
        let error = served.unwrap_err().to_string();
        assert!(error.contains("allow_unauthenticated()"), "{error}");
    }
    assert!(Dashboard::new().bind("127.0.0.1:0").await.is_ok());
    assert!(Dashboard::new().bind("localhost:0").await.is_ok());
    assert!(
        Dashboard::new()
            .bearer_token("secret")
            .bind("0.0.0.0:0")
            .await
            .is_ok()
    );
    assert!(
        Dashboard::new()
            .allow_unauthenticated()
            .bind("0.0.0.0:0")
            .await
            .is_ok()
    );
    let empty = Dashboard::new().bearer_token("").bind("127.0.0.1:0").await;
    assert!(matches!(empty, Err(ServeError::EmptyToken)), "{empty:?}");
}

#[tokio::test]
async fn a_host_that_the_dashboard_is_not_is_refused() {
    let breaker = CircuitBreaker::new("rebound", Config::default());
    let site = Site::new(open_dashboard().host("ops.example")).await;
    let port = site.address.port();
    let own = format!("127.0.0.1:{port}");
    for host in [
        "localhost",
        "LocalHost:80",
        &own,
        "[::1]",
        "ops.example:8080",
        "OPS.example.",
    ] {
        for path in ["/", "/api/changes"] {
            assert_eq!(
                site.send("GET", path, &[("Host", host)], "").await.status,
                200,
                "{host}"
            );
        }
    }
    for host in [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "10.0.0.1",
    ] {
        for path in ["/", "/page.js", "/api/breakers", "/api/stream", "/metrics"] {
            let refused = site.send("GET", path, &[("Host", host)], "").await;
            assert_eq!(refused.status, 421, "{host} {path}");
        }
        let headers = [FROM_PAGE, &[("Host", host)]].concat();
        let refused = site
            .send("POST", "/api/breakers/rebound/trip", &headers, REASON)
            .await;
        assert_eq!(refused.status, 421, "{host}");
    }
    assert_eq!(breaker.state(), State::Closed);
    let absolute =
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(site.raw(absolute.as_bytes()).await.status, 421);
    for head in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: local host\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: \u{ff}\r\nConnection: close\r\n\r\n",
    ] {
        assert_eq!(site.raw(head.as_bytes()).await.status, 400, "{head}");
    }
}

#[tokio::test]
async fn an_order_comes_from_the_page_alone() {
    let breaker = CircuitBreaker::new("forged", Config::default());
    let site = Site::new(open_dashboard()).await;
    let json = ("Content-Type", "application/json");
    let (custom, own) = (
        ("X-Circuit-Dashboard", "1"),
        ("Sec-Fetch-Site", "same-origin"),
    );
    for headers in [
        &[json, own][..],
        &[json, custom],
        &[json, custom, ("Sec-Fetch-Site", "none")],
        &[json, custom, ("Sec-Fetch-Site", "same-site")],
        &[json, custom, ("Sec-Fetch-Site", "cross-site")],
        &[json, custom, own, ("Sec-Fetch-Site", "cross-site")],
    ] {
        let refused = site
            .send("POST", "/api/breakers/forged/trip", headers, REASON)
            .await;
        assert_eq!(refused.status, 403, "{headers:?}");
    }
    assert_eq!(breaker.state(), State::Closed);
    let headers = [json, custom, own];
    let done = site
        .send("POST", "/api/breakers/forged/trip", &headers, REASON)
        .await;
    assert_eq!(done.status, 200);
    assert_eq!(breaker.state(), State::Open);
}

#[tokio::test]
async fn data_is_not_for_other_sites() {
    let site = Site::new(Dashboard::new()).await;
    for path in DATA.into_iter().chain(["/api/stream"]) {
        for from in ["cross-site", "same-site"] {
            let refused = site
                .send("GET", path, &[("Sec-Fetch-Site", from)], "")
                .await;
            assert_eq!(refused.status, 403, "{path} {from}");
        }
    }
    let link = site
        .send("GET", "/", &[("Sec-Fetch-Site", "cross-site")], "")
        .await;
    assert_eq!(link.status, 200, "a link to the page");
}

#[tokio::test]
async fn get_changes_nothing() {
    let breaker = CircuitBreaker::new("looked at", Config::default());
    let site = Site::new(open_dashboard()).await;
    for order in ["force-open", "force-closed", "reset", "trip"] {
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let path = format!("/api/breakers/looked%20at/{order}?reason=r&seconds=60");
            let refused = site.send(method, &path, FROM_PAGE, "").await;
            assert_eq!(refused.status, 405, "{method} {order}");
            assert_eq!(refused.header("allow"), Some("POST"));
        }
        let overridden = [FROM_PAGE, &[("X-HTTP-Method-Override", "POST")]].concat();
        let path = format!("/api/breakers/looked%20at/{order}");
        assert_eq!(site.send("GET", &path, &overridden, "").await.status, 405);
    }
    site.get("/metrics").await;
    site.get("/api/breakers/looked%20at").await;
    assert_eq!(breaker.snapshot().last_change, None);
    assert_eq!(breaker.snapshot().hold, None);
}

#[tokio::test]
async fn every_response_has_the_safe_headers_and_none_of_cors() {
    let _breaker = CircuitBreaker::new("safe", Config::default());
    let site = Site::new(open_dashboard()).await;
    let from_elsewhere = [("Origin", "http://evil.example")];
    let preflight = [
        ("Origin", "http://evil.example"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "x-circuit-dashboard"),
    ];
    let order = [FROM_PAGE, &from_elsewhere].concat();
    let with_token = Site::new(Dashboard::new().bearer_token("secret")).await;
    let responses = [
        (200, site.send("GET", "/", &from_elsewhere, "").await),
        (200, site.send("GET", "/page.js", &from_elsewhere, "").await),
        (
            200,
            site.send("GET", "/api/breakers?q=safe", &from_elsewhere, "")
                .await,
        ),
        (
            200,
            site.send("GET", "/api/breakers/safe", &from_elsewhere, "")
                .await,
        ),
        (
            200,
            site.send("GET", "/api/changes", &from_elsewhere, "").await,
        ),
        (200, site.send("GET", "/metrics", &from_elsewhere, "").await),
        (
            200,
            site.send("POST", "/api/breakers/safe/reset", &order, REASON)
                .await,
        ),
        (
            400,
            site.send("POST", "/api/breakers/safe/reset", &order, "{")
                .await,
        ),
        (
            401,
            with_token
                .send("GET", "/api/changes", &from_elsewhere, "")
                .await,
        ),
        (
            403,
            site.send("POST", "/api/breakers/safe/reset", &from_elsewhere, REASON)
                .await,
        ),
        (404, site.send("GET", "/nowhere", &from_elsewhere, "").await),
        (
            405,
            site.send("OPTIONS", "/api/breakers", &preflight, "").await,
        ),
        (
            405,
            site.send("OPTIONS", "/api/breakers/safe/reset", &preflight, "")
                .await,
        ),
        (
            421,
            site.send("GET", "/", &[("Host", "evil.example")], "").await,
        ),
        (
            422,
            site.send("POST", "/api/breakers/safe/reset", &order, "{}")
                .await,
        ),
    ];
    let mut heads: Vec<_> = responses
        .iter()
        .map(|(expected, response)| {
            assert_eq!(response.status, *expected, "{}", response.body);
            response.head.clone()
        })
        .collect();
    let stream = site.stream(&from_elsewhere).await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    heads.push(stream.all_headers().to_owned());
    for head in heads {
        let head = head.to_ascii_lowercase();
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; \
             connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(head.contains(header), "{header}\n{head}");
        }
        assert!(!head.contains("access-control"), "{head}");
        assert!(!head.contains("set-cookie"), "{head}");
        assert!(!head.contains("unsafe-inline"), "{head}");
    }
}

//! The dashboard inside of other servers.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use circuit_dashboard::Dashboard;
use circuit_runtime::{CircuitBreaker, Config};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::support::open_dashboard;

/// Sends a request and returns the whole response.
async fn exchange(address: std::net::SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    response
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn axum_nests_it_under_a_path() {
    let _breaker = CircuitBreaker::new("in/axum", Config::default());
    let router: Router = Router::new().nest_service("/circuits", open_dashboard());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    for (path, part) in [
        ("/circuits", "<!doctype html>"),
        ("/circuits/", "<!doctype html>"),
        ("/circuits?page.js", "text/javascript"),
        ("/circuits/?page.js", "text/javascript"),
        ("/circuits/page.css", "text/css"),
        ("/circuits/api/breakers?q=in/axum", "\"name\":\"in/axum\""),
        ("/circuits/api/breakers/in%2Faxum", "\"name\":\"in/axum\""),
        ("/circuits/metrics", "circuit_breaker_state"),
    ] {
        let response = exchange(address, &get(path)).await;
        assert!(response.starts_with("HTTP/1.1 200"), "{path}: {response}");
        assert!(response.contains(part), "{path}: {response}");
    }
    let body = r#"{"reason": "r"}"#;
    let order = format!(
        "POST /circuits/api/breakers/in%2Faxum/trip HTTP/1.1\r\nHost: localhost\r\n\
         Connection: close\r\nContent-Type: application/json\r\nX-Circuit-Dashboard: 1\r\n\
         Sec-Fetch-Site: same-origin\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let response = exchange(address, &order).await;
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let rebound = get("/circuits/").replace("localhost", "evil.example");
    let response = exchange(address, &rebound).await;
    assert!(response.starts_with("HTTP/1.1 421"), "{response}");
}

#[tokio::test]
async fn a_layer_outside_can_tell_the_closure_who_asks() {
    #[derive(Clone)]
    struct User(&'static str);
    let breaker = CircuitBreaker::new("extended", Config::default());
    let dashboard = Dashboard::new().controls(|request, _| {
        let user = request.extensions.get::<User>();
        let user = user.ok_or_else(|| circuit_dashboard::Denied::new("sign in first"))?;
        Ok(circuit_dashboard::Actor::new(user.0))
    });
    let request = |user: Option<User>| {
        let mut request = Request::post("/api/breakers/extended/trip")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("x-circuit-dashboard", "1")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(r#"{"reason": "r"}"#))
            .unwrap();
        user.map(|user| request.extensions_mut().insert(user));
        request
    };
    let denied = dashboard.clone().oneshot(request(None)).await.unwrap();
    assert_eq!(denied.status(), 403);
    let done = dashboard
        .oneshot(request(Some(User("alice"))))
        .await
        .unwrap();
    assert_eq!(done.status(), 200);
    assert_eq!(breaker.snapshot().opened, 1);
}

#[tokio::test]
async fn hyper_serves_it_as_it_is() {
    let _breaker = CircuitBreaker::new("in hyper", Config::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let dashboard = Dashboard::new();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let service = TowerToHyperService::new(dashboard.clone());
            tokio::spawn(async move {
                let http = hyper::server::conn::http1::Builder::new();
                http.serve_connection(TokioIo::new(connection), service)
                    .await
            });
        }
    });
    let response = exchange(address, &get("/api/breakers/in%20hyper")).await;
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.contains("\"name\":\"in hyper\""), "{response}");
    let response = exchange(address, &get("/")).await;
    assert!(response.contains("<!doctype html>"), "{response}");
}

//! The page and its two files.

use crate::support::Site;
use circuit_dashboard::Dashboard;

const PAGE: &str = include_str!("../../src/page/index.html");
const SCRIPT: &str = include_str!("../../src/page/page.js");
const STYLE: &str = include_str!("../../src/page/page.css");

#[tokio::test]
async fn the_page_is_three_files_under_either_address() {
    let site = Site::new(Dashboard::new()).await;
    for (paths, content_type, file) in [
        (["/", "/index.html"], "text/html; charset=utf-8", PAGE),
        (
            ["/page.js", "/?page.js"],
            "text/javascript; charset=utf-8",
            SCRIPT,
        ),
        (
            ["/page.css", "/?page.css"],
            "text/css; charset=utf-8",
            STYLE,
        ),
    ] {
        for path in paths {
            let response = site.get(path).await;
            assert_eq!(response.status, 200, "{path}");
            assert_eq!(response.header("content-type"), Some(content_type));
            assert_eq!(response.body, file, "{path}");
        }
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let site = Site::new(Dashboard::new()).await;
    for path in [
        "/",
        "/page.js",
        "/api/breakers?q=nothing",
        "/api/changes?after=a-1",
    ] {
        let (get, head) = (site.get(path).await, site.send("HEAD", path, &[], "").await);
        assert_eq!((get.status, head.status), (200, 200), "{path}");
        assert_eq!(head.body, "");
        assert_eq!(head.header("content-type"), get.header("content-type"));
        assert!(head.header("content-length").is_some());
    }
}

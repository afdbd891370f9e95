//! The origin of a request, as its browser tells it.

use http::HeaderMap;

/// The header that a form or an image of another page cannot send.
pub(crate) const CUSTOM: &str = "x-circuit-dashboard";

const FETCH_SITE: &str = "sec-fetch-site";

/// Returns whether a request for data is known to come from another site.
pub(crate) fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all(FETCH_SITE).iter();
    !sites.all(|site| site == "same-origin" || site == "none")
}

/// Returns why an order may come from another site; `None` if it cannot.
///
/// A request with a token needs no header of a browser: no other site knows the token.
pub(crate) fn order_refusal(headers: &HeaderMap, has_token: bool) -> Option<&'static str> {
    if headers.get(CUSTOM).is_none() {
        return Some("an order needs the header `X-Circuit-Dashboard: 1`");
    }
    let mut sites = headers.get_all(FETCH_SITE).iter();
    match (sites.next(), sites.next()) {
        (Some(site), None) if site == "same-origin" => None,
        (Some(site), None) if site == "none" && has_token => None,
        (None, _) if has_token => None,
        _ => {
            Some("an order must come from the dashboard's own page: `Sec-Fetch-Site: same-origin`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderMap, is_from_elsewhere, order_refusal};
    use http::HeaderValue;

    fn headers(custom: bool, sites: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if custom {
            headers.append("x-circuit-dashboard", HeaderValue::from_static("1"));
        }
        for site in sites {
            headers.append("sec-fetch-site", HeaderValue::from_static(site));
        }
        headers
    }

    #[test]
    fn an_order_comes_from_the_page_or_has_a_token() {
        for (custom, sites, has_token, expected) in [
            (true, &["same-origin"][..], false, true),
            (true, &["same-origin"], true, true),
            (true, &[], true, true),
            (true, &["none"], true, true),
            (true, &[], false, false),
            (true, &["none"], false, false),
            (true, &["same-site"], true, false),
            (true, &["cross-site"], true, false),
            (true, &["same-origin", "cross-site"], true, false),
            (false, &["same-origin"], true, false),
        ] {
            let refusal = order_refusal(&headers(custom, sites), has_token);
            assert_eq!(
                refusal.is_none(),
                expected,
                "{custom} {sites:?} {has_token}"
            );
        }
    }

    #[test]
    fn data_is_not_for_other_sites() {
        for (sites, expected) in [
            (&[][..], false),
            (&["same-origin"], false),
            (&["none"], false),
            (&["same-site"], true),
            (&["cross-site"], true),
            (&["none", "cross-site"], true),
        ] {
            let found = is_from_elsewhere(&headers(false, sites));
            assert_eq!(found, expected, "{sites:?}");
        }
    }
}

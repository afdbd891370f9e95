//! The paths of the dashboard.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::assets::Asset;
use crate::orders::Order;

/// The destination of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Asset(Asset),
    List,
    /// One entry, by its name.
    Detail(String),
    Changes,
    Stream,
    Metrics,
    /// An order to the breakers of this name.
    Order(String, Order),
}

impl Route {
    /// Returns the route of a path; `None` if it leads nowhere. A name that is not UTF-8 is that of
    /// no breaker.
    pub(crate) fn find(path: &str, query: Option<&str>) -> Option<Self> {
        let route = match path {
            "" | "/" => match query {
                Some("page.js") => Self::Asset(Asset::Script),
                Some("page.css") => Self::Asset(Asset::Style),
                _ => Self::Asset(Asset::Page),
            },
            "/index.html" => Self::Asset(Asset::Page),
            "/page.js" => Self::Asset(Asset::Script),
            "/page.css" => Self::Asset(Asset::Style),
            "/api/breakers" => Self::List,
            "/api/changes" => Self::Changes,
            "/api/stream" => Self::Stream,
            "/metrics" => Self::Metrics,
            _ => {
                // Split before it is decoded: a name may contain slashes.
                let mut segments = path.strip_prefix("/api/breakers/")?.split('/');
                let name = percent_decode_str(segments.next()?).decode_utf8().ok()?;
                let name = name.into_owned();
                match (segments.next(), segments.next()) {
                    (None, _) => Self::Detail(name),
                    (Some(order), None) => Self::Order(name, Order::from_name(order)?),
                    _ => return None,
                }
            }
        };
        Some(route)
    }

    /// Returns the methods of the route, as the header `Allow` lists them.
    pub(crate) const fn allow(&self) -> &'static str {
        match self {
            Self::Order(..) => "POST",
            Self::Stream => "GET",
            _ => "GET, HEAD",
        }
    }

    /// Returns whether the route has this method.
    pub(crate) fn takes(&self, method: &Method) -> bool {
        self.allow().split(", ").any(|it| it == method.as_str())
    }
}

/// Returns the value of a parameter of a query; the last one, if there are several.
pub(crate) fn parameter<'q>(query: Option<&'q str>, name: &str) -> Option<Cow<'q, str>> {
    let mut pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.rfind(|(it, _)| *it == name)?;
    Some(if value.contains('+') {
        let spaced = value.replace('+', " ");
        Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
    } else {
        percent_decode_str(value).decode_utf8_lossy()
    })
}

#[cfg(test)]
mod tests {
    use super::{Asset, Order, Route, parameter};

    fn detail(name: &str) -> Route {
        Route::Detail(name.to_owned())
    }

    #[test]
    fn a_name_is_one_segment_whatever_it_contains() {
        let find = |path| Route::find(path, None);
        assert_eq!(
            find("/api/breakers/shop::quote"),
            Some(detail("shop::quote"))
        );
        assert_eq!(
            find("/api/breakers/a%2Fb%5Bc%5D%25"),
            Some(detail("a/b[c]%"))
        );
        assert_eq!(
            find("/api/breakers/%3Cimg%20onerror%3E"),
            Some(detail("<img onerror>"))
        );
        assert_eq!(find("/api/breakers/%00%E2%82%AC"), Some(detail("\0€")));
        assert_eq!(find("/api/breakers/"), Some(detail("")));
        assert_eq!(find("/api/breakers/.."), Some(detail("..")));
        assert_eq!(find("/api/breakers/100%"), Some(detail("100%")));
        assert_eq!(find("/api/breakers/%FF"), None);
        let order = Some(Route::Order("a/b".to_owned(), Order::Trip));
        assert_eq!(find("/api/breakers/a%2Fb/trip"), order);
        for nowhere in [
            "/api",
            "/api/",
            "/api/breakers/a/b",
            "/api/breakers/a/trip/",
            "/api/breakers/a/Trip",
            "/page",
            "//",
            "page.js",
            "/api/stream/",
            "/metrics/",
        ] {
            assert_eq!(find(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn the_files_of_the_page_have_a_path_and_a_query() {
        for (path, query, asset) in [
            ("/", None, Asset::Page),
            ("", None, Asset::Page),
            ("/", Some("utm=1"), Asset::Page),
            ("/", Some("page.js"), Asset::Script),
            ("/page.js", None, Asset::Script),
            ("/", Some("page.css"), Asset::Style),
            ("/page.css", Some("v=1"), Asset::Style),
        ] {
            assert_eq!(
                Route::find(path, query),
                Some(Route::Asset(asset)),
                "{path}"
            );
        }
    }

    #[test]
    fn a_parameter_is_decoded_and_the_last_of_its_name() {
        let query = Some("q=a&state=open&q=b+c%2B%26&empty=&flag");
        assert_eq!(parameter(query, "q").as_deref(), Some("b c+&"));
        assert_eq!(parameter(query, "state").as_deref(), Some("open"));
        assert_eq!(parameter(query, "empty").as_deref(), Some(""));
        assert_eq!(parameter(query, "flag"), None);
        assert_eq!(parameter(None, "q"), None);
    }
}

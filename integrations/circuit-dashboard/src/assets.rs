//! The files of the page, embedded in the program.

/// A file of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asset {
    Page,
    Script,
    Style,
}

impl Asset {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Page => include_str!("page/index.html"),
            Self::Script => include_str!("page/page.js"),
            Self::Style => include_str!("page/page.css"),
        }
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Page => "text/html; charset=utf-8",
            Self::Script => "text/javascript; charset=utf-8",
            Self::Style => "text/css; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Asset;

    /// The most that the three files may have together, in bytes.
    const MAX_SIZE: usize = 40 * 1024;

    #[test]
    fn the_page_is_small_and_loads_nothing_from_elsewhere() {
        let files = [Asset::Page, Asset::Script, Asset::Style].map(Asset::text);
        let size: usize = files.iter().map(|file| file.len()).sum();
        assert!(size <= MAX_SIZE, "{size} bytes");
        for file in files {
            let mut links = file.match_indices("://");
            let elsewhere = links.find(|(at, _)| !file[..*at].ends_with("http"));
            assert_eq!(elsewhere, None);
            let namespaces = file.matches("http://www.w3.org/").count();
            assert_eq!(file.matches("http://").count(), namespaces);
        }
    }

    #[test]
    fn the_page_has_no_script_and_no_style_of_its_own() {
        let page = Asset::Page.text();
        assert!(page.contains("src=\"?page.js\"") && page.contains("href=\"?page.css\""));
        for inline in [
            "<style",
            "style=",
            "onclick",
            "onload",
            "onerror",
            "javascript:",
        ] {
            assert!(!page.contains(inline), "{inline}");
        }
        assert_eq!(page.matches("<script").count(), 1);
    }
}

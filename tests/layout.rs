//! The layout of the crates: which file may use which, how long a file may be, how it begins, and
//! in which order it reads.
//!
//! `ARCHITECTURE.md` gives the reasons. Tests inside of the crates may use whatever they need.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Item, UseTree};

/// The longest file, in lines of code: without blank lines, comments and tests.
const MAX_LINES: usize = 400;

/// The widest line of a comment.
const MAX_COLUMNS: usize = 100;

/// Words that no line of a comment begins with: a sentence begins with its verb, or with its noun.
const NO_BEGINNINGS: [&str; 6] = ["Of", "That", "What", "Whether", "Who", "Whoever"];

/// The folders of the project that have Rust files.
const FOLDERS: [&str; 6] = [
    "circuit-macros",
    "circuit-options",
    "circuit-runtime",
    "examples",
    "integrations",
    "tests",
];

/// Folders in these whose files are not the project's.
const SKIPPED: [&str; 2] = ["target", "node_modules"];

/// Modules, each with the modules below it.
type Layers = &'static [(&'static str, &'static [&'static str])];

/// The modules of circuit-runtime, and those they may use besides modules of their own folder.
const RUNTIME: Layers = &[
    ("clock", &[]),
    ("sync", &[]),
    ("name", &[]),
    ("config", &[]),
    ("docs", &[]),
    ("error", &["name"]),
    ("state", &[]),
    ("window_counts", &[]),
    ("events", &["name", "state", "sync", "window_counts"]),
    (
        "circuit",
        &[
            "clock",
            "config",
            "error",
            "events",
            "name",
            "state",
            "sync",
            "window_counts",
        ],
    ),
    ("call", &["circuit", "clock", "error"]),
    ("keyed", &["circuit", "config", "events", "name", "sync"]),
    (
        "overrides",
        &["circuit", "config", "events", "name", "state"],
    ),
    ("registration", &["circuit", "overrides"]),
    (
        "breaker",
        &[
            "call",
            "circuit",
            "config",
            "error",
            "events",
            "name",
            "overrides",
            "registration",
            "state",
        ],
    ),
    (
        "breakers",
        &[
            "breaker",
            "circuit",
            "config",
            "keyed",
            "name",
            "overrides",
            "registration",
        ],
    ),
    (
        "lazy",
        &["breaker", "breakers", "circuit", "config", "registration"],
    ),
    ("declared", &["breaker", "breakers", "lazy", "name"]),
    (
        "registry",
        &["breaker", "circuit", "declared", "events", "overrides"],
    ),
    ("remote", &["breaker", "circuit", "name", "state"]),
    ("export", &["circuit", "declared", "events", "state"]),
    (
        "private",
        &[
            "breaker", "breakers", "call", "circuit", "config", "declared", "error", "keyed",
            "lazy",
        ],
    ),
];

/// The modules of circuit-macros, and those they may use besides modules of their own folder.
const MACROS: Layers = &[
    ("errors", &[]),
    ("spans", &[]),
    ("options", &["errors", "spans"]),
    ("function", &["errors"]),
    ("generate", &["function", "options", "spans"]),
    ("expand", &["errors", "function", "generate", "options"]),
];

/// The modules of circuit-options, and those they may use.
const OPTIONS: Layers = &[
    ("names", &[]),
    ("defaults", &[]),
    ("durations", &[]),
    ("values", &["durations"]),
    ("kinds", &["names"]),
    ("places", &["kinds", "names"]),
    ("rates", &["names"]),
    ("settings", &["defaults", "names", "values"]),
    ("aliases", &["names", "places"]),
    ("suggest", &["aliases", "kinds", "names", "places"]),
    ("rules", &["names", "rates", "settings"]),
    (
        "written",
        &[
            "durations",
            "kinds",
            "names",
            "rates",
            "rules",
            "settings",
            "values",
        ],
    ),
];

/// The modules of circuit-opentelemetry, and those they may use.
const OPENTELEMETRY: Layers = &[("counts", &[]), ("readings", &["counts"])];

/// The modules of circuit-tower, and those they may use besides modules of their own folder.
const TOWER: Layers = &[
    ("key", &[]),
    ("classify", &[]),
    ("answer", &[]),
    ("body", &["classify"]),
    ("extent", &["body", "classify"]),
    ("selection", &["key"]),
    ("future", &["answer", "classify", "extent"]),
    (
        "service",
        &["answer", "classify", "extent", "future", "selection"],
    ),
    (
        "layer",
        &["answer", "classify", "extent", "selection", "service"],
    ),
];

/// The modules of circuit-dashboard, and those they may use besides modules of their own folder.
const DASHBOARD: Layers = &[
    ("assets", &[]),
    ("error", &[]),
    ("moment", &[]),
    ("history", &[]),
    ("access", &[]),
    ("orders", &["moment"]),
    ("fleet", &[]),
    ("overview", &["moment", "orders"]),
    ("settings", &["access", "fleet", "orders"]),
    ("stream", &["history", "orders", "overview", "settings"]),
    ("body", &["stream"]),
    ("reply", &["assets", "body", "stream"]),
    ("router", &["assets", "orders"]),
    (
        "dashboard",
        &["access", "fleet", "orders", "settings", "stream"],
    ),
    (
        "api",
        &[
            "access",
            "body",
            "dashboard",
            "history",
            "moment",
            "orders",
            "overview",
            "reply",
            "router",
            "settings",
            "stream",
        ],
    ),
    (
        "service",
        &["access", "api", "body", "dashboard", "reply", "router"],
    ),
    ("serve", &["access", "dashboard", "error"]),
];

/// The modules of circuit-redis, and those they may use besides modules of their own folder.
const REDIS: Layers = &[
    ("error", &[]),
    ("events", &["error"]),
    ("pattern", &[]),
    ("random", &[]),
    ("keys", &["error"]),
    ("quorum", &["error"]),
    ("scripts", &["keys", "quorum"]),
    ("status", &["error", "scripts"]),
    ("metrics", &["events", "status"]),
    ("connection", &["error", "scripts"]),
    (
        "shared",
        &[
            "connection",
            "error",
            "events",
            "keys",
            "metrics",
            "pattern",
            "quorum",
            "status",
        ],
    ),
    (
        "circuits",
        &["events", "keys", "pattern", "scripts", "status"],
    ),
    (
        "member",
        &[
            "circuits",
            "connection",
            "error",
            "events",
            "random",
            "scripts",
            "shared",
            "status",
        ],
    ),
    (
        "fleet",
        &[
            "connection",
            "error",
            "events",
            "keys",
            "member",
            "metrics",
            "pattern",
            "quorum",
            "random",
            "shared",
            "status",
        ],
    ),
];

/// The packages by their folders, each with what its modules may use.
const PACKAGES: [(&str, Layers); 7] = [
    ("circuit-options", OPTIONS),
    ("circuit-macros", MACROS),
    ("circuit-runtime", RUNTIME),
    ("integrations/circuit-dashboard", DASHBOARD),
    ("integrations/circuit-opentelemetry", OPENTELEMETRY),
    ("integrations/circuit-redis", REDIS),
    ("integrations/circuit-tower", TOWER),
];

#[test]
fn modules_use_only_modules_below_them() {
    for (package, layers) in PACKAGES {
        for (file, uses) in Sources::read(package).uses() {
            let from = top_level(&file);
            if from == "lib" {
                continue;
            }
            let below = layers.iter().find(|(module, _)| *module == from);
            let Some((_, below)) = below else {
                panic!("{package}: which modules `{from}` may use is not said in this test")
            };
            for used in uses {
                let to = top_level(&used);
                assert!(
                    to == from || below.contains(&to),
                    "{package}: `{file}` uses `{used}`, which is not below it"
                );
            }
        }
    }
}

#[test]
fn rows_are_of_modules_and_follow_those_that_they_use() {
    for (package, layers) in PACKAGES {
        let uses = Sources::read(package).uses();
        let mut above = BTreeSet::new();
        for (module, below) in layers {
            let files = uses.iter().filter(|(file, _)| top_level(file) == *module);
            let uses: Vec<_> = files.map(|(_, uses)| uses).collect();
            assert!(!uses.is_empty(), "{package} has no module `{module}`");
            for used in *below {
                let is_used = uses
                    .iter()
                    .copied()
                    .flatten()
                    .any(|file| top_level(file) == *used);
                assert!(is_used, "{package}: `{module}` does not use `{used}`");
                assert!(
                    above.contains(used),
                    "{package}: the row of `{module}` is above that of `{used}`, which it uses"
                );
            }
            above.insert(module);
        }
    }
}

#[test]
fn every_crate_is_listed() {
    for folder in ["", "integrations"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let package = Path::new(folder).join(entry.unwrap().file_name());
            let is_crate = root().join(&package).join("src/lib.rs").exists();
            let is_listed = PACKAGES
                .iter()
                .any(|(listed, _)| Path::new(listed) == package);
            assert_eq!(is_crate, is_listed, "{}", package.display());
        }
    }
}

#[test]
fn no_two_files_use_each_other() {
    for (package, _) in PACKAGES {
        let uses = Sources::read(package).uses();
        // Files that use none of the others, or that none of the others uses, are in no circle.
        let mut left = uses.clone();
        loop {
            let before = left.len();
            let files: BTreeSet<_> = left.keys().cloned().collect();
            for used in left.values_mut() {
                used.retain(|file| files.contains(file));
            }
            left.retain(|_, used| !used.is_empty());
            let targets: BTreeSet<_> = left.values().flatten().cloned().collect();
            left.retain(|file, _| targets.contains(file));
            if left.len() == before {
                break;
            }
        }
        assert!(left.is_empty(), "{package}: a circle among {left:#?}");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for path in FOLDERS
        .iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
    {
        let source = fs::read_to_string(&path).unwrap();
        let file = path.strip_prefix(root()).unwrap();
        // A line more there would be a line more in each of the messages.
        let is_misuse = file.starts_with("tests/ui");
        let file = file.display();
        assert!(
            source.starts_with("//! ") || is_misuse,
            "{file} begins without `//!`"
        );
        for line in source.lines().filter(|line| line.trim().starts_with("//")) {
            let is_wide = line.chars().count() > MAX_COLUMNS && !is_unbreakable(line);
            assert!(!is_wide, "{file} has a wide comment: {line}");
            assert!(!begins_without_subject(line), "{file}: reword {line}");
        }
    }
}

#[test]
fn every_file_is_short() {
    for (package, _) in PACKAGES {
        for (file, source) in Sources::read(package).files {
            let lines = lines_of_code(&source);
            assert!(
                lines <= MAX_LINES,
                "{package}: {file} has {lines} lines of code"
            );
        }
    }
}

#[test]
fn every_file_reads_from_constants_to_tests() {
    for (package, _) in PACKAGES {
        for (file, source) in Sources::read(package).files {
            assert!(
                is_in_order(&source),
                "{package}: {file}: constants stand at the top, tests at the end"
            );
            let has_of = source.contains("fn of(");
            assert!(
                !has_of,
                "{package}: {file}: `of` is `new`, `from_*` or `for_*`"
            );
        }
    }
}

/// The files of a package, by module path: `circuit/window/mod.rs` is `circuit::window`.
struct Sources {
    files: BTreeMap<String, String>,
}

impl Sources {
    fn read(package: &str) -> Self {
        let root = root().join(package).join("src");
        let mut files = BTreeMap::new();
        for path in rust_files(&root) {
            let module = module_path(path.strip_prefix(&root).unwrap());
            files.insert(module, fs::read_to_string(path).unwrap());
        }
        assert!(!files.is_empty(), "{package} has no sources");
        files.retain(|module, _| !module.split("::").any(|part| part == "tests"));
        Self { files }
    }

    /// Returns the files that each file uses, tests apart.
    fn uses(&self) -> BTreeMap<String, BTreeSet<String>> {
        let files = self.files.iter().map(|(file, source)| {
            let parsed = syn::parse_file(source).unwrap_or_else(|error| panic!("{file}: {error}"));
            let mut paths = Vec::new();
            for item in parsed.items.iter().filter(|item| !is_test(item)) {
                match item {
                    Item::Use(item) => use_paths(&item.tree, Vec::new(), &mut paths),
                    item => code_paths(item.to_token_stream(), &mut paths),
                }
            }
            let mut used: BTreeSet<_> = paths
                .iter()
                .filter_map(|path| self.resolve(file, path))
                .collect();
            used.remove(file);
            (file.clone(), used)
        });
        files.collect()
    }

    /// Returns the file that a path in `file` leads to: the longest part of it that is a module.
    fn resolve(&self, file: &str, path: &[String]) -> Option<String> {
        let mut module: Vec<&str> = match file {
            "lib" => Vec::new(),
            file => file.split("::").collect(),
        };
        let mut rest = path.iter().map(String::as_str).peekable();
        match rest.peek().copied()? {
            "crate" => {
                rest.next();
                module.clear();
            }
            "self" => {
                rest.next();
            }
            "super" => {
                while rest.next_if_eq(&"super").is_some() {
                    module.pop();
                }
            }
            first => {
                // A child of this module, or another crate.
                let mut child = module.clone();
                child.push(first);
                if !self.files.contains_key(&child.join("::")) {
                    return None;
                }
            }
        }
        for part in rest {
            module.push(part);
            if !self.files.contains_key(&module.join("::")) {
                module.pop();
                break;
            }
        }
        let file = module.join("::");
        self.files.contains_key(&file).then_some(file)
    }
}

/// Returns the folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns all Rust files in a folder and the folders below it.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is_skipped = SKIPPED.iter().any(|name| path.ends_with(name));
            if path.is_dir() && !is_skipped {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

fn module_path(file: &Path) -> String {
    let mut path = PathBuf::from(file);
    if path.file_stem().is_some_and(|stem| stem == "mod") {
        path.pop();
    }
    path.set_extension("");
    let parts = path.iter().map(|part| part.to_string_lossy().into_owned());
    parts.collect::<Vec<_>>().join("::")
}

fn top_level(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

fn use_paths(tree: &UseTree, mut path: Vec<String>, paths: &mut Vec<Vec<String>>) {
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.to_string());
            use_paths(&tree.tree, path, paths);
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                use_paths(tree, path.clone(), paths);
            }
        }
        UseTree::Name(name) => {
            if name.ident != "self" || path.is_empty() {
                path.push(name.ident.to_string());
            }
            paths.push(path);
        }
        UseTree::Rename(rename) => {
            path.push(rename.ident.to_string());
            paths.push(path);
        }
        UseTree::Glob(_) => paths.push(path),
    }
}

/// Collects the paths in code that begin with `crate` or `super`; alone, either is a visibility.
fn code_paths(tokens: TokenStream, paths: &mut Vec<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => {
                path.push(ident.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => colons += 1,
            token => {
                paths.extend((path.len() > 1).then(|| path.clone()));
                path.clear();
                colons = 0;
                match token {
                    TokenTree::Ident(ident) if ident == "crate" || ident == "super" => {
                        path.push(ident.to_string());
                    }
                    TokenTree::Group(group) => code_paths(group.stream(), paths),
                    _ => {}
                }
            }
        }
    }
    paths.extend((path.len() > 1).then_some(path));
}

/// Returns whether this item is compiled for tests alone.
fn is_test(item: &Item) -> bool {
    let is_test = |attribute: &Attribute| {
        let code = attribute.to_token_stream().to_string().replace(' ', "");
        code.starts_with("#[cfg(test") || code.starts_with("#[cfg(all(test")
    };
    match item {
        Item::Mod(item) => item.attrs.iter().any(is_test),
        Item::Fn(item) => item.attrs.iter().any(is_test),
        Item::Impl(item) => item.attrs.iter().any(is_test),
        Item::Use(item) => item.attrs.iter().any(is_test),
        _ => false,
    }
}

/// Returns whether the tests are at the end, and each constant is above all types and functions,
/// unless its own type is one of them.
fn is_in_order(source: &str) -> bool {
    let mut own_types = BTreeSet::new();
    let mut has_code = false;
    let mut has_tests = false;
    for item in syn::parse_file(source).unwrap().items {
        if is_test(&item) {
            has_tests |= matches!(&item, Item::Mod(tests) if tests.content.is_some());
            continue;
        }
        if has_tests {
            return false;
        }
        match &item {
            Item::Const(constant) if has_code && constant.ident != "_" => {
                let is_own = constant.ty.to_token_stream().into_iter().any(|token| {
                    let token = token.to_string();
                    let mut words = token.split(|letter: char| !letter.is_alphanumeric());
                    words.any(|word| own_types.contains(word))
                });
                if !is_own {
                    return false;
                }
            }
            Item::Struct(item) => _ = own_types.insert(item.ident.to_string()),
            Item::Enum(item) => _ = own_types.insert(item.ident.to_string()),
            Item::Type(item) => _ = own_types.insert(item.ident.to_string()),
            _ => {}
        }
        has_code |= matches!(
            item,
            Item::Enum(_) | Item::Fn(_) | Item::Impl(_) | Item::Struct(_) | Item::Trait(_)
        );
    }
    true
}

/// Returns whether this is the row of a table, or has a link in it.
fn is_unbreakable(comment: &str) -> bool {
    let text = comment.trim().trim_start_matches(['/', '!']).trim();
    text.starts_with('|') || text.contains("](") || text.contains("://")
}

/// Returns whether a line of a comment begins with one of [`NO_BEGINNINGS`].
fn begins_without_subject(comment: &str) -> bool {
    let text = comment.trim().trim_start_matches(['/', '!']);
    let first = text.split_whitespace().next().unwrap_or_default();
    NO_BEGINNINGS.contains(&first)
}

/// Counts the lines of code outside of items for tests alone, which end with a brace of their own
/// or, if they have none, with a semicolon.
fn lines_of_code(source: &str) -> usize {
    let mut is_in_tests = false;
    let is_code = |line: &&str| {
        if line.starts_with("#[cfg(test") || line.starts_with("#[cfg(all(test") {
            is_in_tests = true;
        }
        let is_code = !is_in_tests && !line.trim().is_empty() && !line.trim().starts_with("//");
        if *line == "}" || !line.starts_with([' ', '#']) && line.ends_with(';') {
            is_in_tests = false;
        }
        is_code
    };
    source.lines().filter(is_code).count()
}

#[test]
fn lines_of_code_are_counted_without_tests() {
    let source = "\
        //! A file.\n\n#[cfg(test)]\nmod tests;\n\nfn one() {\n    // A comment.\n    two();\n}\n\n\
        #[cfg(test)]\nmod more {\n    #[test]\n    fn three() {\n    }\n}\n\nfn four() {}\n";
    assert_eq!(lines_of_code(source), 4);
}

#[test]
fn a_sentence_without_its_subject_is_seen() {
    for (comment, expected) in [
        ("    /// Whether it is open.", true),
        ("//! What a call costs.", true),
        ("// Often, it is.", false),
        ("//", false),
    ] {
        assert_eq!(begins_without_subject(comment), expected, "{comment}");
    }
}

#[test]
fn constants_stand_at_the_top_and_tests_at_the_end() {
    let constant = "const A: u32 = 1;\n";
    let own = "struct B;\nconst C: [B; 1] = [B];\n";
    let tests = "#[cfg(test)]\nmod tests {}\n";
    assert!(is_in_order(&format!("{constant}{own}{tests}")));
    assert!(!is_in_order(&format!("{own}{constant}")));
    assert!(!is_in_order(&format!("{tests}{own}")));
}

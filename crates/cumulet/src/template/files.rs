//! The text of the templates' files, by the path that each has in a new project.

/// A path, and what stands there.
pub(super) type File = (&'static str, &'static str);

/// What the Rust templates that answer HTTP requests share.
pub(super) const RUST_HTTP: &[File] = &[
    ("src/lib.rs", include_str!("../../templates/rust/lib.rs.in")),
    ("src/routes.rs", include_str!("../../templates/rust/routes.rs.in")),
];

/// `rust-http`.
pub(super) const RUST_HTTP_P2: &[File] = &[
    (".gitignore", include_str!("../../templates/rust-http/gitignore.in")),
    ("Cargo.toml", include_str!("../../templates/rust-http/Cargo.toml.in")),
    ("README.md", include_str!("../../templates/rust-http/README.md.in")),
    ("cumulet.toml", include_str!("../../templates/rust-http/cumulet.toml.in")),
    ("src/serve.rs", include_str!("../../templates/rust-http/src/serve.rs.in")),
];

/// `rust-http-p3`.
pub(super) const RUST_HTTP_P3: &[File] = &[
    (".gitignore", include_str!("../../templates/rust-http-p3/gitignore.in")),
    ("Cargo.toml", include_str!("../../templates/rust-http-p3/Cargo.toml.in")),
    ("README.md", include_str!("../../templates/rust-http-p3/README.md.in")),
    ("cumulet.toml", include_str!("../../templates/rust-http-p3/cumulet.toml.in")),
    ("src/serve.rs", include_str!("../../templates/rust-http-p3/src/serve.rs.in")),
];

/// `rust-command`.
pub(super) const RUST_COMMAND: &[File] = &[
    (".gitignore", include_str!("../../templates/rust-command/gitignore.in")),
    ("Cargo.toml", include_str!("../../templates/rust-command/Cargo.toml.in")),
    ("README.md", include_str!("../../templates/rust-command/README.md.in")),
    ("cumulet.toml", include_str!("../../templates/rust-command/cumulet.toml.in")),
    ("src/main.rs", include_str!("../../templates/rust-command/src/main.rs.in")),
];

/// `python-http`.
pub(super) const PYTHON_HTTP: &[File] = &[
    (".gitignore", include_str!("../../templates/python-http/gitignore.in")),
    ("README.md", include_str!("../../templates/python-http/README.md.in")),
    ("cumulet.toml", include_str!("../../templates/python-http/cumulet.toml.in")),
    ("requirements.txt", include_str!("../../templates/python-http/requirements.txt.in")),
    ("src/app.py", include_str!("../../templates/python-http/src/app.py.in")),
    ("src/routes.py", include_str!("../../templates/python-http/src/routes.py.in")),
    ("src/test_routes.py", include_str!("../../templates/python-http/src/test_routes.py.in")),
];

/// What the templates in JavaScript and TypeScript share.
pub(super) const JAVASCRIPT: &[File] = &[("build.mjs", include_str!("../../templates/js/build.mjs.in"))];

/// `js-http`.
pub(super) const JS_HTTP: &[File] = &[
    (".gitignore", include_str!("../../templates/js-http/gitignore.in")),
    ("README.md", include_str!("../../templates/js-http/README.md.in")),
    ("cumulet.toml", include_str!("../../templates/js-http/cumulet.toml.in")),
    ("package.json", include_str!("../../templates/js-http/package.json.in")),
    ("src/app.js", include_str!("../../templates/js-http/src/app.js.in")),
    ("src/routes.js", include_str!("../../templates/js-http/src/routes.js.in")),
    ("src/routes.test.js", include_str!("../../templates/js-http/src/routes.test.js.in")),
];

/// `ts-http`.
pub(super) const TS_HTTP: &[File] = &[
    (".gitignore", include_str!("../../templates/ts-http/gitignore.in")),
    ("README.md", include_str!("../../templates/ts-http/README.md.in")),
    ("cumulet.toml", include_str!("../../templates/ts-http/cumulet.toml.in")),
    ("package.json", include_str!("../../templates/ts-http/package.json.in")),
    ("src/app.ts", include_str!("../../templates/ts-http/src/app.ts.in")),
    ("src/routes.test.ts", include_str!("../../templates/ts-http/src/routes.test.ts.in")),
    ("src/routes.ts", include_str!("../../templates/ts-http/src/routes.ts.in")),
    ("src/wasi.d.ts", include_str!("../../templates/ts-http/src/wasi.d.ts.in")),
    ("tsconfig.json", include_str!("../../templates/ts-http/tsconfig.json.in")),
];

/// The interface of key-value stores, for bindings that are generated from it alone.
pub(super) const KEYVALUE_WIT: &[File] = &[("wit/keyvalue.wit", include_str!("../../../../wit/keyvalue/store.wit"))];

/// The world of a component that answers HTTP requests, and what it is made of.
pub(super) const HANDLER_WIT: &[File] = &[
    ("wit/world.wit", include_str!("../../templates/wit/world.wit.in")),
    ("wit/deps/clocks.wit", include_str!("../../templates/wit/clocks.wit.in")),
    ("wit/deps/http.wit", include_str!("../../templates/wit/http.wit.in")),
    ("wit/deps/io.wit", include_str!("../../templates/wit/io.wit.in")),
    ("wit/deps/keyvalue.wit", include_str!("../../../../wit/keyvalue/store.wit")),
];

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

/// `go-http`.
pub(super) const GO_HTTP: &[File] = &[
    (".gitignore", include_str!("../../templates/go-http/gitignore.in")),
    ("README.md", include_str!("../../templates/go-http/README.md.in")),
    (
        "bindings/exports/export_wasi_http_incoming_handler/handle.go",
        include_str!("../../templates/go-http/bindings/exports/export_wasi_http_incoming_handler/handle.go.in"),
    ),
    ("cumulet.toml", include_str!("../../templates/go-http/cumulet.toml.in")),
    ("go.mod", include_str!("../../templates/go-http/go.mod.in")),
    ("go.sum", include_str!("../../templates/go-http/go.sum.in")),
    ("main.go", include_str!("../../templates/go-http/main.go.in")),
    ("routes/routes.go", include_str!("../../templates/go-http/routes/routes.go.in")),
    ("routes/routes_test.go", include_str!("../../templates/go-http/routes/routes_test.go.in")),
    ("serve/body.go", include_str!("../../templates/go-http/serve/body.go.in")),
    ("serve/fetch.go", include_str!("../../templates/go-http/serve/fetch.go.in")),
    ("serve/serve.go", include_str!("../../templates/go-http/serve/serve.go.in")),
];

/// What `wit-bindgen` wrote for it, and what that calls.
pub(super) const GO_BINDINGS: &[File] = &[
    (
        "bindings/exports/wit_exports/wit_exports.go",
        include_str!("../../templates/go-http/bindings/exports/wit_exports/wit_exports.go.in"),
    ),
    (
        "bindings/imports/wasi_clocks_monotonic_clock/empty.s",
        include_str!("../../templates/go-http/bindings/imports/wasi_clocks_monotonic_clock/empty.s.in"),
    ),
    (
        "bindings/imports/wasi_clocks_monotonic_clock/wit_bindings.go",
        include_str!("../../templates/go-http/bindings/imports/wasi_clocks_monotonic_clock/wit_bindings.go.in"),
    ),
    (
        "bindings/imports/wasi_http_incoming_handler/empty.s",
        include_str!("../../templates/go-http/bindings/imports/wasi_http_incoming_handler/empty.s.in"),
    ),
    (
        "bindings/imports/wasi_http_incoming_handler/wit_bindings.go",
        include_str!("../../templates/go-http/bindings/imports/wasi_http_incoming_handler/wit_bindings.go.in"),
    ),
    (
        "bindings/imports/wasi_http_outgoing_handler/empty.s",
        include_str!("../../templates/go-http/bindings/imports/wasi_http_outgoing_handler/empty.s.in"),
    ),
    (
        "bindings/imports/wasi_http_outgoing_handler/wit_bindings.go",
        include_str!("../../templates/go-http/bindings/imports/wasi_http_outgoing_handler/wit_bindings.go.in"),
    ),
    (
        "bindings/imports/wasi_http_types/empty.s",
        include_str!("../../templates/go-http/bindings/imports/wasi_http_types/empty.s.in"),
    ),
    (
        "bindings/imports/wasi_http_types/wit_bindings.go",
        include_str!("../../templates/go-http/bindings/imports/wasi_http_types/wit_bindings.go.in"),
    ),
    (
        "bindings/imports/wasi_io_error/empty.s",
        include_str!("../../templates/go-http/bindings/imports/wasi_io_error/empty.s.in"),
    ),
    (
        "bindings/imports/wasi_io_error/wit_bindings.go",
        include_str!("../../templates/go-http/bindings/imports/wasi_io_error/wit_bindings.go.in"),
    ),
    (
        "bindings/imports/wasi_io_poll/empty.s",
        include_str!("../../templates/go-http/bindings/imports/wasi_io_poll/empty.s.in"),
    ),
    (
        "bindings/imports/wasi_io_poll/wit_bindings.go",
        include_str!("../../templates/go-http/bindings/imports/wasi_io_poll/wit_bindings.go.in"),
    ),
    (
        "bindings/imports/wasi_io_streams/empty.s",
        include_str!("../../templates/go-http/bindings/imports/wasi_io_streams/empty.s.in"),
    ),
    (
        "bindings/imports/wasi_io_streams/wit_bindings.go",
        include_str!("../../templates/go-http/bindings/imports/wasi_io_streams/wit_bindings.go.in"),
    ),
    (
        "bindings/imports/wasi_keyvalue_atomics/empty.s",
        include_str!("../../templates/go-http/bindings/imports/wasi_keyvalue_atomics/empty.s.in"),
    ),
    (
        "bindings/imports/wasi_keyvalue_atomics/wit_bindings.go",
        include_str!("../../templates/go-http/bindings/imports/wasi_keyvalue_atomics/wit_bindings.go.in"),
    ),
    (
        "bindings/imports/wasi_keyvalue_store/empty.s",
        include_str!("../../templates/go-http/bindings/imports/wasi_keyvalue_store/empty.s.in"),
    ),
    (
        "bindings/imports/wasi_keyvalue_store/wit_bindings.go",
        include_str!("../../templates/go-http/bindings/imports/wasi_keyvalue_store/wit_bindings.go.in"),
    ),
];

/// `c-http`, with what `wit-bindgen` wrote for it.
pub(super) const C_HTTP: &[File] = &[
    (".gitignore", include_str!("../../templates/c-http/gitignore.in")),
    ("README.md", include_str!("../../templates/c-http/README.md.in")),
    ("bindings/app.c", include_str!("../../templates/c-http/bindings/app.c.in")),
    ("bindings/app.h", include_str!("../../templates/c-http/bindings/app.h.in")),
    ("cumulet.toml", include_str!("../../templates/c-http/cumulet.toml.in")),
    ("requirements.txt", include_str!("../../templates/c-http/requirements.txt.in")),
    ("src/body.c", include_str!("../../templates/c-http/src/body.c.in")),
    ("src/body.h", include_str!("../../templates/c-http/src/body.h.in")),
    ("src/fetch.c", include_str!("../../templates/c-http/src/fetch.c.in")),
    ("src/fetch.h", include_str!("../../templates/c-http/src/fetch.h.in")),
    ("src/json.c", include_str!("../../templates/c-http/src/json.c.in")),
    ("src/json.h", include_str!("../../templates/c-http/src/json.h.in")),
    ("src/routes.c", include_str!("../../templates/c-http/src/routes.c.in")),
    ("src/routes.h", include_str!("../../templates/c-http/src/routes.h.in")),
    ("src/serve.c", include_str!("../../templates/c-http/src/serve.c.in")),
    ("tests/routes.c", include_str!("../../templates/c-http/tests/routes.c.in")),
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

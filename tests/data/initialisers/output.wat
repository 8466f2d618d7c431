;; its initialiser calls `wasi:cli/stderr@0.2.0#get-stderr`, to print something or because it panics, and no import is there while a snapshot is taken
(import "wasi:cli/stderr@0.2.0" (instance $import (export "get-stderr" (func (result u64)))))
(core func $imported (canon lower (func $import "get-stderr")))
(core module $module
  (import "host" "imported" (func $imported (result i64)))
  (func (export "f") (drop (call $imported))))
(core instance $instance (instantiate $module (with "host" (instance (export "imported" (func $imported))))))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

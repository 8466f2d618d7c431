;; its initialiser calls `wasi:clocks/monotonic-clock@0.2.0#now`, and no import is there while a snapshot is taken: what it gave would be the same in every instance
(import "wasi:clocks/monotonic-clock@0.2.0" (instance $import (export "now" (func (result u64)))))
(core func $imported (canon lower (func $import "now")))
(core module $module
  (import "host" "imported" (func $imported (result i64)))
  (func (export "f") (drop (call $imported))))
(core instance $instance (instantiate $module (with "host" (instance (export "imported" (func $imported))))))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

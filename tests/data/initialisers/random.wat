;; its initialiser calls `wasi:random/random@0.2.0#get-random-u64`, and no import is there while a snapshot is taken: what it gave would be the same in every instance
(import "wasi:random/random@0.2.0" (instance $import (export "get-random-u64" (func (result u64)))))
(core func $imported (canon lower (func $import "get-random-u64")))
(core module $module
  (import "host" "imported" (func $imported (result i64)))
  (func (export "f") (drop (call $imported))))
(core instance $instance (instantiate $module (with "host" (instance (export "imported" (func $imported))))))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

;; its initialiser calls `wasi:cli/environment@0.2.0#get-environment`, and no import is there while a snapshot is taken: what it gave would be the same in every instance
(import "wasi:cli/environment@0.2.0" (instance $import (export "get-environment" (func (result u64)))))
(core func $imported (canon lower (func $import "get-environment")))
(core module $module
  (import "host" "imported" (func $imported (result i64)))
  (func (export "f") (drop (call $imported))))
(core instance $instance (instantiate $module (with "host" (instance (export "imported" (func $imported))))))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

;; its initialiser calls `wasi:sockets/instance-network@0.2.0#instance-network`, and no import is there while a snapshot is taken: what it gave would be the same in every instance
(import "wasi:sockets/instance-network@0.2.0" (instance $import (export "instance-network" (func (result u64)))))
(core func $imported (canon lower (func $import "instance-network")))
(core module $module
  (import "host" "imported" (func $imported (result i64)))
  (func (export "f") (drop (call $imported))))
(core instance $instance (instantiate $module (with "host" (instance (export "imported" (func $imported))))))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

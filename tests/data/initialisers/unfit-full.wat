;; unfit: its state cannot be read: wasm trap: wasm `unreachable` instruction executed
(core module $module (memory (export "memory") 1 1) (func (export "f") (i32.store (i32.const 8) (i32.const 1))))
(core instance $instance (instantiate $module))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

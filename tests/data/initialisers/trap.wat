;; its initialiser trapped: wasm trap: wasm `unreachable` instruction executed
(core module $module (func (export "f") unreachable))
(core instance $instance (instantiate $module))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

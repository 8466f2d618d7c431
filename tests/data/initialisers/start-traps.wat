;; its initialiser trapped: wasm trap: wasm `unreachable` instruction executed
(core module $module (func $start unreachable) (start $start) (func (export "f")))
(core instance $instance (instantiate $module))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

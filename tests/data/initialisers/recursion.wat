;; its initialiser trapped: wasm trap: call stack exhausted
(core module $module (func $f (export "f") (call $f)))
(core instance $instance (instantiate $module))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

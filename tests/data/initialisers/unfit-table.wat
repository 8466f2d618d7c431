;; unfit: unsupported `table.set` instruction
(core module $module
  (table 1 funcref)
  (func $f (export "f") (table.set (i32.const 0) (ref.func $f))))
(core instance $instance (instantiate $module))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

;; unfit: a memory that is 64-bit, shared or of other pages cannot be read
(core module $module (memory (export "memory") i64 1) (func (export "f")))
(core instance $instance (instantiate $module))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

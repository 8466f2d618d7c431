;; unfit: a module that exports nothing has a memory or a variable
(core module $hidden (memory 1) (func $start (i32.store (i32.const 8) (i32.const 1))) (start $start))
(core instance (instantiate $hidden))
(core module $module (func (export "f")))
(core instance $instance (instantiate $module))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

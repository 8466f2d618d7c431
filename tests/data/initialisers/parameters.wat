;; its export `wizer-initialize` is no function without parameters and result
(core module $module (func (export "f") (param i32)))
(core instance $instance (instantiate $module))
(func (export "wizer-initialize") (param "seed" u32) (canon lift (core func $instance "f")))

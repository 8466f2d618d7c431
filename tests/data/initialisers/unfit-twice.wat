;; unfit: modules may be instantiated at most once
(core module $module (func (export "f")))
(core instance (instantiate $module))
(core instance $instance (instantiate $module))
(func (export "wizer-initialize") (canon lift (core func $instance "f")))

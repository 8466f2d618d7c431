;; A WASI 0.2 HTTP component that imports what no node offers.
(component
  (import "acme:nothing/x@1.0.0" (instance $x (export "do" (func))))
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $out))
  (core func $do (canon lower (func $x "do")))
  (core module $module
    (import "x" "do" (func $do))
    (func (export "handle") (param i32 i32) (call $do)))
  (core instance $instance (instantiate $module
    (with "x" (instance (export "do" (func $do))))))
  (func $handle (param "request" (own $request)) (param "response-out" (own $out))
    (canon lift (core func $instance "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler)))

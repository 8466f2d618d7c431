;; What answers HTTP requests is told where to go.
;; expect exit: 3
;; expect stderr: cumulet up
(component
  (component $empty)
  (instance $empty (instantiate $empty))
  (export "wasi:http/handler@0.3.0" (instance $empty)))

;; A component that exports nothing that could serve a request.
(component)

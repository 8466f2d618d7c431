//! The composition root: loads revisions, runs invocations, shows the operator what happened.

//! Admission, permits, usage and the ledger. Time is an argument.

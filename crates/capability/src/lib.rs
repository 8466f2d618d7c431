//! What a guest may reach: the data of its store, the contents of its linker, its typed exports.

//! Framework for agents that run beside the nodes of a data store.

//! Agent that runs beside a ZooKeeper server.

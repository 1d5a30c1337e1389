//! Development only: starts real stores and clusters for tests, demonstrations and benchmarks.

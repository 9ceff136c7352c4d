//! The binary of the service: prints its manifest, runs on Lambda, or serves, by how it is started.

eventual::main!(conformance, auth = none);

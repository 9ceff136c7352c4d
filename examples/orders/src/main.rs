//! The binary of the service: prints its manifest, or runs on Lambda, by how it is started.

eventual::main!(orders, init = orders::init, auth = none);

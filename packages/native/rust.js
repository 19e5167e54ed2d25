// Loads the addon of the engine in Rust alone, which needs no libtorch.

const { addon } = require("./addons.js");
const { openSession } = require("./session.js");

const stepwell = addon("stepwell-rust.node");

/** Opens a session with objects of its own. It ends when the returned object is garbage-collected. */
exports.open = () => openSession(stepwell, {});

// What the client loads when it needs it, loaded beforehand: a clock that a test turns waits for no file.
import "../src/changes.js";
import "../src/event_stream.js";
import "../src/polling.js";
import "../src/shared.js";
import "../src/storage.js";
import "../src/tidy.js";
import "../src/tokens.js";
import "../src/way.js";

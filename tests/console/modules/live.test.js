import assert from "node:assert/strict";
import test from "node:test";
import { meant, SECOND_KEY_MS } from "../../../console/pages/base/keys.js";
import { ANSWER_MS, Live, QUIET_MS } from "../../../console/pages/base/live.js";

/** Stands for the browser's: what it is told to send is kept, and nothing happens by itself. */
class Socket {
  static made = /** @type {Socket[]} */ ([]);
  readyState = 0;
  sent = /** @type {any[]} */ ([]);
  closed = false;
  constructor() {
    Socket.made.push(this);
  }
  open() {
    this.readyState = 1;
    this.onopen();
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
}

function started() {
  Socket.made = [];
  const seen = { links: [], answers: [], now: 0 };
  const live = new Live({
    url: "ws://console/live", WebSocket: /** @type {any} */ (Socket), now: () => seen.now, random: () => 0,
    onLink: (link) => seen.links.push(link.state), onAnswer: (answer) => seen.answers.push(answer),
  });
  live.show({ topic: "launch", args: {} });
  live.start();
  const [socket] = Socket.made;
  return { live, seen, socket };
}

const say = (socket, message) => socket.onmessage({ data: JSON.stringify(message) });

test("live is said when an answer is here, and answers to what was shown before are dropped", () => {
  const { live, seen, socket } = started();
  socket.open();
  assert.deepEqual(socket.sent, [{ id: 1, show: "launch", args: {} }]);
  assert.deepEqual(seen.links, ["connecting"]);
  live.show({ topic: "nodes", args: {} });
  say(socket, { id: 1, data: "late" });
  assert.deepEqual(seen.answers, []);
  say(socket, { id: 2, data: "now" });
  assert.deepEqual([seen.links.at(-1), seen.answers.length], ["live", 1]);
  live.stop();
});

test("silence is asked about, and then it is a cut, whatever the socket says", () => {
  const { live, seen, socket } = started();
  socket.open();
  say(socket, { id: 1, data: {} });
  seen.now += QUIET_MS + 1;
  live.look();
  assert.equal(socket.sent.length, 2, "asked");
  seen.now += ANSWER_MS + 1;
  live.look();
  assert.deepEqual([seen.links.at(-1), socket.closed], ["reconnecting", true]);
  live.stop();
});

test("after a cut what was shown is asked for again, at once when the network is back", () => {
  const { live, seen, socket } = started();
  socket.open();
  say(socket, { id: 1, data: {} });
  socket.onclose({ code: 1006, reason: "" });
  assert.equal(seen.links.at(-1), "reconnecting");
  live.hurry();
  const again = Socket.made.at(-1);
  assert.notEqual(again, socket);
  again.open();
  assert.deepEqual(again.sent, [{ id: 2, show: "launch", args: {} }]);
  say(again, { id: 2, data: {} });
  assert.equal(seen.links.at(-1), "live");
  live.stop();
});

test("a connection that never opens says what may stand in between", () => {
  const { live, socket } = started();
  socket.onclose({ code: 1006, reason: "" });
  assert.match(live.link.reason, /a proxy lets no WebSocket through/);
  live.stop();
});

test("a browser without WebSockets is told so, and nothing is tried", () => {
  const live = new Live({ url: "ws://console/live", WebSocket: /** @type {any} */ (null), onLink: () => {},
    onAnswer: () => {} });
  live.start();
  assert.deepEqual([live.link.state, live.link.reason], ["failed", "this browser opens no WebSockets"]);
});

test("a session that ended is not tried again", () => {
  const { live, seen, socket } = started();
  socket.open();
  socket.onclose({ code: 4001, reason: "" });
  assert.equal(seen.links.at(-1), "signed out");
  assert.equal(Socket.made.length, 1);
  live.stop();
});

test("a pair of keys means a page if the second comes in time", () => {
  assert.equal(meant("g", null, 0), null);
  assert.equal(meant("s", { key: "g", at_ms: 0 }, SECOND_KEY_MS), "g s");
  assert.equal(meant("s", { key: "g", at_ms: 0 }, SECOND_KEY_MS + 1), null);
  assert.equal(meant("p", { key: "x", at_ms: 0 }, 1), "p");
  assert.equal(meant("Escape", null, 0), "Esc");
});

async ([scripts, token]) => {
  const { LudoRelay } = await import("/ludo-relay.js");
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  /** A socket without a network: what the script says is what comes. */
  class Socket {
    static all = [];
    readyState = 0;
    bufferedAmount = 0;
    sent = [];
    closed = false;
    constructor() {
      Socket.all.push(this);
    }
    send(text) {
      this.sent.push(JSON.parse(text));
    }
    close() {
      this.closed = true;
      this.readyState = 3;
    }
  }

  async function step(relay, [kind, number, what], numbers) {
    if (kind === "wait") return pause(number);
    if (kind === "send") {
      for (let n = 0; n < number; n++) numbers.push(relay.send({ t: "say", text: `${n}` }));
      return;
    }
    if (kind === "open") {
      while (Socket.all.length <= number) await pause(0);
      const socket = Socket.all[number];
      socket.readyState = 1;
      socket.onopen();
      while (socket.sent.length === 0) await Promise.resolve();
      return;
    }
    const socket = Socket.all[number];
    if (kind === "hear") socket.onmessage?.({ data: JSON.stringify(what) });
    else if (kind === "raw") socket.onmessage?.({ data: what });
    else socket.onclose?.({ code: what, reason: "" });
  }

  async function play(script) {
    Socket.all = [];
    const source = token ? () => Promise.resolve(token) : undefined;
    const relay = new LudoRelay("ws://x", { WebSocket: Socket, random: () => 0, token: source });
    const events = [];
    const unanswered = [];
    const numbers = [];
    for (const name of ["snap", "delta", "live", "ended"]) {
      relay.on(name, ({ game, seq }) => events.push([name, game, seq ?? null]));
    }
    relay.on("err", ({ id, code }) => code === "unanswered" && unanswered.push(id));
    relay.watch("g");
    relay.watch("h");
    relay.open();
    for (const each of script) await step(relay, each, numbers);
    const games = {};
    for (const id of ["g", "h"]) {
      const { epoch, seq, state, over } = relay.game(id);
      games[id] = [epoch ?? null, epoch === undefined ? 0 : seq, state, over];
    }
    const closed = Socket.all.map((socket) => socket.closed);
    const sent = Socket.all.flatMap((socket) => socket.sent);
    const { connection } = relay;
    relay.close();
    return { games, events, unanswered, numbers, closed, sent, connection };
  }

  const answers = [];
  for (const script of scripts) answers.push(await play(script));
  return answers;
}

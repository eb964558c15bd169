// A Socket.IO server that sends to rooms what is published in Redis; prints its port.
// node socketio.cjs REDIS_SOCKET CHANNEL_PREFIX
const http = require("node:http");
const { createClient } = require("redis");
const { Server } = require("socket.io");

const [, , path, prefix] = process.argv;
const server = http.createServer();
const io = new Server(server, { transports: ["websocket"], serveClient: false });

io.on("connection", (socket) => {
  socket.on("join", (game) => {
    socket.join(game);
    socket.emit("live");
  });
});

(async () => {
  const redis = createClient({ socket: { path } });
  await redis.connect();
  await redis.pSubscribe(`${prefix}*`, (message, channel) => {
    const text = message.split(" ").slice(4).join(" ");
    io.to(channel.slice(prefix.length)).emit("d", text);
  });
  server.listen(0, "127.0.0.1", () => console.log(`port ${server.address().port}`));
})();

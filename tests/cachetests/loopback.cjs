// Loaded before the suite: its server listens on loopback only, and its client never hangs.
const http = require('node:http')
const net = require('node:net')

const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (port) {
  return listen.call(this, { port: Number(port), host: '127.0.0.1' })
}
const request = http.request
http.request = function (...given) {
  return request.apply(this, given).setTimeout(60000, function () { this.destroy() })
}
